/** How the stream player looks: picture, sentences over it, controls at its foot. */
import { css } from "lit";

export const playerStyles = css`
  :host {
    display: block;
  }
  .frame {
    position: relative;
    display: grid;
    aspect-ratio: 16 / 9;
    width: 100%;
    overflow: hidden;
    border-radius: 20px;
    background: #050b0b;
    color: #fff;
    box-shadow: var(--shadow);
    --focus: #8cc4ff;
  }
  .frame:fullscreen {
    border-radius: 0;
    aspect-ratio: auto;
  }
  .frame.idle {
    cursor: none;
  }
  video,
  .calm,
  .say {
    position: absolute;
    inset: 0;
    width: 100%;
    height: 100%;
  }
  video {
    object-fit: contain;
  }
  .calm {
    display: grid;
    place-content: center;
    justify-items: center;
    gap: 18px;
    background: #0c1f20;
    text-align: center;
    pointer-events: none;
  }
  .calm svg.streams {
    position: absolute;
    inset: 0;
    width: 100%;
    height: 100%;
    fill: none;
    stroke-linecap: round;
  }
  .calm .streams path {
    animation: drift 9s ease-in-out infinite alternate;
  }
  .calm .streams path:nth-child(2) {
    animation-duration: 13s;
    animation-direction: alternate-reverse;
  }
  .calm p {
    position: relative;
    font-size: clamp(1rem, 2.4vw, 1.4rem);
    font-weight: 600;
  }
  @keyframes drift {
    from {
      transform: translate(-20px, -26px);
    }
    to {
      transform: translate(20px, 26px);
    }
  }
  .say {
    display: grid;
    place-content: center;
    justify-items: center;
    gap: 10px;
    padding: 16px 24px;
    background: rgb(5 14 14 / 74%);
    text-align: center;
  }
  .say.over-nothing {
    background: #0c1f20;
  }
  .say h2 {
    font-size: clamp(1.05rem, 3vw, 1.5rem);
    letter-spacing: -0.01em;
    text-wrap: balance;
  }
  .say p {
    max-width: 44ch;
    color: #bcd2cd;
    font-size: 0.94rem;
    text-wrap: pretty;
  }
  .say .button {
    margin-top: 8px;
  }
  .spinner {
    width: 34px;
    height: 34px;
    border: 3.5px solid #8fe8d8;
    border-right-color: transparent;
    border-radius: 50%;
    animation: turn 900ms linear infinite;
  }
  @keyframes turn {
    to {
      transform: rotate(360deg);
    }
  }
  .tap {
    position: absolute;
    z-index: 2;
    top: 16px;
    left: 50%;
    translate: -50% 0;
    white-space: nowrap;
    box-shadow: 0 6px 24px rgb(0 0 0 / 45%);
  }
  .begin {
    place-self: center;
    z-index: 1;
    display: grid;
    place-items: center;
    width: 76px;
    height: 76px;
    padding: 0;
    border-radius: 50%;
    background: rgb(6 18 18 / 76%);
    backdrop-filter: blur(8px);
  }
  .begin:hover {
    background: #0c6b68;
  }
  .controls {
    position: absolute;
    z-index: 1;
    left: 0;
    right: 0;
    bottom: 0;
    padding: 40px 14px max(10px, env(safe-area-inset-bottom));
    background: linear-gradient(transparent, rgb(3 10 10 / 82%));
    transition: opacity 200ms;
  }
  .idle .controls {
    opacity: 0;
    pointer-events: none;
  }
  .row {
    display: flex;
    align-items: center;
    gap: 4px;
  }
  .row .space {
    flex: 1;
  }
  .controls .icon-button {
    color: #fff;
  }
  .controls .icon-button:hover {
    background: rgb(255 255 255 / 18%);
    color: #fff;
  }
  .time {
    padding: 0 8px;
    font-size: 0.86rem;
    font-variant-numeric: tabular-nums;
    white-space: nowrap;
  }
  input[type="range"] {
    appearance: none;
    height: 28px;
    margin: 0;
    background: none;
    cursor: pointer;
    border-radius: 6px;
  }
  .seek {
    display: block;
    width: 100%;
  }
  .volume {
    width: 84px;
  }
  input[type="range"]::-webkit-slider-runnable-track {
    height: 5px;
    border-radius: 3px;
    background: linear-gradient(90deg, #67d3c5 var(--done, 0%), rgb(255 255 255 / 32%) var(--done, 0%));
  }
  input[type="range"]::-webkit-slider-thumb {
    appearance: none;
    width: 15px;
    height: 15px;
    margin-top: -5px;
    border-radius: 50%;
    background: #fff;
  }
  input[type="range"]::-moz-range-track {
    height: 5px;
    border-radius: 3px;
    background: linear-gradient(90deg, #67d3c5 var(--done, 0%), rgb(255 255 255 / 32%) var(--done, 0%));
  }
  input[type="range"]::-moz-range-thumb {
    width: 15px;
    height: 15px;
    border: 0;
    border-radius: 50%;
    background: #fff;
  }
  .live {
    display: inline-flex;
    align-items: center;
    gap: 7px;
    min-height: 34px;
    margin: 0 6px;
    padding: 0 11px;
    border-radius: 10px;
    background: rgb(255 255 255 / 16%);
    font-size: 0.82rem;
    font-weight: 700;
    letter-spacing: 0.04em;
    white-space: nowrap;
  }
  .live::before {
    content: "";
    width: 8px;
    height: 8px;
    border-radius: 50%;
    background: #b5c4c1;
  }
  .live.now {
    background: #b7281f;
  }
  .live.now::before {
    background: #fff;
  }
  button.live:hover {
    background: rgb(255 255 255 / 28%);
  }
  @media (max-width: 560px) {
    .frame {
      border-radius: 14px;
    }
    .controls {
      padding: 28px 6px 4px;
    }
    .controls .icon-button {
      width: 40px;
    }
    .live {
      margin: 0 2px;
    }
    .say {
      padding: 8px 16px;
      gap: 6px;
    }
    .say p {
      font-size: 0.86rem;
      line-height: 1.35;
    }
    .calm svg:not(.streams) {
      display: none;
    }
    .calm p {
      padding-bottom: 30px;
    }
  }
  @media (hover: none) {
    .volume {
      display: none;
    }
  }
`;
