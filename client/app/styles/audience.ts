/** What the pages of the audience share: the head with its ways to the other pages, and the column below it. */
import { css } from "lit";

export const audienceStyles = css`
  :host {
    display: block;
    min-height: 100dvh;
    background: var(--background);
  }
  .head {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 8px 12px;
    max-width: 1180px;
    margin: 0 auto;
    padding: max(14px, env(safe-area-inset-top)) max(20px, env(safe-area-inset-right)) 14px
      max(20px, env(safe-area-inset-left));
  }
  .brand {
    display: flex;
    align-items: center;
    gap: 10px;
    margin-right: auto;
    border-radius: 10px;
    color: var(--text);
    font-size: 1.1rem;
    font-weight: 700;
    letter-spacing: -0.02em;
    text-decoration: none;
  }
  nav {
    display: flex;
    gap: 2px;
  }
  nav a {
    display: inline-flex;
    align-items: center;
    gap: 7px;
    min-height: 42px;
    padding: 0 13px;
    border-radius: 12px;
    color: var(--text-soft);
    font-size: 0.94rem;
    font-weight: 600;
    text-decoration: none;
  }
  nav a:hover {
    background: var(--surface-hover);
    color: var(--text);
  }
  nav a[aria-current] {
    background: var(--primary-soft);
    color: var(--on-primary-soft);
  }
  main {
    max-width: 1180px;
    margin: 0 auto;
    padding: 6px max(20px, env(safe-area-inset-right)) max(40px, env(safe-area-inset-bottom))
      max(20px, env(safe-area-inset-left));
  }
  h1 {
    font-size: clamp(1.3rem, 3.4vw, 1.75rem);
    line-height: 1.2;
    letter-spacing: -0.02em;
    overflow-wrap: anywhere;
    outline: none;
  }
  .soft {
    color: var(--text-soft);
  }
  .mark-live {
    display: inline-flex;
    align-items: center;
    gap: 7px;
    padding: 3px 10px;
    border-radius: 8px;
    background: var(--danger);
    color: var(--on-danger);
    font-size: 0.78rem;
    font-weight: 700;
    letter-spacing: 0.05em;
    white-space: nowrap;
  }
  .mark-live::before {
    content: "";
    width: 8px;
    height: 8px;
    border-radius: 50%;
    background: currentColor;
  }
  .mark-live.off {
    background: var(--surface-sunk);
    color: var(--text-soft);
  }
  @media (max-width: 560px) {
    .head {
      padding-left: max(14px, env(safe-area-inset-left));
      padding-right: max(14px, env(safe-area-inset-right));
    }
    main {
      padding-left: max(14px, env(safe-area-inset-left));
      padding-right: max(14px, env(safe-area-inset-right));
    }
    nav a {
      padding: 0 9px;
      gap: 5px;
      font-size: 0.88rem;
    }
    .brand span {
      display: none;
    }
  }
`;
