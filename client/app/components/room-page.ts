/**
 * The room during a call: puts tiles, controls and panels together and turns what people press into calls on the
 * Room. What the Room reports comes back through RoomController. Fires `room-ended` with a RoomEnd and `left`.
 */
import { html, LitElement, nothing, type PropertyValues } from "lit";
import type { RemoteParticipant, Room } from "../../sdk/api.ts";
import { icon, mark } from "../icons.ts";
import { pinnedPeople } from "../outputs/output-text.ts";
import { OutputsController } from "../outputs/outputs-controller.ts";
import "../outputs/outputs-panel.ts";
import { browserStore, loadPreferences, savePreferences } from "../preferences.ts";
import { RoomController } from "../room-controller.ts";
import { inviteLink } from "../routing.ts";
import { actionOf, isTyping } from "../shortcuts.ts";
import { StatsController } from "../stats-controller.ts";
import { connectionFigures } from "../stats-text.ts";
import { controls } from "../styles/controls.ts";
import { roomStyles } from "../styles/room.ts";
import { tilesOf } from "../tiles.ts";
import "./chat-panel.ts";
import type { BarAction, BarState } from "./control-bar.ts";
import "./control-bar.ts";
import "./help-dialog.ts";
import type { HelpDialog } from "./help-dialog.ts";
import "./people-panel.ts";
import "./settings-dialog.ts";
import type { DeviceChoice, SettingsDialog } from "./settings-dialog.ts";
import "./tile-area.ts";
import "./toast-list.ts";

export class RoomPage extends LitElement {
  static override properties = {
    room: { attribute: false },
    token: {},
    notices: { attribute: false },
    panel: { state: true },
    pinnedKey: { state: true },
    speakerId: { state: true },
    busy: { state: true },
  };
  static override styles = [controls, roomStyles];
  declare room: Room;
  /** Join token for the room's outputs; empty where they are not for us to see. */
  declare token: string;
  /** Sentences from joining (a missing camera); shown once. */
  declare notices: readonly string[];
  declare panel: BarState["panel"];
  declare pinnedKey: string;
  declare speakerId: string;
  declare busy: ReadonlySet<string>;
  #controller = new RoomController(this, (end) => {
    this.dispatchEvent(new CustomEvent("room-ended", { detail: end }));
  });
  #outputs = new OutputsController(this);
  #stats = new StatsController(this, (error) => void this.#controller.attempt(Promise.reject(error)));

  constructor() {
    super();
    this.token = "";
    this.notices = [];
    this.panel = "none";
    this.pinnedKey = "";
    this.speakerId = loadPreferences(browserStore()).speakerId;
    this.busy = new Set();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener("keydown", this.#keyDown);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener("keydown", this.#keyDown);
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("room")) this.#controller.follow(this.room);
    if (changed.has("room") || changed.has("token")) this.#outputs.follow(this.room.name, this.token);
    if (changed.has("notices")) for (const text of this.notices) this.#controller.notify(text, "warning");
  }

  override render() {
    const { room } = this;
    const tiles = tilesOf(room);
    return html`<header>
        ${this.#top()} ${this.#statsLine()}
        ${
          this.#controller.reconnecting === ""
            ? nothing
            : html`<p class="banner" role="alert">
                <span class="spinner"></span> <b>Reconnecting…</b> ${this.#controller.reconnecting}
              </p>`
        }
      </header>
      <main class="middle ${this.panel === "none" ? "" : "with-panel"}">
        <tributary-tile-area
          .tiles=${tiles}
          .pinnedKey=${this.pinnedKey}
          .look=${this.#stats.now}
          .lookBefore=${this.#stats.before}
          @pin=${(event: CustomEvent<string>) => this.#pin(event.detail)}
        ></tributary-tile-area>
        ${tiles.length <= 1 && room.participants.size === 0 && this.panel === "none" ? this.#lonely() : nothing}
        ${this.#panel()}
        ${
          this.#controller.soundBlocked
            ? html`<button class="button primary sound" @click=${this.#startAudio}>${icon("volume")} Click to turn sound on</button>`
            : nothing
        }
      </main>
      <footer class="foot">
        <tributary-toasts
          .notices=${this.#controller.notices}
          @dismiss=${(event: CustomEvent<number>) => this.#controller.dismiss(event.detail)}
        ></tributary-toasts>
        <tributary-control-bar
          .state=${this.#barState()}
          @action=${(event: CustomEvent<BarAction>) => this.#act(event.detail)}
        ></tributary-control-bar>
      </footer>
      <p class="unseen" aria-live="polite">${this.#controller.announcement}</p>
      <tributary-settings
        .room=${room}
        .speakerId=${this.speakerId}
        @device=${(event: CustomEvent<DeviceChoice>) => this.#switchDevice(event.detail)}
      ></tributary-settings>
      <tributary-help></tributary-help>`;
  }

  #top() {
    return html`<div class="top">
      ${mark(30)}
      <h1>${this.room.name}</h1>
      ${this.#onAir()}
      <span class="space"></span>
      <button class="button invite" @click=${() => this.#act("invite")}>${icon("link", 18)} Copy invite link</button>
    </div>`;
  }

  /** Whoever is heard and seen outside of the room should know. */
  #onAir() {
    const { recording, live } = this.#outputs.onAir;
    return html`<span class="on-air" role="status"
      >${recording ? html`<span title="This room is being recorded">REC<span class="unseen">, this room is being recorded</span></span>` : nothing}${
        live
          ? html`<span title="This room is streamed">LIVE<span class="unseen">, this room is streamed</span></span>`
          : nothing
      }</span
    >`;
  }

  #lonely() {
    return html`<div class="lonely">
      <span>You are the first one here.</span>
      <button class="button primary" @click=${() => this.#act("invite")}>${icon("link", 18)} Copy invite link</button>
    </div>`;
  }

  #panel() {
    const { room } = this;
    if (this.panel === "chat") {
      return html`<tributary-chat
        class="panel"
        .messages=${room.messages}
        .count=${room.messages.length}
        @send=${(event: CustomEvent<string>) => this.#controller.attempt(room.sendChat(event.detail))}
        @close-panel=${() => this.#show("none")}
      ></tributary-chat>`;
    }
    if (this.panel === "none") return nothing;
    if (this.panel === "outputs") {
      return html`<tributary-outputs
        class="panel"
        .outputs=${this.#outputs}
        .room=${room.name}
        .token=${this.token}
        .people=${pinnedPeople(room)}
        @close-panel=${() => this.#show("none")}
      ></tributary-outputs>`;
    }
    return html`<tributary-people
      class="panel"
      .room=${room}
      @mute-person=${(event: CustomEvent<RemoteParticipant>) => this.#mutePerson(event.detail)}
      @remove-person=${(event: CustomEvent<RemoteParticipant>) => this.#controller.attempt(event.detail.remove())}
      @close-panel=${() => this.#show("none")}
    ></tributary-people>`;
  }

  #statsLine() {
    const look = this.#stats.now;
    if (look === undefined) return nothing;
    return html`<dl class="stats" aria-label="Connection figures">
      ${connectionFigures(look).map((figure) => html`<div><dt>${figure.label}</dt><dd>${figure.value}</dd></div>`)}
    </dl>`;
  }

  #barState(): BarState {
    const { room } = this;
    const { grants } = room;
    const on = (source: "microphone" | "camera" | "screen") => room.localTracks.get(source)?.muted === false;
    const may = (source: "microphone" | "camera" | "screen") =>
      !grants.hidden && grants.publish.includes(source);
    return {
      microphoneOn: on("microphone"),
      cameraOn: on("camera"),
      screenOn: room.localTracks.has("screen"),
      mayMicrophone: may("microphone"),
      mayCamera: may("camera"),
      mayScreen: may("screen") && navigator.mediaDevices?.getDisplayMedia !== undefined,
      mayChat: grants.data,
      mayOutputs: this.#outputs.available,
      panel: this.panel,
      statsOpen: this.#stats.running,
      unread: this.#controller.unread,
      people: room.participants.size + (grants.hidden ? 0 : 1),
      busy: this.busy,
    };
  }

  #act(action: BarAction | "close"): void {
    switch (action) {
      case "microphone":
      case "camera":
      case "screen":
        void this.#toggleSource(action);
        break;
      case "chat":
      case "people":
      case "outputs": {
        const may = { chat: this.room.grants.data, people: true, outputs: this.#outputs.available };
        if (may[action]) this.#show(this.panel === action ? "none" : action);
        break;
      }
      case "stats":
        if (this.#stats.running) this.#stats.stop();
        else this.#stats.start(this.room);
        this.requestUpdate();
        break;
      case "settings": {
        const dialog = this.renderRoot.querySelector<SettingsDialog>("tributary-settings");
        if (dialog) void this.#controller.attempt(dialog.open());
        break;
      }
      case "help":
        this.renderRoot.querySelector<HelpDialog>("tributary-help")?.open();
        break;
      case "invite":
        void this.#copyInvite();
        break;
      case "leave":
        this.dispatchEvent(new CustomEvent("left"));
        break;
      case "close":
        this.#show("none");
        break;
    }
  }

  /** Muting keeps the microphone open so that it is back at once; a camera is really switched off. */
  async #toggleSource(source: "microphone" | "camera" | "screen"): Promise<void> {
    const { room } = this;
    const state = this.#barState();
    const may = { microphone: state.mayMicrophone, camera: state.mayCamera, screen: state.mayScreen }[source];
    if (!may || this.busy.has(source)) return;
    const track = room.localTracks.get(source);
    const preferences = loadPreferences(browserStore());
    const step = async (): Promise<unknown> => {
      if (track !== undefined && source === "microphone") return track.setMuted(!track.muted);
      if (track?.muted === true) return track.setMuted(false);
      if (track !== undefined) return track.stop();
      if (source === "screen") return room.publishScreen({ audio: true });
      if (source === "camera") return room.publishCamera(chosen(preferences.cameraId));
      return room.publishMicrophone(chosen(preferences.microphoneId));
    };
    this.busy = new Set([...this.busy, source]);
    await this.#controller.attempt(step());
    this.busy = new Set([...this.busy].filter((other) => other !== source));
  }

  async #switchDevice({ kind, deviceId }: DeviceChoice): Promise<void> {
    const { room } = this;
    const store = browserStore();
    if (kind === "speaker") {
      if (await this.#controller.attempt(room.setSpeaker(deviceId))) {
        this.speakerId = deviceId;
        savePreferences(store, { speakerId: deviceId });
      }
    } else if (kind === "camera") {
      if (await this.#controller.attempt(room.publishCamera(chosen(deviceId)))) {
        savePreferences(store, { cameraId: deviceId });
      }
    } else if (await this.#controller.attempt(room.publishMicrophone(chosen(deviceId)))) {
      savePreferences(store, { microphoneId: deviceId });
    }
  }

  #mutePerson(participant: RemoteParticipant): void {
    for (const track of participant.tracks.values()) {
      if (track.source === "microphone") void this.#controller.attempt(track.mute());
    }
  }

  async #copyInvite(): Promise<void> {
    const link = inviteLink(location.origin, this.room.name);
    try {
      await navigator.clipboard.writeText(link);
      this.#controller.notify("Invite link copied.");
    } catch {
      // The clipboard may be forbidden (embedded pages): the link itself helps as well.
      this.#controller.notify(`Invite link: ${link}`);
    }
  }

  #show(panel: BarState["panel"]): void {
    this.panel = panel;
    this.#controller.setChatOpen(panel === "chat");
    this.#outputs.setOpen(panel === "outputs");
  }

  #pin(key: string): void {
    this.pinnedKey = this.pinnedKey === key ? "" : key;
  }

  #startAudio = async () => {
    if (await this.#controller.attempt(this.room.startAudio())) this.#controller.soundBlocked = false;
    this.requestUpdate();
  };

  #keyDown = (event: KeyboardEvent) => {
    if (this.#controller.soundBlocked) void this.#startAudio();
    const target = event.composedPath()[0];
    const action = actionOf(event, isTyping(target));
    // An open dialog or menu has the keyboard: Esc closes it, and nothing else happens behind it.
    if (action === undefined || event.composedPath().some(isOverlay)) return;
    event.preventDefault();
    this.#act(action);
  };
}

function chosen(deviceId: string): { deviceId?: string } {
  return deviceId === "" ? {} : { deviceId };
}

function isOverlay(target: EventTarget): boolean {
  return target instanceof HTMLElement && (target.localName === "dialog" || target.hasAttribute("popover"));
}

customElements.define("tributary-room", RoomPage);
