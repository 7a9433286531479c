/** One participant or one shared screen: picture or initials, name, muted sign, speaking ring, figures when wanted. */
import { html, LitElement, nothing } from "lit";
import type { LocalTrack, RemoteTrack } from "../../sdk/api.ts";
import { icon } from "../icons.ts";
import { hueOf, initialsOf } from "../person-mark.ts";
import type { TileFigures } from "../stats-text.ts";
import { controls } from "../styles/controls.ts";
import { tileStyles } from "../styles/tile.ts";
import type { Tile } from "../tiles.ts";

class VideoTile extends LitElement {
  static override properties = {
    tile: { attribute: false },
    figures: { attribute: false },
    pinned: { type: Boolean },
    small: { type: Boolean, reflect: true },
  };
  static override styles = [controls, tileStyles];
  declare tile: Tile;
  declare figures: TileFigures | undefined;
  declare pinned: boolean;
  declare small: boolean;
  #shown: RemoteTrack | LocalTrack | undefined;
  #element: HTMLElement | undefined;
  /** What a preview plays; switching a camera changes it under the same track. */
  #previewed: MediaStreamTrack | undefined;

  constructor() {
    super();
    this.pinned = false;
    this.small = false;
  }

  override render() {
    const { tile } = this;
    const name = labelOf(tile);
    return html`<article class=${tile.speaking ? "tile speaking" : "tile"} aria-label=${spokenLabel(tile)}>
      ${tile.picture === undefined ? this.#avatar() : nothing}
      <div class="picture"></div>
      <div class="ring"></div>
      <div class="label">
        ${tile.kind === "camera" && tile.microphone !== "on" ? html`<span class="off">${icon("microphone-off", 16)}</span>` : nothing}
        ${tile.kind === "screen" ? icon("screen", 16) : nothing}
        <span class="name">${name}</span>
      </div>
      <button
        class="pin"
        aria-pressed=${this.pinned}
        aria-label=${this.pinned ? `Stop showing ${name} large` : `Show ${name} large`}
        title=${this.pinned ? "Back to the grid" : "Show large"}
        @click=${this.#togglePin}
      >
        ${icon("pin", 18)}
      </button>
      ${this.figures === undefined ? nothing : figureTable(this.figures)}
    </article>`;
  }

  protected override updated(): void {
    this.#present(this.tile.picture);
    this.#fit();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#present(undefined);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.hasUpdated) this.requestUpdate();
  }

  #avatar() {
    const { tile } = this;
    return html`<div class=${tile.problem === "" ? "stand-in" : "stand-in explained"} aria-hidden="true">
      <span class="avatar" style="--hue: ${hueOf(tile.identity)}">${initialsOf(tile.name)}</span>
      ${tile.problem === "" ? nothing : html`<p class="problem">${tile.problem}</p>`}
    </div>`;
  }

  /** Puts the track's element in, and gives the one before back. */
  #present(track: RemoteTrack | LocalTrack | undefined): void {
    const media = track === undefined || isRemote(track) ? undefined : track.mediaStreamTrack;
    if (track === this.#shown && media === this.#previewed) return;
    const before = this.#shown;
    if (this.#element !== undefined) {
      if (before !== undefined && isRemote(before)) before.detach(this.#element);
      this.#element.remove();
      this.#element = undefined;
    }
    this.#shown = track;
    this.#previewed = media;
    if (track === undefined) return;
    this.#element = isRemote(track) ? track.attach() : previewOf(track.mediaStreamTrack);
    this.renderRoot.querySelector(".picture")?.append(this.#element);
  }

  /** Screens and upright pictures are shown whole; cameras fill their tile. */
  #fit(): void {
    const element = this.#element;
    if (element === undefined) return;
    const track = this.#shown;
    const upright = track !== undefined && isRemote(track) && track.height > track.width;
    element.classList.toggle("whole", this.tile.kind === "screen" || upright);
    element.classList.toggle("mirrored", this.tile.own && this.tile.kind === "camera");
    const preview = element instanceof HTMLVideoElement ? element : undefined;
    if (preview?.paused) preview.play().catch(() => preview.setAttribute("controls", ""));
  }

  #togglePin = () => {
    this.dispatchEvent(new CustomEvent("pin", { detail: this.tile.key, bubbles: true, composed: true }));
  };
}

function figureTable(figures: TileFigures) {
  return html`<table class="figures">
    <thead>
      <tr>
        <td></td>
        ${figures.columns.map((column) => html`<th scope="col">${column}</th>`)}
      </tr>
    </thead>
    ${figures.rows.map(
      ({ label, values }) =>
        html`<tr><th scope="row">${label}</th>${values.map((value) => html`<td>${value}</td>`)}</tr>`,
    )}
  </table>`;
}

function labelOf(tile: Tile): string {
  if (tile.kind === "screen") return tile.own ? "Your screen" : `${tile.name}’s screen`;
  return tile.own ? `${tile.name} (you)` : tile.name;
}

function spokenLabel(tile: Tile): string {
  const parts = [labelOf(tile)];
  if (tile.kind === "camera") {
    if (tile.microphone !== "on") parts.push("microphone off");
    if (tile.problem === "" && tile.picture === undefined) parts.push("camera off");
    if (tile.speaking) parts.push("speaking");
  }
  if (tile.problem !== "") parts.push(tile.problem);
  return parts.join(", ");
}

function isRemote(track: RemoteTrack | LocalTrack): track is RemoteTrack {
  return "attach" in track;
}

function previewOf(track: MediaStreamTrack): HTMLVideoElement {
  const video = document.createElement("video");
  video.muted = true;
  video.autoplay = true;
  video.playsInline = true;
  video.srcObject = new MediaStream([track]);
  return video;
}

customElements.define("tributary-tile", VideoTile);
