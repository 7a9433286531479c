/** /history/<id>: plays one recording and says what is known of it; its files, to download; to delete. */
import { html, LitElement, nothing, type PropertyValues } from "lit";
import type { RecordingInfo } from "../../../core/wire/bridge-jobs.ts";
import { icon } from "../icons.ts";
import { hueOf, initialsOf } from "../person-mark.ts";
import { audienceStyles } from "../styles/audience.ts";
import { controls } from "../styles/controls.ts";
import { historyStyles } from "../styles/history.ts";
import { recordingStyles } from "../styles/recording.ts";
import { historyPath } from "./audience-route.ts";
import "./credential-form.ts";
import "./delete-dialog.ts";
import type { DeleteDialog } from "./delete-dialog.ts";
import { pageHead } from "./page-head.ts";
import { Playback } from "./playback.ts";
import { clockText, qualityText, sizeText } from "./player-text.ts";
import { dateText, mediaUrl, stateText } from "./recordings.ts";
import { RecordingsController } from "./recordings-controller.ts";
import "./stream-player.ts";

class RecordingPage extends LitElement {
  static override properties = { recordingId: {} };
  static override styles = [controls, audienceStyles, historyStyles, recordingStyles];
  declare recordingId: string;
  readonly #recordings = new RecordingsController(this);
  readonly #playback = new Playback(this, false);

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("recordingId")) this.#recordings.loadOne(this.recordingId);
  }

  override render() {
    const { view } = this.#recordings;
    const recording =
      view.kind === "ready" ? view.page.recordings.find((one) => one.id === this.recordingId) : undefined;
    return html`${pageHead("history", recording?.room ?? "")}
      <main>
        ${recording === undefined ? this.#instead() : this.#recording(recording)}
        <tributary-delete></tributary-delete>
      </main>`;
  }

  #instead() {
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
        return html`<div class="empty" role="status">
          ${icon("record", 44)}
          <h1>There is no such recording</h1>
          <p class="soft">It may have been deleted, or its time was up.</p>
          <a class="button" href=${historyPath("")}>${icon("back", 20)} All recordings</a>
        </div>`;
    }
  }

  #recording(recording: RecordingInfo) {
    const { problem } = this.#recordings;
    const date = dateText(recording.startedAt);
    const state = stateText(recording.state);
    const download = mediaUrl(recording.downloadPath, location.origin);
    return html`<div class="title">
        <a class="icon-button" href=${historyPath(recording.room)} aria-label="All recordings of ${recording.room}" title="Back">${icon("back")}</a>
        <h1>${recording.room}</h1>
        ${state === "" ? nothing : html`<span class="mark-live ${recording.state === "recording" ? "" : "off"}">${state}</span>`}
      </div>
      ${problem === "" ? nothing : html`<p class="refused" role="alert">${problem}</p>`}
      <div class="columns">
        <tributary-player
          .playback=${this.#playback}
          .name=${`${recording.room}, ${date}`}
          .poster=${mediaUrl(recording.posterPath, location.origin)}
          .url=${mediaUrl(recording.playlistPath, location.origin)}
        ></tributary-player>
        <section class="about" aria-label="About this recording">
          ${this.#facts(recording, date)} ${this.#people(recording)}
          <div class="acts">
            ${
              download === ""
                ? nothing
                : html`<a class="button primary" href=${download} download>${icon("download", 20)} Download</a>`
            }
            <button class="button" ?disabled=${recording.state === "recording"} title=${recording.state === "recording" ? "It is still being recorded: stop that first" : nothing} @click=${() => this.#remove(recording)}>${icon("delete", 20)} Delete</button>
          </div>
        </section>
      </div>`;
  }

  #facts(recording: RecordingInfo, date: string) {
    const { quality, open } = this.#playback;
    const facts: [string, string][] = [
      ["Recorded", date],
      ["Duration", clockText(recording.durationMs / 1000)],
      ["Size", sizeText(recording.bytes)],
    ];
    if (open && (quality.width > 0 || this.#playback.soundOnly))
      facts.push(["Quality", qualityText(quality)]);
    return html`<dl>${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
      ${
        recording.state === "interrupted"
          ? html`<p class="soft">It broke off and was not ended by anybody. What was recorded until then is here.</p>`
          : nothing
      }`;
  }

  #people(recording: RecordingInfo) {
    if (recording.participants.length === 0) return html`<p class="soft">Nobody was heard or seen.</p>`;
    return html`<h2>People</h2>
      <ul class="people">
        ${recording.participants.map((person) => {
          const files = recording.files.filter((one) => one.identity === person.identity);
          return html`<li>
            <span class="avatar" aria-hidden="true" style="--hue: ${hueOf(person.identity)}">${initialsOf(person.name)}</span>
            <span class="who">${person.name}</span>
            ${files.length === 0 ? nothing : html`<span class="files">${files.map((file) => this.#file(file))}</span>`}
          </li>`;
        })}
      </ul>
      ${
        recording.files.length === 0
          ? nothing
          : html`<p class="soft hint">A person’s file has their microphone and camera alone. The time says where it begins in the recording.</p>`
      }`;
  }

  #file({ name, startMs, bytes, downloadPath }: RecordingInfo["files"][number]) {
    const url = mediaUrl(downloadPath, location.origin);
    if (url === "") return nothing;
    const from = clockText(startMs / 1000);
    return html`<a class="file" href=${url} download aria-label="Download what ${name} said and showed, from ${from} on, ${sizeText(bytes)}"
      >${icon("download", 18)} <span class="from">${from}</span> ${sizeText(bytes)}</a
    >`;
  }

  async #remove(recording: RecordingInfo): Promise<void> {
    const dialog = this.renderRoot.querySelector<DeleteDialog>("tributary-delete");
    if (!(await dialog?.ask(recording)) || !(await this.#recordings.remove(recording.id))) return;
    const detail = historyPath(recording.room);
    this.dispatchEvent(new CustomEvent("go", { detail, bubbles: true, composed: true }));
  }
}

customElements.define("tributary-recording", RecordingPage);
