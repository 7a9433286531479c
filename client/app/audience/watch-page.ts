/** /watch/<room>: the room's stream, how late it is and how good, and the ways to listen only or to take part. */
import { css, html, LitElement, nothing } from "lit";
import { icon } from "../icons.ts";
import { roomPath } from "../routing.ts";
import { audienceStyles } from "../styles/audience.ts";
import { controls } from "../styles/controls.ts";
import { hlsPath } from "./audience-route.ts";
import { pageHead } from "./page-head.ts";
import { Playback } from "./playback.ts";
import { latencyText, qualityText } from "./player-text.ts";
import "./room-question.ts";
import "./stream-player.ts";

class WatchPage extends LitElement {
  static override properties = { room: {} };
  static override styles = [
    controls,
    audienceStyles,
    css`
      .title {
        display: flex;
        align-items: center;
        gap: 12px;
        margin-bottom: 14px;
      }
      /* All of it fits a screen, but not at the price of a picture as small as a stamp. */
      .stage {
        max-width: max(min(100%, 520px), calc((100dvh - 240px) * 16 / 9));
        margin: 0 auto;
      }
      .below {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 10px 24px;
        margin-top: 16px;
      }
      dl {
        display: flex;
        flex-wrap: wrap;
        gap: 4px 24px;
        font-variant-numeric: tabular-nums;
      }
      dl div {
        display: flex;
        gap: 8px;
      }
      dt {
        color: var(--text-soft);
      }
      .below .button {
        margin-left: auto;
      }
      @media (max-width: 560px) {
        dl {
          width: 100%;
          gap: 2px 18px;
          font-size: 0.9rem;
        }
        .below .button {
          width: 100%;
          margin-left: 0;
        }
      }
    `,
  ];
  declare room: string;
  readonly #playback = new Playback(this, true);

  override render() {
    const { room } = this;
    if (room === "") {
      return html`${pageHead("watch", "")}
        <main><h1>Which room would you like to watch?</h1>
          <tributary-room-question page="watch"></tributary-room-question></main>`;
    }
    return html`${pageHead("watch", room)}
      <main><div class="stage">
        <div class="title"><h1>${room}</h1>${this.#mark()}</div>
        <tributary-player live .playback=${this.#playback} .name=${room} .url=${hlsPath(room)}></tributary-player>
        <div class="below">
          ${this.#figures()}
          <a class="button" href=${roomPath(room)}>${icon("camera", 20)} Take part in the room</a>
        </div>
      </div></main>`;
  }

  #mark() {
    const { state, isLive } = this.#playback;
    if (isLive) return html`<span class="mark-live">LIVE</span>`;
    if (state === "waiting") return html`<span class="mark-live off">OFF AIR</span>`;
    return state === "finished" ? html`<span class="mark-live off">ENDED</span>` : nothing;
  }

  #figures() {
    const { latencyMs, open, quality, state } = this.#playback;
    const running = open && (state === "playing" || state === "stalled" || state === "paused");
    if (!running) return nothing;
    return html`<dl aria-label="Stream">
      ${latencyMs === null ? nothing : html`<div><dt>Latency</dt><dd data-figure="latency">${latencyText(latencyMs)}</dd></div>`}
      <div><dt>Quality</dt><dd data-figure="quality">${qualityText(quality)}</dd></div>
    </dl>`;
  }
}

customElements.define("tributary-watch", WatchPage);
