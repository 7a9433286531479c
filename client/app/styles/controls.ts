/** Styles that every component shares: buttons, fields, focus, text for screen readers only. */
import { css } from "lit";

export const controls = css`
  :host {
    box-sizing: border-box;
  }
  :host([hidden]),
  [hidden] {
    display: none !important;
  }
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  h1,
  h2,
  h3,
  p,
  ul,
  dl,
  dd {
    margin: 0;
    padding: 0;
  }
  ul {
    list-style: none;
  }
  svg {
    display: block;
    flex: none;
  }
  button,
  input,
  select,
  textarea {
    font: inherit;
    color: inherit;
  }
  button {
    cursor: pointer;
    border: 0;
    background: none;
    -webkit-tap-highlight-color: transparent;
  }
  button:disabled {
    cursor: default;
    opacity: 0.5;
  }
  :focus-visible {
    outline: 3px solid var(--focus);
    outline-offset: 2px;
  }
  .button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: 8px;
    min-height: 44px;
    padding: 0 18px;
    border-radius: 12px;
    background: var(--surface-sunk);
    font-weight: 600;
    text-decoration: none;
    color: var(--text);
    transition: background-color 120ms;
  }
  .button:hover:not(:disabled) {
    background: var(--surface-hover);
  }
  .button.primary {
    background: var(--primary);
    color: var(--on-primary);
  }
  .button.primary:hover:not(:disabled) {
    background: var(--primary-hover);
  }
  .button.danger {
    background: var(--danger);
    color: var(--on-danger);
  }
  .button.danger:hover:not(:disabled) {
    background: var(--danger-hover);
  }
  .icon-button {
    display: inline-grid;
    place-items: center;
    width: 44px;
    height: 44px;
    padding: 0;
    border-radius: 12px;
    color: var(--text-soft);
    flex: none;
  }
  .icon-button:hover {
    background: var(--surface-hover);
    color: var(--text);
  }
  .field {
    width: 100%;
    min-height: 48px;
    padding: 0 14px;
    border: 1.5px solid var(--field-line);
    border-radius: 12px;
    background: var(--surface);
  }
  .field::placeholder {
    color: var(--text-soft);
    opacity: 1;
  }
  .field:focus-visible {
    outline-offset: 0;
  }
  .unseen {
    position: absolute;
    width: 1px;
    height: 1px;
    margin: -1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  @media (prefers-reduced-motion: reduce) {
    *,
    *::before,
    *::after {
      animation: none !important;
      transition: none !important;
    }
  }
`;

/** <dialog> as a card in the middle, or a sheet at the bottom of a phone. */
export const dialogs = css`
  dialog {
    width: min(480px, calc(100vw - 32px));
    max-height: min(640px, calc(100dvh - 48px));
    padding: 0;
    border: 1px solid var(--line);
    border-radius: 20px;
    background: var(--surface);
    color: var(--text);
    box-shadow: var(--shadow);
  }
  dialog::backdrop {
    background: rgb(4 14 14 / 55%);
  }
  dialog header {
    display: flex;
    align-items: center;
    justify-content: space-between;
    padding: 14px 12px 6px 24px;
  }
  dialog h2 {
    font-size: 1.2rem;
  }
  dialog .body {
    display: grid;
    gap: 18px;
    padding: 8px 24px 24px;
  }
  dialog .actions {
    display: flex;
    flex-wrap: wrap;
    justify-content: flex-end;
    gap: 10px;
  }
  @media (max-width: 560px) {
    dialog[open] {
      width: 100vw;
      max-width: 100vw;
      margin: auto 0 0;
      border-radius: 20px 20px 0 0;
      border-width: 1px 0 0;
      padding-bottom: env(safe-area-inset-bottom);
    }
  }
`;
