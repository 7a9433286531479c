/** How a tile looks: picture or initials, label, speaking ring, figures. */
import { css } from "lit";

export const tileStyles = css`
  :host {
    display: block;
    container-type: size;
  }
  .tile {
    position: relative;
    width: 100%;
    height: 100%;
    overflow: hidden;
    border-radius: var(--radius);
    background: var(--tile);
    isolation: isolate;
  }
  .picture,
  .stand-in,
  .ring {
    position: absolute;
    inset: 0;
  }
  .picture > * {
    display: block;
    width: 100% !important;
    height: 100% !important;
    object-fit: cover !important;
  }
  .picture > .whole {
    object-fit: contain !important;
    background: var(--screen);
  }
  .picture > .mirrored {
    transform: scaleX(-1);
  }
  .stand-in {
    display: grid;
    place-items: center;
  }
  .explained {
    align-content: center;
    gap: clamp(6px, 5cqmin, 18px);
    padding: 8px 16px 44px;
  }
  .explained .avatar {
    width: clamp(32px, 22cqmin, 88px);
    font-size: clamp(13px, 8cqmin, 34px);
  }
  .problem {
    max-width: 30ch;
    margin: 0;
    color: var(--text);
    font-size: clamp(0.74rem, 4.4cqmin, 1rem);
    line-height: 1.4;
    text-align: center;
    text-wrap: balance;
  }
  .avatar {
    display: grid;
    place-items: center;
    width: clamp(44px, 34cqmin, 132px);
    aspect-ratio: 1;
    border-radius: 50%;
    background: oklch(0.46 0.085 var(--hue));
    color: #fff;
    font-size: clamp(17px, 13cqmin, 50px);
    font-weight: 600;
    letter-spacing: 0.02em;
  }
  .ring {
    border-radius: inherit;
    box-shadow: inset 0 0 0 0 var(--speaking);
    transition: box-shadow 160ms;
    pointer-events: none;
  }
  .speaking .ring {
    box-shadow:
      inset 0 0 0 4px var(--speaking),
      inset 0 0 0 6px rgb(255 255 255 / 55%);
  }
  .label {
    position: absolute;
    left: 10px;
    bottom: 10px;
    display: flex;
    align-items: center;
    gap: 6px;
    max-width: calc(100% - 20px);
    padding: 4px 10px;
    border-radius: 9px;
    background: rgb(6 18 18 / 76%);
    color: #fff;
    font-size: 0.86rem;
    line-height: 1.4;
  }
  .label .off {
    color: #ffb4ad;
  }
  .name {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .pin {
    position: absolute;
    top: 10px;
    right: 10px;
    display: grid;
    place-items: center;
    width: 36px;
    height: 36px;
    padding: 0;
    border-radius: 10px;
    background: rgb(6 18 18 / 76%);
    color: #fff;
    opacity: 0;
    transition: opacity 120ms;
  }
  .tile:hover .pin,
  .pin:focus-visible,
  .pin[aria-pressed="true"] {
    opacity: 1;
  }
  .pin[aria-pressed="true"] {
    color: #8fe8d8;
  }
  .figures {
    position: absolute;
    top: 10px;
    left: 10px;
    padding: 5px 8px;
    border-radius: 10px;
    border-spacing: 0;
    background: rgb(6 18 18 / 80%);
    color: #eafaf7;
    font: 0.74rem/1.35 var(--mono);
    font-variant-numeric: tabular-nums;
  }
  .figures th,
  .figures td {
    padding: 0 4px;
    white-space: nowrap;
    text-align: right;
  }
  .figures th {
    color: #a9c9c3;
    font-weight: 400;
  }
  .figures th[scope="row"] {
    text-align: left;
  }
  @container (max-width: 190px) {
    .explained {
      padding: 4px 6px 32px;
    }
    .label {
      left: 6px;
      bottom: 6px;
      padding: 2px 8px;
      font-size: 0.78rem;
      max-width: calc(100% - 12px);
    }
    .pin {
      top: 6px;
      right: 6px;
      width: 30px;
      height: 30px;
    }
    .figures {
      top: 6px;
      left: 6px;
      padding: 3px 4px;
      font-size: 0.62rem;
      line-height: 1.2;
    }
  }
  @media (hover: none) {
    .pin {
      opacity: 0.85;
      width: 32px;
      height: 32px;
      background: rgb(6 18 18 / 40%);
    }
    :host([small]) .pin {
      opacity: 0;
    }
  }
`;
