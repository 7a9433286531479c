/** Before a call: who, which room, which devices, how one looks and sounds. Fires `join` with a JoinWish. */
import { html, LitElement, nothing, type PropertyValues } from "lit";
import type { DeviceKind } from "../device-problems.ts";
import { doctorPath } from "../doctor/doctor-route.ts";
import { icon, mark } from "../icons.ts";
import type { JoinWish } from "../joining.ts";
import { LocalPreview } from "../local-preview.ts";
import { browserStore, loadPreferences, type Preferences, savePreferences } from "../preferences.ts";
import { displayNameFrom, type Route, roomNameFrom, suggestRoomName } from "../routing.ts";
import { controls } from "../styles/controls.ts";
import { lobbyStyles } from "../styles/lobby.ts";
import "./device-select.ts";
import "./level-meter.ts";

class LobbyPage extends LitElement {
  static override properties = {
    route: { attribute: false },
    joining: { type: Boolean },
    problem: {},
    preferences: { state: true },
  };
  static override styles = [controls, lobbyStyles];
  declare route: Route;
  declare joining: boolean;
  /** Sentence: why the last try to join failed. */
  declare problem: string;
  declare preferences: Preferences;
  #preview = new LocalPreview(this);
  /** On a phone the choice of devices is folded, so that the join button is in sight. */
  #wide = matchMedia("(min-width: 821px)").matches;
  #suggestion = suggestRoomName(Math.random);

  constructor() {
    super();
    this.joining = false;
    this.problem = "";
    this.preferences = loadPreferences(browserStore());
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#startPreview();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.get("joining") === true && !this.joining) this.#startPreview();
  }

  protected override firstUpdated(): void {
    const empty = [...this.renderRoot.querySelectorAll<HTMLInputElement>("input")].find(
      (field) => field.value === "",
    );
    if (matchMedia("(hover: hover)").matches) empty?.focus();
  }

  protected override updated(changed: PropertyValues<this>): void {
    const video = this.renderRoot.querySelector("video");
    const track = this.#preview.track("camera");
    const current = video?.srcObject instanceof MediaStream ? video.srcObject.getVideoTracks()[0] : undefined;
    if (video && track !== current) video.srcObject = track === undefined ? null : new MediaStream([track]);
    if (changed.has("problem") && this.problem !== "") {
      this.renderRoot.querySelector(".refused")?.scrollIntoView({ block: "nearest" });
    }
  }

  override render() {
    return html`${streams()}
      <main>
        <div class="brand">${mark(36)}<span>Tributary</span></div>
        <div class="columns">
          ${this.#look()} ${this.#form()}
        </div>
      </main>`;
  }

  #look() {
    const on = this.#preview.track("camera") !== undefined;
    return html`<section class="look" aria-label="Preview">
      <div class="preview">
        <video autoplay muted playsinline ?hidden=${!on} aria-label="Your camera"></video>
        ${on ? nothing : html`<p class="no-picture">${icon("camera-off", 34)}<span>${this.#pictureText()}</span></p>`}
        <div class="switches">
          ${this.#switch("microphone", "Microphone")} ${this.#switch("camera", "Camera")}
        </div>
      </div>
      <div class="sound">
        ${icon("microphone", 20)}
        <tributary-level-meter .track=${this.#preview.track("microphone")}></tributary-level-meter>
      </div>
      ${this.#problem("microphone")} ${this.#problem("camera")}
    </section>`;
  }

  #pictureText(): string {
    if (!this.preferences.cameraOn) return "Camera is off";
    return this.#preview.problem("camera") === "" ? "Starting the camera…" : "No picture";
  }

  #switch(kind: DeviceKind, name: string) {
    const on = this.#wanted(kind);
    const label = `Turn ${name.toLowerCase()} ${on ? "off" : "on"}`;
    return html`<button type="button" class="switch ${on ? "" : "off"}" aria-label=${label} title=${label} @click=${() => this.#toggle(kind)}>
      ${icon(on ? kind : `${kind}-off`)}
    </button>`;
  }

  #problem(kind: DeviceKind) {
    const text = this.#preview.problem(kind);
    if (text === "") return nothing;
    return html`<p class="trouble" role="alert">
      ${icon("warning", 20)}<span>${text}</span>
      <button class="button" @click=${() => this.#preview.start(kind, this.#deviceId(kind))}>Try again</button>
    </p>`;
  }

  #form() {
    // An invitation names the person; what would be typed here counted for nothing.
    const invited = this.route.token !== "";
    const name = this.route.name || this.preferences.name;
    return html`<form class="card" @submit=${this.#submit}>
      <h1>${this.route.room === "" ? "Start or join a room" : html`Join <em>${this.route.room}</em>`}</h1>
      ${this.problem === "" ? nothing : html`<p class="refused" role="alert">${this.problem} <a href=${this.#doctorPath}>Find out why</a></p>`}
      <label ?hidden=${invited}>
        Your name
        <input class="field" name="name" autocomplete="name" maxlength="64" placeholder="How others see you" .value=${name} />
      </label>
      <label ?hidden=${invited && this.route.room !== ""}>
        Room
        <input
          class="field"
          name="room"
          autocomplete="off"
          autocapitalize="off"
          spellcheck="false"
          maxlength="80"
          placeholder=${this.#suggestion}
          aria-describedby="room-help"
          .value=${this.route.room}
        />
        <small id="room-help">${this.route.room === "" ? "Leave it empty to start this new room." : "Everybody with this name meets in the same room."}</small>
      </label>
      ${this.#deviceChoices()}
      <button class="button primary join" ?disabled=${this.joining}>${this.joining ? "Joining…" : "Join room"}</button>
      <a class="doctor" href=${this.#doctorPath}>${icon("stats", 18)} Check your connection</a>
    </form>`;
  }

  /** Of the same room and invitation. */
  get #doctorPath(): string {
    const { room, token, region } = this.route;
    return doctorPath(room, token, region);
  }

  #deviceChoices() {
    const { devices } = this.#preview;
    const speakers = "setSinkId" in AudioContext.prototype ? devices.speakers : [];
    return html`<details class="devices" ?open=${this.#wide}>
      <summary>Devices</summary>
      <tributary-device-select label="Camera" symbol="camera" .devices=${devices.cameras} .chosen=${this.preferences.cameraId}
        @device-chosen=${(event: CustomEvent<string>) => this.#choose("camera", event.detail)}></tributary-device-select>
      <tributary-device-select label="Microphone" symbol="microphone" .devices=${devices.microphones} .chosen=${this.preferences.microphoneId}
        @device-chosen=${(event: CustomEvent<string>) => this.#choose("microphone", event.detail)}></tributary-device-select>
      ${
        speakers.length === 0
          ? nothing
          : html`<tributary-device-select label="Speaker" symbol="volume" .devices=${speakers} .chosen=${this.preferences.speakerId}
              @device-chosen=${(event: CustomEvent<string>) => this.#remember({ speakerId: event.detail })}></tributary-device-select>`
      }
    </details>`;
  }

  #wanted(kind: DeviceKind): boolean {
    return kind === "camera" ? this.preferences.cameraOn : this.preferences.microphoneOn;
  }

  #deviceId(kind: DeviceKind): string {
    return kind === "camera" ? this.preferences.cameraId : this.preferences.microphoneId;
  }

  #startPreview(): void {
    for (const kind of ["camera", "microphone"] as const) {
      if (this.#wanted(kind)) void this.#preview.start(kind, this.#deviceId(kind));
    }
  }

  #toggle(kind: DeviceKind): void {
    const on = !this.#wanted(kind);
    this.#remember(kind === "camera" ? { cameraOn: on } : { microphoneOn: on });
    if (on) void this.#preview.start(kind, this.#deviceId(kind));
    else this.#preview.stop(kind);
  }

  #choose(kind: DeviceKind, deviceId: string): void {
    this.#remember(
      kind === "camera"
        ? { cameraId: deviceId, cameraOn: true }
        : { microphoneId: deviceId, microphoneOn: true },
    );
    void this.#preview.start(kind, deviceId);
  }

  #remember(change: Partial<Preferences>): void {
    this.preferences = { ...this.preferences, ...change };
    savePreferences(browserStore(), change);
  }

  #submit = (event: SubmitEvent) => {
    event.preventDefault();
    const fields = new FormData(event.target as HTMLFormElement);
    const name = displayNameFrom(String(fields.get("name") ?? ""));
    const room = roomNameFrom(String(fields.get("room") ?? "")) || this.#suggestion;
    if (name !== "") this.#remember({ name });
    const { preferences } = this;
    // Some systems lend a device to one user at a time: give ours back before the call asks for it.
    this.#preview.stop("camera");
    this.#preview.stop("microphone");
    const wish: JoinWish = {
      room,
      name: name || "Guest",
      token: this.route.token,
      microphone: { on: preferences.microphoneOn, deviceId: preferences.microphoneId },
      camera: { on: preferences.cameraOn, deviceId: preferences.cameraId },
      speakerId: preferences.speakerId,
    };
    this.dispatchEvent(new CustomEvent("join", { detail: wish }));
  };
}

/** The background: streams that run together. Decoration. */
function streams() {
  return html`<svg class="streams" viewBox="0 0 1200 800" preserveAspectRatio="xMidYMid slice" aria-hidden="true">
    <path d="M-60 120C240 120 300 330 560 400s380 190 720 190" stroke="var(--water)" stroke-width="120" />
    <path d="M1260 60C1020 60 900 210 800 330s-150 130-240 150" stroke="var(--water-deep)" stroke-width="64" />
    <path d="M-60 700C120 700 260 560 420 470s120-60 180-50" stroke="var(--water-deep)" stroke-width="40" />
  </svg>`;
}

customElements.define("tributary-lobby", LobbyPage);
