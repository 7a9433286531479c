/** How the page that checks the connection looks: the verdict large, figures as tiles, checks as a list; long because it is one page. */
import { css } from "lit";

export const doctorStyles = css`
  :host {
    display: block;
    min-height: 100dvh;
    background: var(--background);
  }
  .head {
    display: flex;
    align-items: center;
    justify-content: space-between;
    gap: 12px;
    max-width: 1000px;
    margin: 0 auto;
    padding: max(14px, env(safe-area-inset-top)) max(20px, env(safe-area-inset-right)) 14px
      max(20px, env(safe-area-inset-left));
  }
  .brand {
    display: flex;
    align-items: center;
    gap: 10px;
    border-radius: 10px;
    color: var(--text);
    font-size: 1.1rem;
    font-weight: 700;
    letter-spacing: -0.02em;
    text-decoration: none;
  }
  .back {
    background: none;
  }
  main {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 20px;
    max-width: 1000px;
    margin: 0 auto;
    padding: 6px max(20px, env(safe-area-inset-right)) max(40px, env(safe-area-inset-bottom))
      max(20px, env(safe-area-inset-left));
  }
  .verdict {
    display: grid;
    grid-template-columns: auto minmax(0, 1fr);
    gap: 24px;
    padding: 28px;
    border: 1px solid var(--line);
    border-radius: 24px;
    background: var(--surface);
    box-shadow: var(--shadow);
  }
  .seal {
    display: grid;
    place-items: center;
    width: 84px;
    height: 84px;
    border-radius: 50%;
    background: var(--surface-sunk);
    color: var(--text-soft);
  }
  .well .seal {
    background: var(--primary);
    color: var(--on-primary);
  }
  .limits .seal {
    background: var(--warning-soft);
    color: var(--on-warning-soft);
  }
  .cannot .seal {
    background: var(--danger);
    color: var(--on-danger);
  }
  .turning {
    width: 40px;
    height: 40px;
    border: 5px solid var(--line);
    border-top-color: var(--primary);
    border-radius: 50%;
    animation: turn 0.9s linear infinite;
  }
  @keyframes turn {
    to {
      rotate: 360deg;
    }
  }
  .words {
    display: grid;
    gap: 14px;
    align-content: center;
  }
  h1 {
    font-size: clamp(1.4rem, 4vw, 1.9rem);
    line-height: 1.2;
    letter-spacing: -0.02em;
    text-wrap: balance;
  }
  h1:focus-visible {
    outline: none;
  }
  .words > p,
  .reasons {
    color: var(--text-soft);
    text-wrap: pretty;
  }
  .reasons {
    display: grid;
    gap: 6px;
  }
  .todo {
    padding: 14px 18px;
    border-radius: 14px;
    background: var(--surface-sunk);
  }
  .todo h2 {
    font-size: 0.94rem;
  }
  .todo ul {
    display: grid;
    gap: 6px;
    margin-top: 6px;
    padding-left: 18px;
    list-style: disc;
    overflow-wrap: anywhere;
  }
  .actions {
    display: flex;
    flex-wrap: wrap;
    gap: 10px;
  }
  progress {
    appearance: none;
    width: 100%;
    height: 8px;
    border: 0;
    border-radius: 4px;
    overflow: hidden;
    background: var(--surface-sunk);
  }
  progress::-webkit-progress-bar {
    background: var(--surface-sunk);
  }
  progress::-webkit-progress-value {
    border-radius: 4px;
    background: var(--primary);
    transition: width 200ms;
  }
  progress::-moz-progress-bar {
    background: var(--primary);
  }
  .road {
    display: grid;
    gap: 18px;
    padding: 22px 24px;
    border: 1px solid var(--line);
    border-radius: 20px;
    background: var(--surface);
  }
  .ways {
    display: grid;
    grid-template-columns: repeat(3, minmax(0, 1fr));
    gap: 12px;
  }
  .way {
    display: grid;
    grid-template-columns: auto minmax(8px, 1fr) auto minmax(8px, 1fr) auto;
    align-items: center;
    gap: 2px 6px;
    color: var(--text-soft);
    font-size: 0.84rem;
    font-weight: 600;
  }
  .way i {
    height: 3px;
    border-radius: 2px;
    background: var(--line);
  }
  .way.ok i,
  .way.warning i {
    background: var(--primary);
  }
  .way.failed i {
    background: repeating-linear-gradient(90deg, var(--danger) 0 6px, transparent 6px 11px);
  }
  .way > span:last-child {
    grid-column: 1 / -1;
    text-align: center;
  }
  .tiles {
    display: grid;
    grid-template-columns: repeat(4, minmax(0, 1fr));
    gap: 12px;
  }
  .tile {
    padding: 12px 14px;
    border-radius: 14px;
    background: var(--surface-sunk);
  }
  .tile.ok {
    background: var(--primary-soft);
    color: var(--on-primary-soft);
  }
  .tile.warning {
    background: var(--warning-soft);
    color: var(--on-warning-soft);
  }
  .tile.failed {
    background: var(--danger-soft);
    color: var(--on-danger-soft);
  }
  .tile dt {
    display: flex;
    align-items: center;
    justify-content: space-between;
    gap: 6px;
    min-height: 24px;
    font-size: 0.86rem;
    font-weight: 600;
  }
  .tile .symbol {
    margin: 0;
    background: none;
    color: inherit;
  }
  .tile b {
    display: block;
    font-size: 1.5rem;
    font-weight: 700;
    letter-spacing: -0.02em;
    white-space: nowrap;
  }
  .tile dd span {
    font-size: 0.82rem;
  }
  .chart {
    display: grid;
    grid-template-columns: auto minmax(0, 1fr);
    gap: 4px 10px;
    margin: 0;
    color: var(--text-soft);
    font-size: 0.78rem;
  }
  .chart svg {
    width: 100%;
    height: 130px;
  }
  .scale {
    display: flex;
    flex-direction: column;
    justify-content: space-between;
    padding-bottom: 14px;
    text-align: right;
    white-space: nowrap;
  }
  .grid {
    stroke: var(--line);
    vector-effect: non-scaling-stroke;
  }
  .line {
    fill: none;
    stroke: var(--primary);
    stroke-width: 2.5;
    stroke-linejoin: round;
    vector-effect: non-scaling-stroke;
  }
  .area {
    fill: var(--primary);
    opacity: 0.12;
  }
  .lost {
    fill: var(--danger);
  }
  figcaption {
    grid-column: 2;
    display: flex;
    gap: 18px;
  }
  figcaption span::before {
    content: "";
    display: inline-block;
    width: 14px;
    height: 4px;
    margin-right: 7px;
    border-radius: 2px;
    vertical-align: middle;
    background: var(--primary);
  }
  figcaption .key-lost::before {
    background: var(--danger);
  }
  .groups {
    display: grid;
    grid-template-columns: repeat(2, minmax(0, 1fr));
    gap: 20px;
    align-items: start;
  }
  .column {
    display: grid;
    align-content: start;
    gap: 20px;
  }
  .group {
    padding: 20px 24px 14px;
    border: 1px solid var(--line);
    border-radius: 20px;
    background: var(--surface);
  }
  .group > h2 {
    display: flex;
    align-items: center;
    gap: 10px;
    margin-bottom: 6px;
    font-size: 1rem;
  }
  .check {
    display: grid;
    grid-template-columns: auto minmax(0, 1fr);
    gap: 12px;
    padding: 10px 0;
  }
  .check + .check {
    border-top: 1px solid var(--line);
  }
  .check.waiting,
  .check.skipped {
    color: var(--text-soft);
  }
  h3 {
    font-size: 0.96rem;
    line-height: 26px;
  }
  .check p {
    color: var(--text-soft);
    font-size: 0.9rem;
    overflow-wrap: anywhere;
  }
  .check .advice {
    margin-top: 6px;
    color: var(--text);
  }
  .symbol {
    display: grid;
    place-items: center;
    width: 26px;
    height: 26px;
    border-radius: 50%;
  }
  .symbol.ok {
    background: var(--primary-soft);
    color: var(--on-primary-soft);
  }
  .symbol.warning {
    background: var(--warning-soft);
    color: var(--on-warning-soft);
  }
  .symbol.failed {
    background: var(--danger-soft);
    color: var(--on-danger-soft);
  }
  .symbol.running::before,
  .symbol.waiting::before,
  .symbol.skipped::before {
    content: "";
    width: 10px;
    height: 10px;
    border-radius: 50%;
    border: 2px solid var(--field-line);
  }
  .symbol.skipped::before {
    height: 0;
    border-width: 1px;
    border-radius: 0;
  }
  .symbol.running::before {
    width: 14px;
    height: 14px;
    border-color: var(--line);
    border-top-color: var(--primary);
    animation: turn 0.9s linear infinite;
  }
  details {
    margin-top: 4px;
    font-size: 0.82rem;
    color: var(--text-soft);
  }
  summary {
    width: fit-content;
    border-radius: 6px;
    cursor: pointer;
  }
  details dl {
    margin-top: 4px;
  }
  details dl div {
    display: flex;
    justify-content: space-between;
    gap: 12px;
  }
  details dd {
    font-family: var(--mono);
    overflow-wrap: anywhere;
    text-align: right;
  }
  .button.devices {
    width: 100%;
    margin: 8px 0;
  }
  .note {
    color: var(--text-soft);
    font-size: 0.86rem;
    text-align: center;
  }
  @media (max-width: 820px) {
    .groups {
      grid-template-columns: minmax(0, 1fr);
    }
    .column {
      display: contents;
    }
    .group.road-checks {
      order: 0;
    }
    .group {
      order: 1;
    }
    .group.in {
      order: -1;
    }
    .tiles {
      grid-template-columns: repeat(2, minmax(0, 1fr));
    }
  }
  @media (max-width: 560px) {
    .head,
    main {
      padding-left: max(14px, env(safe-area-inset-left));
      padding-right: max(14px, env(safe-area-inset-right));
    }
    .verdict {
      grid-template-columns: minmax(0, 1fr);
      gap: 16px;
      padding: 22px 18px;
    }
    .seal {
      width: 64px;
      height: 64px;
    }
    .actions .button {
      flex: 1;
    }
    .road,
    .group {
      padding-left: 16px;
      padding-right: 16px;
    }
    .tile b {
      font-size: 1.3rem;
    }
    .ways {
      grid-template-columns: minmax(0, 1fr);
    }
    .way {
      grid-template-columns: auto minmax(8px, 1fr) auto minmax(8px, 1fr) auto minmax(0, 9em);
    }
    .way > span:last-child {
      grid-column: auto;
      text-align: left;
    }
    .actions .button,
    .button.devices {
      padding: 0 10px;
      font-size: 0.94rem;
      white-space: nowrap;
    }
  }
`;
