/**
 * What goes out of the room and comes in from elsewhere: a stream to watch, a radio to listen to, a recording, other
 * services, sources. Shows an OutputsController, and tells it what is pressed. Fires `close-panel`.
 */
import { html, LitElement, nothing } from "lit";
import { live } from "lit/directives/live.js";
import { repeat } from "lit/directives/repeat.js";
import type { IngestSpec, OutputSpec, PictureChoice } from "../../../core/wire/bridge-jobs.ts";
import { historyPath, listenPath, watchPath } from "../audience/audience-route.ts";
import { keepCredential, tabStore } from "../audience/credential.ts";
import { type IconName, icon } from "../icons.ts";
import { controls } from "../styles/controls.ts";
import { outputsStyles } from "../styles/outputs.ts";
import { panelStyles } from "../styles/panel.ts";
import "./copy-field.ts";
import {
  figuresText,
  ingestStateOf,
  isSamePicture,
  type PinnedPerson,
  pictureOptions,
  pictureText,
  sourceSettings,
  stateOf,
  targetFigures,
} from "./output-text.ts";
import type { RoomIngest, RoomOutput } from "./outputs-api.ts";
import type { OutputsController } from "./outputs-controller.ts";
import { targetPlace } from "./rtmp-target.ts";
import "./source-dialog.ts";
import type { SourceDialog } from "./source-dialog.ts";
import "./target-dialog.ts";
import type { TargetDialog, TargetWish } from "./target-dialog.ts";

type OwnType = Exclude<OutputSpec["type"], "rtmp">;

const OWN: readonly { type: OwnType; name: IconName; title: string; text: string }[] = [
  { type: "hls", name: "play", title: "Stream", text: "A page on which anybody can watch" },
  { type: "mp3", name: "headphones", title: "Radio", text: "The sound alone, for any player" },
  { type: "recording", name: "record", title: "Recording", text: "Kept to be watched later" },
];

class OutputsPanel extends LitElement {
  static override properties = {
    outputs: { attribute: false, hasChanged: () => true },
    room: {},
    token: {},
    eachPerson: { state: true },
    people: { attribute: false },
    picture: { state: true },
  };
  static override styles = [controls, panelStyles, outputsStyles];
  declare outputs: OutputsController;
  declare room: string;
  /** Join token; goes along to the recordings' page. */
  declare token: string;
  /** The next recording has a file for each person. */
  declare eachPerson: boolean;
  /** Everybody in the room: they may be pinned. */
  declare people: readonly PinnedPerson[];
  /** What outputs show that are started from now on. */
  declare picture: PictureChoice;

  constructor() {
    super();
    this.eachPerson = false;
    this.people = [];
    this.picture = { mode: "speaker" };
  }

  override render() {
    const { outputs } = this;
    const sent = outputs.outputs.filter(({ spec }) => spec.type === "rtmp");
    return html`<header>
        <h2>Outputs</h2>
        <button class="icon-button" aria-label="Close outputs" @click=${() => this.dispatchEvent(new CustomEvent("close-panel"))}>
          ${icon("close")}
        </button>
      </header>
      <div class="scroll">
        ${outputs.problem === "" ? nothing : html`<p class="refused" role="alert">${outputs.problem}</p>`}
        ${this.#pictureField()}
        <ul>
          ${OWN.map((own) => this.#own(own))}
        </ul>
        <section aria-labelledby="sent">
          <h3 id="sent">Other services</h3>
          <ul>${repeat(
            sent,
            ({ id }) => id,
            (output) => this.#sent(output),
          )}</ul>
          <button class="button wide" ?disabled=${outputs.busy.has("rtmp")} @click=${() => this.#dialog<TargetDialog>("target")?.open()}>
            ${icon("plus", 18)} Send to YouTube, Twitch…
          </button>
        </section>
        <section aria-labelledby="sources">
          <h3 id="sources">Sources</h3>
          <ul>${repeat(
            outputs.ingests,
            ({ id }) => id,
            (ingest) => this.#source(ingest),
          )}</ul>
          <button class="button wide" ?disabled=${outputs.busy.has("ingest")} @click=${() => this.#dialog<SourceDialog>("source")?.open()}>
            ${icon("plus", 18)} Bring in OBS or a radio
          </button>
        </section>
      </div>
      <tributary-target-dialog @target=${(event: CustomEvent<TargetWish>) => this.#send(event.detail)}></tributary-target-dialog>
      <tributary-source-dialog
        @source=${(event: CustomEvent<IngestSpec>) => this.outputs.createIngest(event.detail)}
      ></tributary-source-dialog>`;
  }

  #pictureField() {
    const options = pictureOptions(this.people);
    const chosen = options.findIndex(({ picture }) => isSamePicture(picture, this.picture));
    const isGrid = this.picture.mode === "grid";
    return html`<label class="picture"
      >Picture of what you start
      <span class="box">
        <select
          class="field"
          aria-describedby="picture-help"
          @change=${(event: Event) => {
            this.picture =
              options[(event.target as HTMLSelectElement).selectedIndex]?.picture ?? this.picture;
          }}
        >
          ${options.map(({ label }, index) => html`<option .selected=${live(index === Math.max(0, chosen))}>${label}</option>`)}
        </select>
      </span>
      <small id="picture-help"
        >${isGrid ? "Up to nine pictures side by side, 0.3 s later. Needs ffmpeg on the bridge." : "A shared screen comes first."}</small
      >
    </label>`;
  }

  /** The usual needs no saying; somebody who has left is pinned no more. */
  get #chosenPicture(): { picture?: PictureChoice } {
    const isThere = pictureOptions(this.people).some(({ picture }) => isSamePicture(picture, this.picture));
    return this.picture.mode === "speaker" || !isThere ? {} : { picture: this.picture };
  }

  #start(type: OwnType): void {
    const picture = type === "mp3" ? {} : this.#chosenPicture;
    const files = type === "recording" ? { participants: this.eachPerson && !this.#isGrid } : {};
    void this.outputs.startOutput({ type, ...picture, ...files });
  }

  /** A recording of a grid has no files of single people (bridge-jobs.ts). */
  get #isGrid(): boolean {
    return this.#chosenPicture.picture?.mode === "grid";
  }

  #own({ type, name, title, text }: (typeof OWN)[number]) {
    const running = this.outputs.outputs.filter(({ spec }) => spec.type === type);
    const [first] = running;
    return html`<li>
      <div class="row">
        <span class="sign ${first === undefined ? "" : "on"}">${icon(name, 20)}</span>
        <span class="what"><b>${title}</b>${first === undefined ? html`<small>${text}</small>` : this.#state(first)}</span>
        ${
          first === undefined
            ? html`<button class="button small" aria-label="Start ${title}" ?disabled=${this.outputs.busy.has(type)} @click=${() => this.#start(type)}>
                Start
              </button>`
            : this.#stop(first, title)
        }
      </div>
      ${running
        .slice(1)
        .map(
          (more) =>
            html`<div class="row more"><span class="what">${this.#state(more)}</span>${this.#stop(more, title)}</div>`,
        )}
      ${this.#message(first)} ${this.#ways(type, first !== undefined)}
    </li>`;
  }

  /** Where the output is to be found. */
  #ways(type: OwnType, running: boolean) {
    if (type === "recording") {
      return html`<div class="ways">
        ${
          running
            ? nothing
            : html`<label class="check"
                ><input type="checkbox" ?disabled=${this.#isGrid} .checked=${live(this.eachPerson && !this.#isGrid)} @change=${this.#eachPersonChanged} /> A file for each person</label
              >`
        }
        <a href=${historyPath(this.room)} target="_blank" rel="opener" @click=${this.#lendToken}>Recordings of this room</a>
      </div>`;
    }
    if (!running) return nothing;
    const path = type === "hls" ? watchPath(this.room) : listenPath(this.room);
    const label = type === "hls" ? "Watch page" : "Listen page";
    return html`<div class="ways">
      <tributary-copy-field .label=${label} .value=${location.origin + path}></tributary-copy-field>
      <a href=${path} target="_blank">Open the ${label.toLowerCase()}</a>
    </div>`;
  }

  #sent(output: RoomOutput) {
    if (output.spec.type !== "rtmp") return nothing;
    const { status } = output;
    return html`<li>
      ${output.spec.targets.map((target, index) => {
        const now = status?.targets?.[index];
        const title = target.name ?? targetPlace(target.url);
        const state = stateOf(now ?? status);
        const figures = now === undefined ? "" : targetFigures(now);
        return html`<div class="row">
            <span class="sign ${state.tone === "good" ? "on" : ""}">${icon("send-out", 20)}</span>
            <span class="what">
              <b>${title}</b>
              <small>${targetPlace(target.url)}</small>
              <small><span class="state ${state.tone}">${state.word}</span>${figures === "" ? "" : ` · ${figures}`}</small>
            </span>
            ${index === 0 ? this.#stop(output, title) : nothing}
          </div>
          ${now === undefined || now.message === "" ? nothing : html`<p class="message">${now.message}</p>`}`;
      })}
      ${this.#message(output)}
    </li>`;
  }

  #source(ingest: RoomIngest) {
    const title = ingest.spec.name ?? ingest.spec.identity;
    const state = ingestStateOf(ingest);
    const settings = sourceSettings(ingest);
    return html`<li>
      <div class="row">
        <span class="sign ${state.tone === "good" ? "on" : ""}">${icon(ingest.spec.type === "rtmp" ? "camera" : "microphone", 20)}</span>
        <span class="what"><b>${title}</b><small><span class="state ${state.tone}">${state.word}</span></small></span>
        <button class="icon-button" aria-label="Remove ${title}" title="Remove" ?disabled=${this.outputs.busy.has(ingest.id)} @click=${() => this.outputs.removeIngest(ingest.id)}>
          ${icon("delete", 20)}
        </button>
      </div>
      ${this.#message(ingest)}
      ${
        settings.length === 0
          ? nothing
          : html`<details ?open=${ingest.status?.state !== "running"}>
              <summary>${ingest.spec.type === "rtmp" ? "Settings for OBS" : "Settings for the source"}</summary>
              <div class="settings">
                ${
                  ingest.spec.type === "rtmp"
                    ? html`<small>In OBS: Settings, Stream, Service “Custom…”. Keyframe interval 2 s, no B‑frames.</small>`
                    : nothing
                }
                ${settings.map(
                  ({ label, value, secret }) =>
                    html`<tributary-copy-field .label=${label} .value=${value} .secret=${secret}></tributary-copy-field>`,
                )}
              </div>
            </details>`
      }
    </li>`;
  }

  #state(output: RoomOutput) {
    const { word, tone } = stateOf(output.status);
    const figures = [figuresText(output.spec, output.status), pictureText(output.spec, this.people)]
      .filter((part) => part !== "")
      .join(" · ");
    return html`<small><span class="state ${tone}">${word}</span>${figures === "" ? "" : ` · ${figures}`}</small>`;
  }

  #message(job: RoomOutput | RoomIngest | undefined) {
    const message = job?.status?.message ?? "";
    return message === "" ? nothing : html`<p class="message">${message}</p>`;
  }

  #stop(output: RoomOutput, title: string) {
    return html`<button class="button small" aria-label="Stop ${title}" ?disabled=${this.outputs.busy.has(output.id)} @click=${() => this.outputs.stopOutput(output.id)}>
      Stop
    </button>`;
  }

  #eachPersonChanged = (event: Event): void => {
    this.eachPerson = (event.target as HTMLInputElement).checked;
  };

  #send({ name, url }: TargetWish): void {
    void this.outputs.startOutput({
      type: "rtmp",
      targets: [name === "" ? { url } : { name, url }],
      ...this.#chosenPicture,
    });
  }

  /** The tab that opens starts with a copy of this one's storage: the page of recordings asks for no key. */
  #lendToken = (): void => keepCredential(tabStore(), this.token);

  #dialog<Dialog extends HTMLElement>(name: "target" | "source"): Dialog | null {
    return this.renderRoot.querySelector<Dialog>(`tributary-${name}-dialog`);
  }
}

customElements.define("tributary-outputs", OutputsPanel);
