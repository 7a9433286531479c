/** How the lobby looks: preview beside the form, one above the other on a phone. */
import { css } from "lit";

export const lobbyStyles = css`
  :host {
    position: relative;
    display: block;
    min-height: 100dvh;
    overflow: clip;
  }
  .streams {
    position: absolute;
    inset: 0;
    width: 100%;
    height: 100%;
    fill: none;
    stroke-linecap: round;
  }
  main {
    position: relative;
    display: flex;
    flex-direction: column;
    max-width: 1080px;
    min-height: 100dvh;
    margin: 0 auto;
    padding: max(24px, env(safe-area-inset-top)) max(24px, env(safe-area-inset-right)) max(24px, env(safe-area-inset-bottom))
      max(24px, env(safe-area-inset-left));
  }
  .brand {
    display: flex;
    align-items: center;
    gap: 12px;
    font-size: 1.25rem;
    font-weight: 700;
    letter-spacing: -0.02em;
  }
  .columns {
    display: grid;
    grid-template-columns: minmax(0, 1.25fr) minmax(0, 1fr);
    gap: 32px;
    align-items: center;
    flex: 1;
  }
  .look {
    display: grid;
    gap: 14px;
  }
  .preview {
    position: relative;
    aspect-ratio: 16 / 10;
    overflow: hidden;
    border-radius: 24px;
    background: #0e1d1d;
    box-shadow: var(--shadow);
  }
  video {
    display: block;
    width: 100%;
    height: 100%;
    object-fit: cover;
    transform: scaleX(-1);
  }
  .no-picture {
    position: absolute;
    inset: 0;
    display: grid;
    place-content: center;
    justify-items: center;
    gap: 12px;
    color: #bcd2cd;
  }
  .switches {
    position: absolute;
    left: 0;
    right: 0;
    bottom: 16px;
    display: flex;
    justify-content: center;
    gap: 14px;
  }
  .switch {
    display: grid;
    place-items: center;
    width: 54px;
    height: 54px;
    padding: 0;
    border-radius: 18px;
    background: rgb(6 18 18 / 72%);
    color: #fff;
    backdrop-filter: blur(8px);
  }
  .switch:hover {
    background: rgb(6 18 18 / 92%);
  }
  .switch.off {
    background: #b7281f;
  }
  .switch:focus-visible {
    outline-color: #8cc4ff;
  }
  .sound {
    display: flex;
    align-items: center;
    gap: 10px;
    color: var(--text-soft);
  }
  .sound tributary-level-meter {
    flex: 1;
  }
  .trouble {
    display: flex;
    align-items: center;
    gap: 12px;
    padding: 10px 12px 10px 16px;
    border-radius: 14px;
    background: var(--warning-soft);
    color: var(--on-warning-soft);
    font-size: 0.92rem;
  }
  .trouble span {
    flex: 1;
  }
  .trouble .button {
    min-height: 40px;
    padding: 0 14px;
    background: transparent;
    box-shadow: inset 0 0 0 1.5px currentColor;
    color: inherit;
    white-space: nowrap;
  }
  .card {
    display: grid;
    gap: 18px;
    padding: 30px;
    border-radius: 24px;
    background: var(--surface);
    border: 1px solid var(--line);
    box-shadow: var(--shadow);
  }
  h1 {
    font-size: 1.5rem;
    line-height: 1.2;
    letter-spacing: -0.02em;
    overflow-wrap: anywhere;
  }
  h1 em {
    font-style: normal;
    color: var(--primary);
  }
  label {
    display: grid;
    gap: 6px;
    font-size: 0.88rem;
    font-weight: 600;
    color: var(--text-soft);
  }
  label .field {
    color: var(--text);
    font-size: 1rem;
    font-weight: 400;
  }
  small {
    font-size: 0.84rem;
    font-weight: 400;
  }
  .devices > * + * {
    margin-top: 12px;
  }
  .devices tributary-device-select {
    display: block;
  }
  summary {
    padding: 8px 0;
    font-size: 0.94rem;
    font-weight: 600;
    cursor: pointer;
  }
  @media (min-width: 821px) {
    .devices[open] > summary {
      display: none;
    }
  }
  .refused {
    padding: 12px 16px;
    border-radius: 14px;
    background: var(--danger-soft);
    color: var(--on-danger-soft);
    overflow-wrap: anywhere;
  }
  .refused a {
    color: inherit;
    font-weight: 600;
    white-space: nowrap;
  }
  .doctor {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: 8px;
    min-height: 44px;
    margin: -6px 0 -14px;
    border-radius: 12px;
    color: var(--text-soft);
    font-size: 0.94rem;
    font-weight: 600;
    text-decoration: none;
  }
  .doctor:hover {
    background: var(--surface-hover);
    color: var(--text);
  }
  .join {
    min-height: 52px;
    font-size: 1.05rem;
  }
  @media (max-width: 820px) {
    main {
      padding-left: max(16px, env(safe-area-inset-left));
      padding-right: max(16px, env(safe-area-inset-right));
      max-width: 560px;
    }
    .columns {
      grid-template-columns: minmax(0, 1fr);
      gap: 18px;
      align-content: start;
      padding-top: 18px;
    }
    .card {
      padding: 22px 20px;
    }
  }
`;
