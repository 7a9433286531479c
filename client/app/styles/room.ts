/** How the room page is laid out. */
import { css } from "lit";

export const roomStyles = css`
  :host {
    position: fixed;
    inset: 0;
    display: grid;
    grid-template-rows: auto minmax(0, 1fr) auto;
    background: var(--background);
  }
  .top {
    display: flex;
    align-items: center;
    gap: 12px;
    padding: max(10px, env(safe-area-inset-top)) max(16px, env(safe-area-inset-right)) 8px
      max(16px, env(safe-area-inset-left));
  }
  .top h1 {
    min-width: 0;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
    font-size: 1.05rem;
    letter-spacing: -0.01em;
  }
  .on-air {
    display: flex;
    gap: 6px;
  }
  .on-air > span {
    display: inline-flex;
    align-items: center;
    gap: 6px;
    padding: 2px 9px;
    border-radius: 8px;
    background: var(--danger);
    color: var(--on-danger);
    font-size: 0.76rem;
    font-weight: 700;
    letter-spacing: 0.05em;
  }
  .on-air > span::before {
    content: "";
    width: 8px;
    height: 8px;
    border-radius: 50%;
    background: currentColor;
  }
  .top .space {
    flex: 1;
  }
  .top .button {
    min-height: 40px;
    padding: 0 14px;
    font-size: 0.92rem;
    white-space: nowrap;
  }
  .banner {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    justify-content: center;
    gap: 6px 12px;
    padding: 8px 16px;
    background: var(--warning-soft);
    color: var(--on-warning-soft);
    font-size: 0.94rem;
    text-align: center;
  }
  .spinner {
    width: 16px;
    height: 16px;
    border: 2.5px solid currentColor;
    border-right-color: transparent;
    border-radius: 50%;
    animation: turn 900ms linear infinite;
  }
  @keyframes turn {
    to {
      transform: rotate(360deg);
    }
  }
  .middle {
    position: relative;
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 12px;
    min-height: 0;
    padding: 0 max(12px, env(safe-area-inset-right)) 0 max(12px, env(safe-area-inset-left));
  }
  .middle.with-panel {
    grid-template-columns: minmax(0, 1fr) min(360px, 38vw);
  }
  .stats {
    display: flex;
    flex-wrap: wrap;
    gap: 2px 20px;
    margin: 0 max(12px, env(safe-area-inset-right)) 8px max(12px, env(safe-area-inset-left));
    padding: 7px 16px;
    border-radius: 12px;
    background: var(--surface);
    border: 1px solid var(--line);
    font: 0.78rem/1.5 var(--mono);
    font-variant-numeric: tabular-nums;
  }
  .stats div {
    display: flex;
    gap: 7px;
  }
  .stats dt {
    color: var(--text-soft);
  }
  .lonely {
    position: absolute;
    left: 50%;
    bottom: 64px;
    translate: -50% 0;
    display: flex;
    align-items: center;
    gap: 10px;
    width: max-content;
    max-width: calc(100% - 48px);
    padding: 8px 8px 8px 18px;
    border-radius: 16px;
    background: var(--surface);
    box-shadow: var(--shadow);
    font-size: 0.95rem;
  }
  .lonely .button {
    min-height: 40px;
    padding: 0 14px;
    white-space: nowrap;
  }
  .sound {
    position: absolute;
    z-index: 5;
    top: 14px;
    left: 50%;
    translate: -50% 0;
    box-shadow: var(--shadow);
  }
  .foot {
    position: relative;
    padding-bottom: env(safe-area-inset-bottom);
  }
  @media (max-width: 760px) {
    .top .invite {
      display: none;
    }
    .top {
      padding-top: max(6px, env(safe-area-inset-top));
      padding-bottom: 6px;
    }
    .middle.with-panel {
      grid-template-columns: minmax(0, 1fr);
    }
    .panel {
      position: absolute;
      z-index: 6;
      inset: 0 8px;
      box-shadow: var(--shadow);
    }
    .stats {
      gap: 2px 12px;
      padding: 6px 12px;
      font-size: 0.7rem;
    }
  }
`;
