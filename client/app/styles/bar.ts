/** How the control bar looks. */
import { css } from "lit";

export const barStyles = css`
  :host {
    display: block;
  }
  .bar {
    display: flex;
    align-items: center;
    justify-content: center;
    gap: 22px;
    height: var(--bar-height);
    padding: 0 12px;
  }
  .group,
  .wide {
    display: flex;
    gap: 10px;
  }
  .round {
    display: inline-grid;
    place-items: center;
    width: 52px;
    height: 52px;
    padding: 0;
    border-radius: 18px;
    background: var(--surface);
    color: var(--text);
    box-shadow: inset 0 0 0 1px var(--line);
    transition: background-color 120ms;
  }
  .round:hover:not(:disabled) {
    background: var(--surface-hover);
  }
  .round.off {
    background: var(--danger-soft);
    color: var(--on-danger-soft);
    box-shadow: none;
  }
  .round.active {
    background: var(--primary-soft);
    color: var(--on-primary-soft);
    box-shadow: inset 0 0 0 1.5px var(--primary);
  }
  .round.leave {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: 8px;
    width: auto;
    padding: 0 20px;
    background: var(--danger);
    color: var(--on-danger);
    box-shadow: none;
    font-weight: 600;
  }
  .round.leave:hover {
    background: var(--danger-hover);
  }
  .badged {
    position: relative;
    display: inline-grid;
  }
  .badge {
    position: absolute;
    top: -5px;
    right: -5px;
    min-width: 21px;
    padding: 0 5px;
    border-radius: 11px;
    background: var(--danger);
    color: var(--on-danger);
    border: 2px solid var(--background);
    font-size: 0.72rem;
    font-weight: 700;
    line-height: 18px;
    text-align: center;
    pointer-events: none;
  }
  .narrow {
    display: none;
  }
  #menu {
    position: fixed;
    inset: auto 12px calc(var(--bar-height) + env(safe-area-inset-bottom)) auto;
    min-width: 220px;
    margin: 0;
    padding: 8px;
    border: 1px solid var(--line);
    border-radius: 16px;
    background: var(--surface);
    color: var(--text);
    box-shadow: var(--shadow);
  }
  .item {
    display: flex;
    align-items: center;
    gap: 12px;
    width: 100%;
    min-height: 48px;
    padding: 0 14px;
    border-radius: 10px;
    text-align: left;
  }
  .item:hover {
    background: var(--surface-sunk);
  }
  @media (max-width: 760px) {
    .bar {
      justify-content: space-between;
      gap: 8px;
      max-width: 460px;
      margin: 0 auto;
    }
    .group {
      gap: 8px;
    }
    .wide,
    .leave-word,
    [data-action="screen"] {
      display: none;
    }
    .narrow {
      display: inline-grid;
    }
    .round,
    .round.leave {
      width: 48px;
      height: 48px;
      padding: 0;
      border-radius: 16px;
    }
  }
`;
