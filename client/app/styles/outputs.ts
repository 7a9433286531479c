/** How the outputs panel and its dialogs look. */
import { css } from "lit";

export const outputsStyles = css`
  section {
    margin-top: 22px;
  }
  .picture {
    display: grid;
    gap: 6px;
    padding-bottom: 14px;
    border-bottom: 1px solid var(--line);
    color: var(--text-soft);
    font-size: 0.88rem;
    font-weight: 600;
  }
  .picture small {
    font-weight: 400;
  }
  .picture .box {
    position: relative;
    display: block;
    color: var(--text);
  }
  .picture select {
    appearance: none;
    width: 100%;
    padding-right: 36px;
    font-size: 0.98rem;
    font-weight: 400;
    text-overflow: ellipsis;
  }
  .picture .box::after {
    content: "";
    position: absolute;
    right: 17px;
    top: 19px;
    width: 7px;
    height: 7px;
    border: solid var(--text-soft);
    border-width: 0 2px 2px 0;
    transform: rotate(45deg);
    pointer-events: none;
  }
  h3 {
    margin-bottom: 4px;
    color: var(--text-soft);
    font-size: 0.88rem;
  }
  li {
    padding: 12px 0;
    border-bottom: 1px solid var(--line);
  }
  .row {
    display: flex;
    align-items: center;
    gap: 12px;
  }
  .row + .row,
  .row.more {
    margin-top: 10px;
  }
  .row.more {
    padding-left: 50px;
  }
  .sign {
    display: grid;
    place-items: center;
    width: 38px;
    height: 38px;
    border-radius: 12px;
    background: var(--surface-sunk);
    color: var(--text-soft);
    flex: none;
  }
  .sign.on {
    background: var(--primary-soft);
    color: var(--on-primary-soft);
  }
  .what {
    display: grid;
    flex: 1;
    min-width: 0;
    line-height: 1.3;
    overflow-wrap: anywhere;
  }
  small {
    color: var(--text-soft);
    font-size: 0.84rem;
  }
  .state.good {
    color: var(--speaking);
    font-weight: 600;
  }
  .state.bad {
    color: var(--on-danger-soft);
    font-weight: 600;
  }
  .button.small {
    min-height: 38px;
    padding: 0 14px;
    font-size: 0.9rem;
  }
  .button.wide {
    width: 100%;
    margin-top: 10px;
  }
  .message,
  .refused {
    margin-top: 8px;
    padding: 8px 12px;
    border-radius: 10px;
    background: var(--warning-soft);
    color: var(--on-warning-soft);
    font-size: 0.88rem;
    overflow-wrap: anywhere;
  }
  .refused {
    margin: 0 0 8px;
    background: var(--danger-soft);
    color: var(--on-danger-soft);
  }
  .ways {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 8px;
    margin-top: 8px;
    padding-left: 50px;
  }
  .check {
    display: flex;
    gap: 8px;
    align-items: center;
    min-height: 32px;
    font-size: 0.88rem;
    cursor: pointer;
  }
  .check input {
    width: 18px;
    height: 18px;
    margin: 0;
    accent-color: var(--primary);
  }
  .ways a {
    justify-self: start;
    border-radius: 4px;
    color: var(--primary);
    font-size: 0.88rem;
    font-weight: 600;
  }
  details {
    margin-top: 6px;
    padding-left: 50px;
  }
  summary {
    padding: 6px 0;
    border-radius: 6px;
    font-size: 0.88rem;
    font-weight: 600;
    cursor: pointer;
  }
  .settings {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 8px;
  }
`;

/** Forms in dialogs. */
export const formStyles = css`
  form > label {
    display: grid;
    gap: 6px;
    color: var(--text-soft);
    font-size: 0.88rem;
    font-weight: 600;
  }
  .field {
    color: var(--text);
    font-size: 1rem;
    font-weight: 400;
  }
  small {
    font-size: 0.84rem;
    font-weight: 400;
    color: var(--text-soft);
  }
  fieldset {
    margin: 0;
    padding: 0;
    border: 0;
  }
  legend {
    padding: 0;
    margin-bottom: 6px;
    color: var(--text-soft);
    font-size: 0.88rem;
    font-weight: 600;
  }
  .choices {
    display: grid;
    grid-auto-flow: column;
    grid-auto-columns: 1fr;
    gap: 8px;
  }
  .choices.tall {
    grid-auto-flow: row;
  }
  .choice {
    position: relative;
    cursor: pointer;
  }
  .choice input {
    position: absolute;
    inset: 0;
    width: 100%;
    height: 100%;
    margin: 0;
    opacity: 0;
    cursor: pointer;
  }
  .choice > span {
    display: grid;
    place-content: center;
    min-height: 46px;
    padding: 4px 12px;
    border: 1.5px solid var(--line);
    border-radius: 12px;
    font-weight: 600;
    text-align: center;
  }
  .tall .choice > span {
    place-content: start;
    padding: 10px 14px;
    text-align: left;
  }
  .choice input:checked + span {
    border-color: var(--primary);
    background: var(--primary-soft);
    color: var(--on-primary-soft);
  }
  .choice input:checked + span small {
    color: inherit;
  }
  .choice input:focus-visible + span {
    outline: 3px solid var(--focus);
    outline-offset: 2px;
  }
  .refused {
    padding: 10px 14px;
    border-radius: 12px;
    background: var(--danger-soft);
    color: var(--on-danger-soft);
  }
`;
