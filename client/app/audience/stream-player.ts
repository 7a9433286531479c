/** Picture and controls of a stream: shows a Playback, whose owner is the page around it, and tells it what people press. */
import { html, LitElement, nothing, type PropertyValues } from "lit";
import { icon, mark } from "../icons.ts";
import { isTyping } from "../shortcuts.ts";
import { controls } from "../styles/controls.ts";
import { playerStyles } from "../styles/player.ts";
import type { Playback } from "./playback.ts";
import { playbackText, type StateText } from "./playback-text.ts";
import { type PlayerAction, playerActionOf } from "./player-keys.ts";
import { clockText, spokenTime } from "./player-text.ts";

const STEP_S = 5;
/** Without a move of the pointer the controls of a running stream go away after: milliseconds. */
const IDLE_MS = 3_000;
/** Less than this to seek in is not worth a bar: seconds. */
const SHORTEST_BAR_S = 10;

type AppleVideo = HTMLVideoElement & { webkitEnterFullscreen?: () => void };

class StreamPlayer extends LitElement {
  static override properties = {
    playback: { attribute: false, hasChanged: () => true },
    url: {},
    poster: {},
    name: {},
    live: { type: Boolean },
    idle: { state: true },
  };
  static override styles = [controls, playerStyles];
  declare playback: Playback;
  declare url: string;
  /** Shown until the first picture; empty = none. */
  declare poster: string;
  /** What is played, for screen readers and for sound without a picture. */
  declare name: string;
  /** A room's stream, not a recording. */
  declare live: boolean;
  declare idle: boolean;
  #idleTimer: number | undefined;

  constructor() {
    super();
    this.poster = "";
    this.idle = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener("keydown", this.#keyDown);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener("keydown", this.#keyDown);
    window.clearTimeout(this.#idleTimer);
  }

  protected override updated(changed: PropertyValues<this>): void {
    const video = this.#video;
    if (video && changed.has("url")) this.playback.start(video, this.url);
  }

  override render() {
    const { playback } = this;
    const text = playbackText(playback.state, this.live);
    const isIdle = this.idle && playback.state === "playing";
    return html`<div
      class="frame ${isIdle ? "idle" : ""}"
      role="region"
      aria-label="Player"
      @pointermove=${this.#wake}
      @pointerdown=${this.#wake}
      @focusin=${this.#wake}
    >
      <video
        playsinline
        poster=${this.poster || nothing}
        aria-label=${this.name}
        @click=${this.#pictureClicked}
        @dblclick=${() => this.#act("full-screen")}
      ></video>
      ${playback.soundOnly ? this.#calm() : nothing} ${text === undefined || text.title === "" ? nothing : this.#say(text)}
      ${
        playback.needsTap
          ? html`<button class="button primary tap" @click=${() => playback.unmute()}>${icon("volume-off", 20)} Tap for sound</button>`
          : nothing
      }
      ${
        playback.open && playback.state === "paused"
          ? html`<button class="begin" aria-label="Play" tabindex="-1" @click=${() => playback.toggle()}>${icon("play", 34)}</button>`
          : nothing
      }
      ${playback.open ? this.#controls() : nothing}
    </div>`;
  }

  #say(text: StateText) {
    const { state } = this.playback;
    const busy = state === "connecting" || state === "stalled";
    return html`<div class="say ${this.playback.open || this.poster !== "" ? "" : "over-nothing"}" role="status">
      ${busy ? html`<span class="spinner"></span>` : nothing}
      <h2>${text.title}</h2>
      ${text.text === "" ? nothing : html`<p>${text.text}</p>`}
      ${
        state === "finished" && this.live
          ? html`<button class="button" @click=${() => this.playback.replay()}>${icon("again", 20)} Watch from the start</button>`
          : nothing
      }
    </div>`;
  }

  /** For sound without a picture: something that moves slowly, and the name. */
  #calm() {
    return html`<div class="calm">
      <svg class="streams" viewBox="0 0 1200 675" preserveAspectRatio="xMidYMid slice" aria-hidden="true">
        <path d="M-140 110C240 120 300 330 560 400s380 130 780 130" stroke="#12393a" stroke-width="120" />
        <path d="M1340 50C1020 60 900 210 800 330s-150 130-240 150" stroke="#164a49" stroke-width="54" />
      </svg>
      ${mark(64)}
      <p>${this.name}</p>
    </div>`;
  }

  #controls() {
    const { playback } = this;
    const muted = playback.video?.muted === true;
    const running = playback.state === "playing" || playback.state === "stalled";
    const toggle = playback.state === "finished" ? "Play again" : running ? "Pause" : "Play";
    return html`<div class="controls">
      ${this.#bar()}
      <div class="row">
        ${this.#button(running ? "pause" : playback.state === "finished" ? "again" : "play", `${toggle} (K)`, () => playback.toggle())}
        ${this.#button(muted ? "volume-off" : "volume", muted ? "Sound on (M)" : "Sound off (M)", () => playback.toggleMuted())}
        ${this.#volume(muted)}
        ${playback.isLive ? this.#liveMark() : this.#time()}
        <span class="space"></span>
        ${
          document.pictureInPictureEnabled === true && !playback.soundOnly
            ? this.#button("small-window", "Picture in picture (P)", () => this.#act("small-window"))
            : nothing
        }
        ${this.#button("full-screen", "Full screen (F)", () => this.#act("full-screen"))}
      </div>
    </div>`;
  }

  #button(name: Parameters<typeof icon>[0], label: string, act: () => void) {
    return html`<button class="icon-button" aria-label=${label.replace(/ \(.*/, "")} title=${label} @click=${act}>${icon(name)}</button>`;
  }

  #volume(muted: boolean) {
    const volume = muted ? 0 : (this.playback.video?.volume ?? 1);
    return html`<input
      class="volume"
      type="range"
      min="0"
      max="1"
      step="0.05"
      aria-label="Volume"
      style="--done: ${volume * 100}%"
      .value=${String(volume)}
      @input=${(event: Event) => this.playback.setVolume((event.target as HTMLInputElement).valueAsNumber)}
    />`;
  }

  #liveMark() {
    if (this.playback.atLive) return html`<span class="live now">LIVE</span>`;
    return html`<button class="live" title="Go live (L)" @click=${() => this.playback.goLive()}>Go live</button>`;
  }

  #time() {
    const { startS, endS } = this.playback.window;
    return html`<span class="time">${clockText(this.playback.positionS - startS)} / ${clockText(endS - startS)}</span>`;
  }

  #bar() {
    const { playback } = this;
    const { startS, endS } = playback.window;
    const lengthS = endS - startS;
    if (lengthS < (playback.isLive ? SHORTEST_BAR_S : 0.1)) return nothing;
    const atS = playback.atLive ? lengthS : Math.min(lengthS, Math.max(0, playback.positionS - startS));
    const spoken = playback.isLive
      ? playback.atLive
        ? "live"
        : `${spokenTime(lengthS - atS)} behind live`
      : `${spokenTime(atS)} of ${spokenTime(lengthS)}`;
    return html`<input
      class="seek"
      type="range"
      min="0"
      max=${lengthS.toFixed(1)}
      step="0.1"
      aria-label="Position"
      aria-valuetext=${spoken}
      style="--done: ${((atS / lengthS) * 100).toFixed(2)}%"
      .value=${atS.toFixed(1)}
      @input=${(event: Event) => playback.seekTo(startS + (event.target as HTMLInputElement).valueAsNumber)}
    />`;
  }

  get #video(): AppleVideo | null {
    return this.renderRoot.querySelector("video");
  }

  #act(action: PlayerAction): void {
    const { playback } = this;
    switch (action) {
      case "toggle":
        return playback.toggle();
      case "mute":
        return playback.toggleMuted();
      case "live":
        return playback.goLive();
      case "back":
        return playback.seekTo(playback.positionS - STEP_S);
      case "on":
        return playback.seekTo(playback.positionS + STEP_S);
      case "full-screen":
        return void this.#toggleFullScreen();
      case "small-window":
        return void this.#toggleSmallWindow();
    }
  }

  async #toggleFullScreen(): Promise<void> {
    const frame = this.renderRoot.querySelector(".frame");
    if (document.fullscreenElement !== null) return document.exitFullscreen();
    // iPhones show nothing but a <video> on the whole screen.
    if (frame?.requestFullscreen === undefined) this.#video?.webkitEnterFullscreen?.();
    else await frame.requestFullscreen();
  }

  async #toggleSmallWindow(): Promise<void> {
    if (document.pictureInPictureElement !== null) return document.exitPictureInPicture();
    if (this.playback.open && !this.playback.soundOnly) await this.#video?.requestPictureInPicture();
  }

  #keyDown = (event: KeyboardEvent): void => {
    const target = event.composedPath()[0];
    if (isTyping(target) && !(target instanceof HTMLInputElement && target.type === "range")) return;
    const action = playerActionOf(event, target instanceof HTMLElement ? target.localName : "");
    if (action === undefined || !this.playback.open) return;
    event.preventDefault();
    this.#wake();
    this.#act(action);
  };

  /** A finger on the picture brings the controls; a mouse has them already. */
  #pictureClicked = (event: PointerEvent): void => {
    if (event.pointerType !== "touch") this.playback.toggle();
  };

  #wake = (): void => {
    this.idle = false;
    window.clearTimeout(this.#idleTimer);
    this.#idleTimer = window.setTimeout(() => {
      // Who goes through the controls by keyboard needs to see where.
      this.idle = this.renderRoot.querySelector(".controls :focus-visible") === null;
    }, IDLE_MS);
  };
}

customElements.define("tributary-player", StreamPlayer);
