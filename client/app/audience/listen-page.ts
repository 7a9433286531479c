/** /listen/<room>: the room's sound, to start and stop; also from the lock screen of a phone. */
import { css, html, LitElement, nothing, type PropertyValues } from "lit";
import { icon } from "../icons.ts";
import { audienceStyles } from "../styles/audience.ts";
import { controls } from "../styles/controls.ts";
import { mp3Path, nowHeardPath } from "./audience-route.ts";
import { LiveSound, type SoundState } from "./live-sound.ts";
import { HeardNow, listenersText, speakingText } from "./now-heard.ts";
import { pageHead } from "./page-head.ts";
import "./level-river.ts";
import "./room-question.ts";

const TEXTS: Readonly<Record<SoundState, string>> = {
  looking: "Looking for the stream…",
  ready: "On the air. Press play to listen.",
  "off-air": "Not on the air right now. Leave this page open: it notices when that changes.",
  full: "As many people listen as this server takes. We are trying again by ourselves.",
  starting: "Starting…",
  playing: "You are listening live.",
  reconnecting: "The connection was lost. Coming back by itself…",
};

class ListenPage extends LitElement {
  static override properties = { room: {}, volume: { state: true }, copied: { state: true } };
  static override styles = [
    controls,
    audienceStyles,
    css`
      .card {
        display: grid;
        justify-items: center;
        gap: 18px;
        max-width: 640px;
        margin: clamp(8px, 6vh, 64px) auto 0;
        padding: 34px 28px 28px;
        border: 1px solid var(--line);
        border-radius: 24px;
        background: var(--surface);
        box-shadow: var(--shadow);
        text-align: center;
      }
      .title {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        justify-content: center;
        gap: 8px 12px;
      }
      tributary-level-river {
        width: 100%;
      }
      .play {
        display: grid;
        place-items: center;
        width: 84px;
        height: 84px;
        padding: 0;
        border-radius: 50%;
        background: var(--primary);
        color: var(--on-primary);
        transition: background-color 120ms;
      }
      .play:hover:not(:disabled) {
        background: var(--primary-hover);
      }
      .state {
        min-height: 3em;
        max-width: 40ch;
        color: var(--text-soft);
        text-wrap: balance;
      }
      .heard {
        display: grid;
        gap: 2px;
        /* Two lines whether or not anybody speaks: nothing jumps. */
        min-height: 3.2em;
        margin-top: -14px;
        max-width: 100%;
        overflow-wrap: anywhere;
        text-wrap: balance;
      }
      .heard b {
        font-size: 1.12rem;
      }
      .heard .nobody {
        color: var(--text-soft);
        font-weight: 400;
      }
      .heard small {
        color: var(--text-soft);
        font-size: 0.9rem;
        font-variant-numeric: tabular-nums;
      }
      .volume {
        display: flex;
        align-items: center;
        gap: 10px;
        width: min(280px, 100%);
        color: var(--text-soft);
      }
      .volume input {
        flex: 1;
        min-width: 0;
        height: 28px;
        accent-color: var(--primary);
      }
      .other {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        justify-content: center;
        gap: 4px 10px;
        max-width: 640px;
        margin: 18px auto 0;
        color: var(--text-soft);
        font-size: 0.92rem;
      }
      .other code {
        font: 0.88rem var(--mono);
        overflow-wrap: anywhere;
      }
      /* Phones have keys for it, and iOS lets no page touch it. */
      @media (hover: none) {
        .volume {
          display: none;
        }
      }
    `,
  ];
  declare room: string;
  declare volume: number;
  declare copied: boolean;
  readonly #sound = new LiveSound(this);
  readonly #heard = new HeardNow(this);

  constructor() {
    super();
    this.volume = 1;
    this.copied = false;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    if ("mediaSession" in navigator) navigator.mediaSession.metadata = null;
  }

  protected override updated(changed: PropertyValues<this>): void {
    const audio = this.renderRoot.querySelector("audio");
    if (audio && changed.has("room")) this.#sound.attach(audio, mp3Path(this.room));
    if (audio && changed.has("volume")) audio.volume = this.volume;
    const isPlaying = this.#sound.state === "playing";
    this.#heard.follow(isPlaying ? nowHeardPath(this.room) : "");
    if (isPlaying) this.#tellSystem();
  }

  override render() {
    const { room } = this;
    if (room === "") {
      return html`${pageHead("listen", "")}
        <main><h1>Which room would you like to hear?</h1>
          <tributary-room-question page="listen"></tributary-room-question></main>`;
    }
    const { state, wanted } = this.#sound;
    const onAir = state === "ready" || state === "starting" || state === "playing" || state === "full";
    return html`${pageHead("listen", room)}
      <main>
        <section class="card" aria-label="Player">
          <div class="title">
            <h1>${room}</h1>
            ${onAir ? html`<span class="mark-live">ON AIR</span>` : nothing}
            ${state === "off-air" ? html`<span class="mark-live off">OFF AIR</span>` : nothing}
          </div>
          <audio crossorigin="anonymous" preload="none"></audio>
          <tributary-level-river
            .audio=${this.renderRoot.querySelector("audio") ?? undefined}
            ?running=${state === "playing"}
          ></tributary-level-river>
          <button class="play" aria-label=${wanted ? "Stop" : "Play"} title=${wanted ? "Stop" : "Play"} @click=${this.#toggle}>
            ${icon(wanted ? "stop" : "play", 38)}
          </button>
          <p class="state" role="status">${TEXTS[state]}</p>
          ${state === "playing" ? this.#whoSpeaks() : nothing}
          <label class="volume"
            >${icon("volume", 20)}<span class="unseen">Volume</span
            ><input type="range" min="0" max="1" step="0.02" .value=${String(this.volume)} @input=${this.#setVolume}
          /></label>
        </section>
        <p class="other">
          For a radio or another player: <code>${location.origin}${mp3Path(room)}</code>
          <button class="icon-button" aria-label="Copy the stream's address" title="Copy" @click=${this.#copy}>
            ${icon(this.copied ? "check" : "copy", 18)}
          </button>
        </p>
        <p class="unseen" aria-live="polite">${this.copied ? "Address copied." : ""}</p>
      </main>`;
  }

  #whoSpeaks() {
    const { heard } = this.#heard;
    if (heard === undefined) return html`<p class="heard"></p>`;
    const { speaking, listeners } = heard;
    return html`<p class="heard">
      <b class=${speaking.length === 0 ? "nobody" : ""}>${speakingText(speaking)}</b>
      <small>${listenersText(listeners)}</small>
    </p>`;
  }

  #toggle = (): void => {
    if (this.#sound.wanted) this.#sound.stop();
    else this.#sound.play();
    this.requestUpdate();
  };

  #setVolume = (event: Event): void => {
    this.volume = (event.target as HTMLInputElement).valueAsNumber;
  };

  #copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(location.origin + mp3Path(this.room));
      this.copied = true;
    } catch {
      this.copied = false; // Forbidden here; the address stands there to be selected.
    }
  };

  /** Title and keys on the lock screen and on headphones. */
  #tellSystem(): void {
    if (!("mediaSession" in navigator)) return;
    const { mediaSession } = navigator;
    if (mediaSession.metadata?.title === this.room) return;
    mediaSession.metadata = new MediaMetadata({ title: this.room, artist: "Tributary, live" });
    const stop = (): void => {
      this.#sound.stop();
      this.requestUpdate();
    };
    for (const action of ["pause", "stop"] as const) mediaSession.setActionHandler(action, stop);
    mediaSession.setActionHandler("play", this.#toggle);
  }
}

customElements.define("tributary-listen", ListenPage);
