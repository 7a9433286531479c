/**
 * One way from Room events to the screen: subscribes to a Room for its host component, keeps what the Room itself
 * does not (notices, unread count, announcements), and asks the host to render again.
 */
import type { ReactiveController, ReactiveControllerHost } from "lit";
import type { CloseReason } from "../../core/wire/close-codes.ts";
import type { Room } from "../sdk/api.ts";
import { sentenceOf } from "./error-sentence.ts";

/** A message that goes away by itself (a toast). */
export interface Notice {
  id: number;
  text: string;
  tone: "plain" | "warning" | "chat";
}

export interface RoomEnd {
  closeReason: CloseReason | undefined;
  /** Sentence for people. */
  reason: string;
}

/** Older notices make room for new ones. */
const MAX_NOTICES = 3;
const PLAIN_NOTICE_MS = 4_000;
const WARNING_NOTICE_MS = 9_000;
/** How often facts that have no event (picture sizes, the need for a gesture) are looked at. */
const PULSE_MS = 1_000;

const NO_UDP =
  "This network lets no UDP through: the call goes over TCP, and may stutter where the network is bad.";

const SOURCE_NAMES = {
  microphone: "microphone",
  camera: "camera",
  screen: "screen",
  "screen-audio": "screen sound",
} as const;

export class RoomController implements ReactiveController {
  notices: Notice[] = [];
  /** Chat messages that came while the chat was closed. */
  unread = 0;
  /** Read out by screen readers. */
  announcement = "";
  /** The browser keeps sound back until somebody clicks. */
  soundBlocked = false;
  /** Sentence while the connection is being mended, else empty. */
  reconnecting = "";
  #host: ReactiveControllerHost;
  #onEnd: (end: RoomEnd) => void;
  #room: Room | undefined;
  #stops: (() => void)[] = [];
  #timers = new Set<number>();
  #nextNoticeId = 1;
  #chatOpen = false;
  #silentPulses = 0;

  constructor(host: ReactiveControllerHost, onEnd: (end: RoomEnd) => void) {
    this.#host = host;
    this.#onEnd = onEnd;
    host.addController(this);
  }

  /** Follows `room` from now on; the same room again changes nothing. */
  follow(room: Room): void {
    if (room === this.#room) return;
    this.#stop();
    this.#room = room;
    this.unread = 0;
    this.#listen(room);
    const pulse = window.setInterval(() => this.#onPulse(room), PULSE_MS);
    this.#stops.push(() => window.clearInterval(pulse));
  }

  hostDisconnected(): void {
    this.#stop();
  }

  notify(text: string, tone: Notice["tone"] = "plain"): void {
    const notice: Notice = { id: this.#nextNoticeId++, text, tone };
    this.notices = [...this.notices.filter((other) => other.text !== text), notice].slice(-MAX_NOTICES);
    const timer = window.setTimeout(
      () => {
        this.#timers.delete(timer);
        this.dismiss(notice.id);
      },
      tone === "warning" ? WARNING_NOTICE_MS : PLAIN_NOTICE_MS,
    );
    this.#timers.add(timer);
    this.#host.requestUpdate();
  }

  dismiss(id: number): void {
    this.notices = this.notices.filter((notice) => notice.id !== id);
    this.#host.requestUpdate();
  }

  /** Runs something that may fail; a failure becomes a notice. */
  async attempt(action: Promise<unknown>): Promise<boolean> {
    try {
      await action;
      return true;
    } catch (error) {
      // Closing the browser's own picker of screens is a decision, not a failure.
      const cause = error instanceof Error ? error.cause : undefined;
      const dismissed = cause instanceof DOMException && cause.name === "NotAllowedError";
      const message = sentenceOf(error);
      if (!(dismissed && /screen/i.test(message))) this.notify(message, "warning");
      return false;
    } finally {
      this.#host.requestUpdate();
    }
  }

  /** Whoever sees the conversation needs no notices about it. */
  setChatOpen(open: boolean): void {
    this.#chatOpen = open;
    if (!open) return;
    this.unread = 0;
    this.notices = this.notices.filter((notice) => notice.tone !== "chat");
  }

  #listen(room: Room): void {
    const refresh = () => this.#host.requestUpdate();
    // It was joined over TCP, before anybody listened.
    if (room.transport === "websocket") this.notify(NO_UDP, "warning");
    this.#stops.push(
      room.on("state", (event) => {
        this.reconnecting = event.state === "reconnecting" ? event.reason || "Connection lost." : "";
        if (event.state === "closed") this.#onEnd({ closeReason: event.closeReason, reason: event.reason });
        refresh();
      }),
      room.on("transport", ({ transport }) => {
        if (transport === "websocket") this.notify(NO_UDP, "warning");
        refresh();
      }),
      room.on("participant-joined", ({ participant }) => this.#announce(`${participant.name} joined`, true)),
      room.on("participant-left", ({ participant }) => this.#announce(`${participant.name} left`, true)),
      room.on("track-published", ({ participant, track }) => {
        if (track.source === "screen") this.#announce(`${participant.name} shares a screen`, true);
        refresh();
      }),
      room.on("track-unpublished", refresh),
      room.on("track-muted", ({ identity, source, muted, by }) => {
        if (muted && identity === room.identity && by !== room.identity) {
          const name = room.participants.get(by)?.name ?? "The host";
          this.notify(`${name} muted your ${SOURCE_NAMES[source]}.`, "warning");
        }
        refresh();
      }),
      room.on("track-problem", refresh),
      room.on("local-tracks", refresh),
      room.on("speakers", refresh),
      room.on("chat", (message) => {
        if (!message.own && !this.#chatOpen) {
          this.unread += 1;
          this.notify(`${message.name}: ${message.text.slice(0, 120)}`, "chat");
        }
        if (!message.own) this.#announce(`Message from ${message.name}: ${message.text}`, false);
        refresh();
      }),
      room.on("device", ({ change, message }) => {
        this.#announce(message, false);
        this.notify(message, change === "silenced" ? "warning" : "plain");
      }),
      room.on("problem", ({ message }) => this.notify(message, "warning")),
    );
  }

  /** Sound takes a moment to start where nothing blocks it: only a second look in a row counts. */
  #onPulse(room: Room): void {
    this.#silentPulses = room.needsGesture ? this.#silentPulses + 1 : 0;
    this.soundBlocked = this.#silentPulses > 1;
    this.#host.requestUpdate();
  }

  #announce(text: string, visible: boolean): void {
    this.announcement = text;
    if (visible) this.notify(text);
    this.#host.requestUpdate();
  }

  #stop(): void {
    for (const stop of this.#stops.splice(0)) stop();
    for (const timer of this.#timers) window.clearTimeout(timer);
    this.#timers.clear();
    this.#room = undefined;
  }
}
