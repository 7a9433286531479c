/** The Room that applications hold: mirrors what the worker says and asks it for the rest. */
import type { Grants, Source } from "../../core/wire/room-model.ts";
import type { AudioOutput } from "../audio/audio-output.ts";
import type { FromWorker } from "../worker/worker-messages.ts";
import {
  type ChatMessage,
  type Devices,
  type LocalTrack,
  type Room,
  RoomError,
  type RoomEvents,
  type RoomState,
  type RoomStats,
  type Transport,
} from "./api.ts";
import { EventListeners } from "./event-listeners.ts";
import type { CameraWish } from "./local-capture.ts";
import { type CodecWish, LocalPublisher, type ScreenWish } from "./local-publisher.ts";
import type { LiveLocalTrack } from "./local-track.ts";
import { watchPage } from "./page-signs.ts";
import { LiveRemoteParticipant, LiveRemoteTrack } from "./remote-objects.ts";
import { stateEvent } from "./state-event.ts";
import type { WorkerPort } from "./worker-port.ts";

const CHAT_TOPIC = "chat";
const MAX_CHAT_CHARS = 4_000;
/** As much as the audio buffer holds. */
const MAX_PLAYOUT_DELAY_MS = 2_000;
/** Chat messages that are remembered; older ones are forgotten. */
const MAX_MESSAGES = 500;

export interface RoomFacts {
  name: string;
  identity: string;
  displayName: string;
  grants: Grants;
}

export class LiveRoom implements Room {
  readonly name: string;
  readonly identity: string;
  readonly displayName: string;
  readonly grants: Grants;
  readonly participants = new Map<string, LiveRemoteParticipant>();
  state: RoomState = "connecting";
  transport: Transport = "webtransport";
  speakers: readonly string[] = [];
  messages: readonly ChatMessage[] = [];
  readonly #port: WorkerPort;
  readonly #output: AudioOutput | undefined;
  readonly #listeners = new EventListeners<RoomEvents>();
  readonly #byHandle = new Map<number, LiveRemoteTrack>();
  readonly #publisher: LocalPublisher;
  readonly #endSigns: () => void;

  constructor(facts: RoomFacts, port: WorkerPort, output: AudioOutput | undefined) {
    this.name = facts.name;
    this.identity = facts.identity;
    this.displayName = facts.displayName;
    this.grants = facts.grants;
    this.#port = port;
    this.#output = output;
    this.#endSigns = watchPage(() => port.post({ type: "network-sign" }));
    this.#publisher = new LocalPublisher(port, {
      isClosed: () => this.state === "closed",
      onChange: () => this.#listeners.emit("local-tracks", {}),
      onProblem: (code, message) => this.#listeners.emit("problem", { code, message }),
      onDevice: (event) => this.#listeners.emit("device", event),
    });
  }

  get localTracks(): ReadonlyMap<Source, LiveLocalTrack> {
    return this.#publisher.tracks;
  }

  on<Name extends keyof RoomEvents>(name: Name, listener: (event: RoomEvents[Name]) => void): () => void {
    return this.#listeners.on(name, listener);
  }

  /** Takes one message of the worker. */
  receive(message: FromWorker): void {
    switch (message.type) {
      case "state":
        return this.#onState(message.state, message.code, message.reason);
      case "transport":
        this.transport = message.transport;
        return this.#listeners.emit("transport", { transport: message.transport });
      case "participant-joined": {
        const { identity, name, admin } = message;
        const participant = new LiveRemoteParticipant(identity, name, admin, this.#port);
        this.participants.set(identity, participant);
        return this.#listeners.emit("participant-joined", { participant });
      }
      case "participant-left": {
        const participant = this.participants.get(message.identity);
        if (participant === undefined) return;
        this.participants.delete(message.identity);
        return this.#listeners.emit("participant-left", { participant });
      }
      case "track-published":
      case "track-unpublished":
      case "track-rebound":
      case "track-size":
      case "track-problem":
      case "track-muted":
        return this.#onTrack(message);
      case "own-track": {
        const track = this.localTracks.get(message.source);
        if (track !== undefined) track.trackId = message.trackId;
        return this.#listeners.emit("local-tracks", {});
      }
      case "own-track-ended":
        return this.#publisher.onEnded(message.source);
      case "speakers":
        return this.#onSpeakers(message.identities);
      case "data":
        return this.#onData(message);
      case "problem":
        return this.#listeners.emit("problem", { code: message.code, message: message.message });
      default:
        return;
    }
  }

  #onState(state: RoomState, code: string, reason: string): void {
    if (this.state === "closed") return;
    this.state = state;
    if (state === "closed") this.#release();
    this.#listeners.emit("state", stateEvent(state, code, reason));
  }

  #release(): void {
    this.#endSigns();
    this.#publisher.end();
    for (const track of this.#byHandle.values()) track.release();
    this.#output?.close().catch(() => undefined);
    this.#port.close();
  }

  #onTrack(
    message: Extract<
      FromWorker,
      {
        type:
          | "track-published"
          | "track-unpublished"
          | "track-rebound"
          | "track-size"
          | "track-problem"
          | "track-muted";
      }
    >,
  ): void {
    if (message.type === "track-published") {
      const participant = this.participants.get(message.identity);
      if (participant === undefined) return;
      const track = new LiveRemoteTrack(message.track, participant, this.#port);
      this.#byHandle.set(track.handle, track);
      participant.byHandle.set(track.handle, track);
      participant.refresh();
      return this.#listeners.emit("track-published", { participant, track });
    }
    const track = message.handle === undefined ? undefined : this.#byHandle.get(message.handle);
    if (message.type === "track-muted") {
      if (track !== undefined) track.muted = message.muted;
      else this.localTracks.get(message.source)?.applyMute(message.muted);
      const { identity, trackId, source, muted, by } = message;
      return this.#listeners.emit("track-muted", { identity, trackId, source, muted, by });
    }
    if (track === undefined) return;
    const { participant } = track;
    if (message.type === "track-size") {
      track.width = message.width;
      track.height = message.height;
    } else if (message.type === "track-problem") {
      const { code, message: problem } = message;
      track.problem = problem;
      this.#listeners.emit("track-problem", { participant, track, code, problem });
    } else if (message.type === "track-rebound") {
      track.trackId = message.trackId;
      track.codec = message.codec;
      participant.refresh();
    } else {
      this.#byHandle.delete(track.handle);
      participant.byHandle.delete(track.handle);
      participant.refresh();
      track.release();
      this.#listeners.emit("track-unpublished", { participant, track });
    }
  }

  #onSpeakers(identities: string[]): void {
    this.speakers = identities;
    for (const participant of this.participants.values()) {
      participant.speaking = identities.includes(participant.identity);
    }
    this.#listeners.emit("speakers", { identities });
  }

  #onData({ from, topic, payload, sentAtUs }: Extract<FromWorker, { type: "data" }>): void {
    if (topic !== CHAT_TOPIC) return this.#listeners.emit("data", { from, topic, payload });
    const text = new TextDecoder().decode(payload).slice(0, MAX_CHAT_CHARS);
    // Our own messages are remembered when they are sent.
    if (from === this.identity) return;
    const name = this.participants.get(from)?.name ?? from;
    this.#remember({ from, name, text, sentAt: new Date(sentAtUs / 1000), own: false });
  }

  #remember(message: ChatMessage): void {
    this.messages = [...this.messages.slice(1 - MAX_MESSAGES), message];
    this.#listeners.emit("chat", message);
  }

  async publishMicrophone(options: { deviceId?: string; muted?: boolean } = {}): Promise<LocalTrack> {
    return await this.#publisher.microphone(options);
  }

  async publishCamera(options: CameraWish & CodecWish = {}): Promise<LocalTrack> {
    return await this.#publisher.camera(options);
  }

  async publishScreen(options: ScreenWish = {}): Promise<LocalTrack> {
    return await this.#publisher.screen(options);
  }

  async sendChat(text: string): Promise<void> {
    const shown = text.slice(0, MAX_CHAT_CHARS);
    await this.sendData(CHAT_TOPIC, new TextEncoder().encode(shown));
    this.#remember({
      from: this.identity,
      name: this.displayName,
      text: shown,
      sentAt: new Date(),
      own: true,
    });
  }

  async sendData(topic: string, payload: Uint8Array, to?: string[]): Promise<void> {
    await this.#port.request({ operation: "send-data", topic, payload, to });
  }

  async devices(): Promise<Devices> {
    const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
    return {
      microphones: devices.filter(({ kind }) => kind === "audioinput"),
      cameras: devices.filter(({ kind }) => kind === "videoinput"),
      speakers: devices.filter(({ kind }) => kind === "audiooutput"),
    };
  }

  async setSpeaker(deviceId: string): Promise<void> {
    try {
      await this.#output?.setSpeaker(deviceId);
    } catch (cause) {
      const message = "The speaker could not be changed: this browser or device does not allow it.";
      throw new RoomError("speaker-failed", message, { cause });
    }
  }

  async setPlayoutDelay({ min, max }: { min: number; max: number }): Promise<void> {
    if (!(min >= 0 && min <= max && max <= MAX_PLAYOUT_DELAY_MS)) {
      throw new RangeError(
        `playout delay needs 0 <= min <= max <= ${MAX_PLAYOUT_DELAY_MS}, not ${min} and ${max}`,
      );
    }
    await this.#port.request({ operation: "playout-delay", min, max });
  }

  async getStats(): Promise<RoomStats> {
    const stats = await this.#port.request({ operation: "stats" });
    if (typeof stats !== "object") throw new RoomError("unavailable", "the worker gave no statistics");
    return stats;
  }

  get needsGesture(): boolean {
    return this.#output !== undefined && this.state !== "closed" && !this.#output.running;
  }

  async startAudio(): Promise<void> {
    await this.#output?.resume();
  }

  async leave(): Promise<void> {
    if (this.state === "closed") return;
    await this.#port.request({ operation: "leave" }).catch(() => undefined);
    this.#onState("closed", "normal", "You left the room.");
  }
}
