/** Side panels: beside the tiles on a wide screen, over them on a phone. */
import { css } from "lit";

export const panelStyles = css`
  :host {
    display: flex;
    flex-direction: column;
    min-height: 0;
    border-radius: 20px;
    background: var(--surface);
    border: 1px solid var(--line);
    overflow: hidden;
  }
  header {
    display: flex;
    align-items: center;
    justify-content: space-between;
    padding: 10px 8px 4px 20px;
  }
  h2 {
    font-size: 1.08rem;
  }
  .scroll {
    flex: 1;
    min-height: 0;
    overflow-y: auto;
    overscroll-behavior: contain;
    padding: 8px 20px 16px;
  }
`;
