/** The app: from the address bar to the lobby, the room and the page after it. */
import { html, LitElement } from "lit";
import type { Room } from "../../sdk/api.ts";
import { prepareRoom } from "../../sdk/index.ts";
import { doctorPath } from "../doctor/doctor-route.ts";
import { endingOf, leftEnding } from "../endings.ts";
import { sentenceOf } from "../error-sentence.ts";
import { enterRoom, type JoinWish, publishWished } from "../joining.ts";
import { browserStore, loadPreferences } from "../preferences.ts";
import type { RoomEnd } from "../room-controller.ts";
import { parseRoute, type Route, roomPath } from "../routing.ts";
import { controls } from "../styles/controls.ts";
import type { Ending } from "./ended-page.ts";
import "./ended-page.ts";
import "./joining-page.ts";
import "./lobby-page.ts";
import "./room-page.ts";

declare global {
  interface Window {
    /** For scripts and tests: the room we are in, and the attempt to join one. */
    tributary: { room?: Room; joining?: Promise<Room> };
  }
}

type View =
  | { kind: "lobby"; problem: string; joining: boolean }
  | { kind: "joining"; room: string }
  /** `token` is empty where outputs are not for us to see. */
  | { kind: "room"; room: Room; token: string; notices: readonly string[] }
  | { kind: "ended"; ending: Ending };

class TributaryApp extends LitElement {
  static override properties = { view: { state: true }, route: { state: true } };
  static override styles = controls;
  declare view: View;
  declare route: Route;
  #wish: JoinWish | undefined;
  #attempt = new AbortController();
  /** Of the address that the page was opened with. */
  /** The page was left, not the room. */
  #isLeftOpen = false;
  readonly #region = parseRoute(new URL(location.href)).region;

  constructor() {
    super();
    window.tributary = {};
    prepareRoom();
    this.route = parseRoute(new URL(location.href));
    this.view = { kind: "lobby", problem: "", joining: false };
    const wish = this.#wishOfAddress();
    if (wish !== undefined) void this.#join(wish);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener("popstate", this.#navigated);
    window.addEventListener("pagehide", this.#closing);
    window.addEventListener("pageshow", this.#shown);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener("popstate", this.#navigated);
    window.removeEventListener("pagehide", this.#closing);
    window.removeEventListener("pageshow", this.#shown);
    this.#closing();
  }

  override render() {
    const { view } = this;
    document.title = this.#title();
    switch (view.kind) {
      case "lobby":
        return html`<tributary-lobby
          .route=${this.route}
          .problem=${view.problem}
          .joining=${view.joining}
          @join=${(event: CustomEvent<JoinWish>) => this.#joinFromLobby(event.detail)}
        ></tributary-lobby>`;
      case "joining":
        return html`<tributary-joining .room=${view.room} @cancel=${this.#cancel}></tributary-joining>`;
      case "room":
        return html`<tributary-room
          .room=${view.room}
          .token=${view.token}
          .notices=${view.notices}
          @left=${this.#left}
          @room-ended=${(event: CustomEvent<RoomEnd>) => this.#ended(event.detail)}
        ></tributary-room>`;
      case "ended":
        return html`<tributary-ended .ending=${view.ending} .doctorPath=${this.#doctorPath()} @again=${this.#again} @lobby=${this.#toStart}></tributary-ended>`;
    }
  }

  /** `?join=1`: with default devices, whoever the address or an earlier visit says we are. */
  #wishOfAddress(): JoinWish | undefined {
    const { route } = this;
    if (!route.joinNow || route.room === "") return undefined;
    const name = route.name || loadPreferences(browserStore()).name || "Guest";
    const device = { on: true, deviceId: "" };
    return { room: route.room, name, token: route.token, microphone: device, camera: device, speakerId: "" };
  }

  #joinFromLobby(wish: JoinWish): void {
    this.view = { kind: "lobby", problem: "", joining: true };
    void this.#join(wish);
  }

  async #join(wish: JoinWish): Promise<void> {
    this.#wish = wish;
    this.#attempt.abort();
    const attempt = new AbortController();
    this.#attempt = attempt;
    if (this.view.kind !== "lobby" || !this.view.joining) this.view = { kind: "joining", room: wish.room };
    try {
      const entering = enterRoom(wish, this.#region, attempt.signal);
      window.tributary.joining = entering.then(({ room }) => room);
      const { room, token: joinToken } = await entering;
      if (attempt.signal.aborted) return void (await room.leave());
      window.tributary.room = room;
      if (this.route.room !== wish.room) this.#go(roomPath(wish.room));
      // Admins may, and where guests are let in everybody may: those who came without an invitation know that they are.
      const token = room.grants.admin || wish.token === "" ? joinToken : "";
      this.view = { kind: "room", room, token, notices: [] };
      const notices = await publishWished(room, wish);
      if (notices.length > 0 && this.view.kind === "room" && this.view.room === room) {
        this.view = { kind: "room", room, token, notices };
      }
    } catch (error) {
      if (attempt.signal.aborted) return;
      this.view = { kind: "lobby", problem: sentenceOf(error), joining: false };
    }
  }

  #cancel = () => {
    this.#attempt.abort();
    this.view = { kind: "lobby", problem: "", joining: false };
  };

  #left = () => {
    const name = this.view.kind === "room" ? this.view.room.name : "";
    this.#leaveRoom();
    this.view = { kind: "ended", ending: leftEnding(name) };
  };

  #ended(end: RoomEnd): void {
    if (this.view.kind !== "room") return;
    delete window.tributary.room;
    this.view = { kind: "ended", ending: endingOf(end.closeReason, end.reason) };
  }

  #doctorPath(): string {
    const { room = "", token = "" } = this.#wish ?? {};
    return doctorPath(room, token, this.#region);
  }

  #again = () => {
    if (this.#wish === undefined) return this.#toStart();
    void this.#join(this.#wish);
  };

  #toStart = () => {
    this.#go("/");
    this.view = { kind: "lobby", problem: "", joining: false };
  };

  #go(path: string): void {
    history.pushState(null, "", path);
    this.route = { ...parseRoute(new URL(location.href)), name: this.#wish?.name ?? "" };
  }

  /** Back and forward leave the call and show the lobby of that address. */
  #navigated = () => {
    this.#attempt.abort();
    this.#leaveRoom();
    this.route = parseRoute(new URL(location.href));
    this.view = { kind: "lobby", problem: "", joining: false };
  };

  #closing = () => {
    this.#isLeftOpen = window.tributary.room !== undefined;
    this.#leaveRoom();
  };

  /** Back from the browser's memory of left pages, as if it had never been left. */
  #shown = ({ persisted }: PageTransitionEvent) => {
    if (persisted && this.#isLeftOpen) this.#again();
    this.#isLeftOpen = false;
  };

  #leaveRoom(): void {
    const room = window.tributary.room;
    delete window.tributary.room;
    // The page is past this room: a failure to say goodbye is noticed by the relay's own timeout.
    room?.leave().catch((error: unknown) => console.warn("leaving:", sentenceOf(error)));
  }

  #title(): string {
    const { view } = this;
    if (view.kind === "room") return `${view.room.name} · Tributary`;
    return this.route.room === "" ? "Tributary" : `Join ${this.route.room} · Tributary`;
  }
}

customElements.define("tributary-app", TributaryApp);
