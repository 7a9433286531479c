/** /history: recordings with picture, date, length, people and size; to play, download and delete. */
import { html, LitElement, nothing, type PropertyValues } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { RecordingInfo } from "../../../core/wire/bridge-jobs.ts";
import { icon } from "../icons.ts";
import { roomNameFrom } from "../routing.ts";
import { audienceStyles } from "../styles/audience.ts";
import { controls } from "../styles/controls.ts";
import { historyStyles } from "../styles/history.ts";
import { historyPath, recordingPath } from "./audience-route.ts";
import "./credential-form.ts";
import "./delete-dialog.ts";
import type { DeleteDialog } from "./delete-dialog.ts";
import { pageHead } from "./page-head.ts";
import { clockText, sizeText, spokenTime } from "./player-text.ts";
import { dateText, filesText, mediaUrl, peopleText, type RecordingsPage, stateText } from "./recordings.ts";
import { RecordingsController } from "./recordings-controller.ts";

class HistoryPage extends LitElement {
  static override properties = { room: {} };
  static override styles = [controls, audienceStyles, historyStyles];
  /** Empty: of all rooms. */
  declare room: string;
  readonly #recordings = new RecordingsController(this);

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("room")) this.#recordings.loadRoom(this.room);
  }

  override render() {
    const { view, problem } = this.#recordings;
    return html`${pageHead("history", this.room)}
      <main>
        <div class="title">
          <h1>${this.room === "" ? "Recordings" : html`Recordings of ${this.room}`}</h1>
          ${view.kind === "locked" ? nothing : this.#filter()}
        </div>
        ${problem === "" ? nothing : html`<p class="refused" role="alert">${problem}</p>`} ${this.#body()}
        <tributary-delete></tributary-delete>
      </main>`;
  }

  #body() {
    const { view } = this.#recordings;
    switch (view.kind) {
      case "loading":
        return html`<p class="soft" role="status">Loading…</p>`;
      case "locked":
        return html`<tributary-credential
          .refusal=${view.refusal}
          @credential=${(event: CustomEvent<string>) => this.#recordings.unlock(event.detail)}
        ></tributary-credential>`;
      case "failed":
        return html`<div class="empty" role="alert">
          ${icon("warning", 40)}
          <p>${view.problem}</p>
          <button class="button" @click=${this.#recordings.retry}>Try again</button>
        </div>`;
      case "ready":
        return view.page.recordings.length === 0 ? this.#empty() : this.#list(view.page);
    }
  }

  #empty() {
    return html`<div class="empty">
      ${icon("record", 44)}
      <p><b>${this.room === "" ? "Nothing has been recorded yet." : `Nothing of ${this.room} has been recorded yet.`}</b></p>
      <p class="soft">A host starts a recording in the room, under Outputs. It appears here while it is being made.</p>
    </div>`;
  }

  #list({ recordings, next, unreachable }: RecordingsPage) {
    return html`${
      unreachable.length === 0
        ? nothing
        : html`<p class="partial" role="status">${icon("warning", 20)} A part of the server does not answer: some recordings are missing here.</p>`
    }
      <ul>
      ${repeat(
        recordings,
        (recording) => recording.id,
        (recording) => this.#card(recording),
      )}
    </ul>
    ${next === undefined ? nothing : html`<button class="button more" @click=${this.#recordings.more}>Show older ones</button>`}`;
  }

  #card(recording: RecordingInfo) {
    const poster = mediaUrl(recording.posterPath, location.origin);
    const download = mediaUrl(recording.downloadPath, location.origin);
    const date = dateText(recording.startedAt);
    const seconds = recording.durationMs / 1000;
    const state = stateText(recording.state);
    const name = `${recording.room}, ${date}`;
    const isBeingMade = recording.state === "recording";
    return html`<li class="card">
      <a class="picture" href=${recordingPath(recording.id)} aria-label="Play ${name}, ${spokenTime(seconds)}">
        ${icon(recording.hasPicture ? "play" : "headphones", 44)}
        ${poster === "" ? nothing : html`<img src=${poster} alt="" loading="lazy" crossorigin="anonymous" @error=${hide} />`}
        ${state === "" ? nothing : html`<span class="state ${recording.state}">${state}</span>`}
        <span class="length">${clockText(seconds)}</span>
      </a>
      <div class="text">
        <a class="name" href=${recordingPath(recording.id)} tabindex="-1">${recording.room}</a>
        <span>${date}</span>
        <span title=${recording.participants.map((one) => one.name).join(", ")}>${peopleText(recording.participants)}</span>
      </div>
      <div class="foot">
        <span>${sizeText(recording.bytes)}</span>
        ${
          recording.files.length === 0
            ? nothing
            : html`<a class="files" href=${recordingPath(recording.id)} aria-label="Files of single people in ${name}">+ ${filesText(recording.files.length)}</a>`
        }
        <span class="space"></span>
        ${
          download === ""
            ? nothing
            : html`<a class="icon-button" href=${download} download aria-label="Download ${name}" title="Download">${icon("download", 20)}</a>`
        }
        <button class="icon-button" aria-label="Delete ${name}" title=${isBeingMade ? "It is still being recorded: stop that first" : "Delete"} ?disabled=${isBeingMade} @click=${() => this.#remove(recording)}>
          ${icon("delete", 20)}
        </button>
      </div>
    </li>`;
  }

  #filter() {
    return html`<form role="search" @submit=${this.#filtered}>
      <label
        ><span class="unseen">Room</span
        ><input class="field" type="search" name="room" placeholder="All rooms" autocapitalize="off" spellcheck="false" .value=${this.room}
      /></label>
      <button class="button">Show</button>
    </form>`;
  }

  #filtered = (event: SubmitEvent): void => {
    event.preventDefault();
    const room = roomNameFrom(String(new FormData(event.target as HTMLFormElement).get("room") ?? ""));
    this.dispatchEvent(new CustomEvent("go", { detail: historyPath(room), bubbles: true, composed: true }));
  };

  async #remove(recording: RecordingInfo): Promise<void> {
    const dialog = this.renderRoot.querySelector<DeleteDialog>("tributary-delete");
    if (await dialog?.ask(recording)) await this.#recordings.remove(recording.id);
  }
}

/** A poster that does not load leaves the sign behind it. */
function hide(event: Event): void {
  (event.target as HTMLElement).hidden = true;
}

customElements.define("tributary-history", HistoryPage);
