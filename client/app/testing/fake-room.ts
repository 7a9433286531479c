/** A Room that needs no network: participants are drawn, everything else answers at once. For the gallery only. */

import type { Grants, Source } from "../../../core/wire/room-model.ts";
import type {
  ChatMessage,
  Devices,
  LocalTrack,
  RemoteParticipant,
  RemoteTrack,
  Room,
  RoomEvents,
  RoomState,
  RoomStats,
  TrackStats,
  Transport,
} from "../../sdk/api.ts";
import { drawPerson, drawSlide } from "./fake-picture.ts";

export interface FakePerson {
  name: string;
  camera: boolean;
  microphone: "on" | "muted" | "none";
  screen?: boolean;
  upright?: boolean;
}

export class FakeRoom implements Room {
  readonly name = "quiet-brook-27";
  readonly identity = "me";
  readonly displayName = "Noor Haddad";
  readonly grants: Grants;
  readonly participants = new Map<string, FakeParticipant>();
  readonly localTracks = new Map<Source, LocalTrack>();
  readonly messages: ChatMessage[] = [];
  state: RoomState = "connected";
  transport: Transport = "webtransport";
  speakers: string[] = [];
  needsGesture = false;
  #listeners = new Map<keyof RoomEvents, Set<(event: never) => void>>();
  #ended = new AbortController();
  #startedMs = performance.now();

  constructor(people: readonly FakePerson[], admin: boolean) {
    this.grants = {
      publish: ["microphone", "camera", "screen"],
      subscribe: true,
      data: true,
      admin,
      hidden: false,
    };
    for (const [index, person] of people.entries()) {
      this.participants.set(
        `p${index}`,
        new FakeParticipant(this, `p${index}`, index, person, this.#ended.signal),
      );
    }
  }

  on<Name extends keyof RoomEvents>(name: Name, listener: (event: RoomEvents[Name]) => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener as (event: never) => void));
    return () => listeners.delete(listener as (event: never) => void);
  }

  emit<Name extends keyof RoomEvents>(name: Name, event: RoomEvents[Name]): void {
    for (const listener of this.#listeners.get(name) ?? [])
      (listener as (value: RoomEvents[Name]) => void)(event);
  }

  async publishMicrophone(): Promise<LocalTrack> {
    const track = new AudioContext().createMediaStreamDestination().stream.getAudioTracks()[0];
    return this.#publish("microphone", track);
  }

  async publishCamera(): Promise<LocalTrack> {
    const canvas = pictureCanvas(1280, 720);
    drawPerson(canvas, 7, this.#ended.signal);
    return this.#publish("camera", canvas.captureStream(30).getVideoTracks()[0]);
  }

  async publishScreen(): Promise<LocalTrack> {
    const canvas = pictureCanvas(1280, 720);
    drawSlide(canvas, this.#ended.signal);
    return this.#publish("screen", canvas.captureStream(10).getVideoTracks()[0]);
  }

  async sendChat(text: string): Promise<void> {
    this.say("me", this.displayName, text);
  }

  say(from: string, name: string, text: string, sentAt = new Date()): void {
    const message: ChatMessage = { from, name, text, sentAt, own: from === this.identity };
    this.messages.push(message);
    this.emit("chat", message);
  }

  async sendData(): Promise<void> {}

  async devices(): Promise<Devices> {
    const of = (kind: MediaDeviceKind, ...labels: string[]) =>
      labels.map((label) => ({ kind, label, deviceId: label, groupId: "", toJSON: () => label }));
    return {
      cameras: of("videoinput", "FaceTime HD Camera", "USB Capture 4K"),
      microphones: of("audioinput", "Built-in Microphone", "Headset"),
      speakers: of("audiooutput", "Built-in Speakers", "Headset"),
    };
  }

  async setSpeaker(): Promise<void> {}

  async setPlayoutDelay(): Promise<void> {}

  async getStats(): Promise<RoomStats> {
    const seconds = (performance.now() - this.#startedMs) / 1000;
    const inbound = [...this.participants.values()].flatMap((participant) =>
      [...participant.tracks.values()].map((track) => fakeStats(track, seconds)),
    );
    const outbound = [...this.localTracks.values()].map((track) => ownStats(track, seconds));
    return {
      connection: {
        type: "connection",
        transport: "webtransport",
        relayId: "relay-1",
        state: this.state,
        rttMs: 24.4,
        lanes: 0,
        bytesSent: seconds * 160_000,
        bytesReceived: seconds * 480_000,
        datagramsSent: seconds * 180,
        datagramsReceived: seconds * 510,
        datagramsLost: seconds * 2,
        datagramsDropped: {},
        reconnects: 0,
        joinMs: 212,
      },
      tracks: [...inbound, ...outbound],
    };
  }

  async startAudio(): Promise<void> {
    this.needsGesture = false;
  }

  async leave(): Promise<void> {
    this.#ended.abort();
  }

  #publish(source: Source, mediaStreamTrack: MediaStreamTrack | undefined): LocalTrack {
    if (mediaStreamTrack === undefined) throw new Error("the browser gave no track");
    const track = {
      trackId: 900 + this.localTracks.size,
      source,
      kind: source === "microphone" ? ("audio" as const) : ("video" as const),
      muted: false,
      silenced: false,
      mediaStreamTrack,
      setMuted: async (muted: boolean) => {
        track.muted = muted;
        this.emit("local-tracks", {});
      },
      stop: async () => {
        this.localTracks.delete(source);
        this.emit("local-tracks", {});
      },
    };
    this.localTracks.set(source, track);
    this.emit("local-tracks", {});
    return track;
  }
}

class FakeParticipant implements RemoteParticipant {
  readonly tracks = new Map<number, FakeTrack>();
  readonly admin = false;
  readonly identity: string;
  readonly name: string;
  #room: FakeRoom;

  constructor(room: FakeRoom, identity: string, index: number, person: FakePerson, ended: AbortSignal) {
    this.#room = room;
    this.identity = identity;
    this.name = person.name;
    const add = (source: Source, muted: boolean, upright = false) => {
      const track = new FakeTrack(
        this,
        index * 10 + this.tracks.size + 1,
        source,
        muted,
        index,
        upright,
        ended,
      );
      this.tracks.set(track.trackId, track);
    };
    if (person.microphone !== "none") add("microphone", person.microphone === "muted");
    if (person.camera) add("camera", false, person.upright);
    if (person.screen === true) add("screen", false);
  }

  get speaking(): boolean {
    return this.#room.speakers.includes(this.identity);
  }

  async remove(): Promise<void> {
    this.#room.participants.delete(this.identity);
    this.#room.emit("participant-left", { participant: this });
  }

  changed(): void {
    this.#room.emit("speakers", { identities: this.#room.speakers });
  }
}

class FakeTrack implements RemoteTrack {
  readonly kind: "audio" | "video";
  readonly participant: FakeParticipant;
  readonly trackId: number;
  readonly source: Source;
  muted: boolean;
  readonly width: number;
  readonly height: number;
  readonly codec: string;
  problem: string | undefined;
  #seed: number;
  #ended: AbortSignal;

  constructor(
    participant: FakeParticipant,
    trackId: number,
    source: Source,
    muted: boolean,
    seed: number,
    upright: boolean,
    ended: AbortSignal,
  ) {
    this.participant = participant;
    this.trackId = trackId;
    this.source = source;
    this.muted = muted;
    this.kind = source === "microphone" ? "audio" : "video";
    this.width = this.kind === "audio" ? 0 : upright ? 480 : 1280;
    this.height = this.kind === "audio" ? 0 : upright ? 854 : 720;
    this.codec = this.kind === "audio" ? "opus" : "avc1.42E01F";
    this.#seed = seed;
    this.#ended = ended;
  }

  attach(): HTMLElement {
    const canvas = pictureCanvas(this.width, this.height);
    if (this.source === "screen") drawSlide(canvas, this.#ended);
    else drawPerson(canvas, this.#seed, this.#ended);
    return canvas;
  }

  detach(): void {}
  async subscribe(): Promise<void> {}
  async unsubscribe(): Promise<void> {}
  setVolume(): void {}

  async mute(): Promise<void> {
    this.muted = true;
    this.participant.changed();
  }
}

function fakeStats(track: FakeTrack, seconds: number): TrackStats {
  const video = track.kind === "video";
  return {
    type: "track",
    kind: track.kind,
    direction: "inbound",
    trackId: track.trackId,
    participant: track.participant.identity,
    source: track.source,
    codec: video ? "avc1.42E01F" : "opus",
    bytes: seconds * (video ? 140_000 : 4_500),
    datagrams: Math.round(seconds * (video ? 150 : 50)),
    datagramsLost: Math.round(seconds * 0.6),
    captureToRenderMs: video ? 61 : 54,
    ...(video
      ? { frameWidth: track.width, frameHeight: track.height, framesPerSecond: 29.97, avOffsetMs: -7 }
      : {}),
  };
}

function ownStats(track: LocalTrack, seconds: number): TrackStats {
  const video = track.kind === "video";
  return {
    type: "track",
    kind: track.kind,
    direction: "outbound",
    trackId: track.trackId,
    participant: "me",
    source: track.source,
    codec: video ? "avc1.42E01F" : "opus",
    bytes: seconds * (video ? 170_000 : 4_800),
    datagrams: Math.round(seconds * 180),
    ...(video ? { frameWidth: 1280, frameHeight: 720, framesPerSecond: 30 } : {}),
  };
}

function pictureCanvas(width: number, height: number): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  return canvas;
}
