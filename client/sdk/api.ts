/**
 * The browser SDK's public shape: what `joinRoom` returns and what its parts can do. Implemented in this
 * folder; the web app (client/app) uses nothing else.
 */
import type { PictureCodec } from "../../core/media/picture-codecs.ts";
import type { CloseReason } from "../../core/wire/close-codes.ts";
import type { Grants, Source } from "../../core/wire/room-model.ts";

export interface JoinOptions {
  /** Base URL of the gateway; default: the page's own origin. */
  gateway?: string;
  /** Join token (JWT); names the room. */
  token: string;
  /**
   * Asked for another join token, of the same room and identity, when that one has expired and the gateway has to be asked again: after a
   * night's sleep, say. Without it, or when it rejects (its message is shown to people), the room closes.
   */
  getToken?: () => Promise<string>;
  /** Region whose relays are preferred, as the operator named it; default: what the gateway knows of the caller's place. */
  region?: string;
  /** Subscribe to every track by itself. Default true. */
  autoSubscribe?: boolean;
  /** Playout delay bounds in milliseconds; default {min: 0, max: 1000}. */
  playoutDelay?: { min: number; max: number };
  /** Ends the attempt. */
  signal?: AbortSignal;
}

export type RoomState = "connecting" | "connected" | "reconnecting" | "closed";

/** Events of a Room: `room.on("chat", (event) => ...)` returns a function that stops listening. */
/** How media travels: WebTransport over UDP, or where a network lets no UDP through, a WebSocket over TCP. */
export type Transport = "webtransport" | "websocket";

export interface RoomEvents {
  state: {
    state: RoomState;
    /** Sentence for people, on reconnecting and closed. */
    reason: string;
    /** Why the room closed, for code; set when `state` is closed. */
    closeReason?: CloseReason;
  };
  /** Media travels in another way from now on. */
  transport: { transport: Transport };
  "participant-joined": { participant: RemoteParticipant };
  "participant-left": { participant: RemoteParticipant };
  "track-published": { participant: RemoteParticipant; track: RemoteTrack };
  "track-unpublished": { participant: RemoteParticipant; track: RemoteTrack };
  /** Somebody's track (also ours) was muted or unmuted; `by` is who did it. */
  "track-muted": { identity: string; trackId: number; source: Source; muted: boolean; by: string };
  /** A picture cannot be shown (code "undecodable": this browser has no decoder for it), or can again (`problem` undefined). */
  "track-problem": {
    participant: RemoteParticipant;
    track: RemoteTrack;
    code: string;
    problem: string | undefined;
  };
  /** Our own tracks changed (published, ended, switched). */
  "local-tracks": Record<string, never>;
  /** Who speaks, loudest first. */
  speakers: { identities: string[] };
  chat: ChatMessage;
  /** Room data of any topic but chat. */
  data: { from: string; topic: string; payload: Uint8Array };
  /**
   * Our microphone or camera comes from another device, comes back, or is kept silent by the system or a switch on the device (`silenced`,
   * `heard`); `message` says so to people.
   */
  device: {
    source: "microphone" | "camera";
    change: "replaced" | "back" | "silenced" | "heard";
    message: string;
  };
  /** Something failed that the room survives (a device went away, a codec is missing). */
  problem: { code: string; message: string };
}

export interface ChatMessage {
  /** Identity of the sender. */
  from: string;
  name: string;
  text: string;
  sentAt: Date;
  /** True when we sent it. */
  own: boolean;
}

/** A member of the room other than us. */
export interface RemoteParticipant {
  readonly identity: string;
  readonly name: string;
  readonly admin: boolean;
  readonly tracks: ReadonlyMap<number, RemoteTrack>;
  readonly speaking: boolean;
  /** Admins only; rejects with RoomError "forbidden". */
  remove(): Promise<void>;
}

export interface RemoteTrack {
  readonly trackId: number;
  readonly kind: "audio" | "video";
  readonly source: Source;
  readonly muted: boolean;
  readonly participant: RemoteParticipant;
  /** WebCodecs codec string ("opus", "avc1.42E01F", "vp8"); a picture's may change. */
  readonly codec: string;
  /** Why the picture cannot be shown, as a sentence for people; undefined while it can. */
  readonly problem: string | undefined;
  /** Natural picture size, 0 before the first picture; audio: 0. */
  readonly width: number;
  readonly height: number;
  /**
   * An element that plays the track: a <canvas> for video (any number may be attached), an <audio> stand-in for
   * audio (audio plays as long as the room is open, attached or not).
   */
  attach(): HTMLElement;
  detach(element: HTMLElement): void;
  subscribe(): Promise<void>;
  unsubscribe(): Promise<void>;
  /** Audio: 0..2, 1 = as sent. */
  setVolume(volume: number): void;
  /** Admins only. */
  mute(): Promise<void>;
}

export interface LocalTrack {
  readonly trackId: number;
  readonly source: Source;
  readonly kind: "audio" | "video";
  readonly muted: boolean;
  /** The system, or a switch on the device, lets nothing of it through now. */
  readonly silenced: boolean;
  /** The browser's own track, for previews: `video.srcObject = new MediaStream([track.mediaStreamTrack])`. */
  readonly mediaStreamTrack: MediaStreamTrack;
  setMuted(muted: boolean): Promise<void>;
  /** Stops capture and unpublishes. */
  stop(): Promise<void>;
}

/** One track's figures; names as in W3C webrtc-stats where it has a word. Fields that do not apply are absent. */
export interface TrackStats {
  type: "track";
  kind: "audio" | "video";
  direction: "inbound" | "outbound";
  trackId: number;
  participant: string;
  source: Source;
  codec: string;
  frameWidth?: number;
  frameHeight?: number;
  framesEncoded?: number;
  framesDecoded?: number;
  framesRendered?: number;
  framesDropped?: number;
  /** Received pictures that were not shown, by reason (late, no-reference, superseded...). */
  framesDroppedBy?: Record<string, number>;
  framesPerSecond?: number;
  keyFrames?: number;
  /** Temporal layers that the encoder makes; 1 where the browser offers none. Outbound video only. */
  temporalLayers?: number;
  bytes: number;
  bitrateBps?: number;
  datagrams: number;
  datagramsLost?: number;
  datagramsRecovered?: number;
  jitterMs?: number;
  playoutDelayMs?: number;
  /** What the playout delay is steered towards; within the bounds of `setPlayoutDelay`. Audio only. */
  targetDelayMs?: number;
  /** Sum of the times that frames waited from their arrival to their playout, and how many frames these were. Audio only. */
  jitterBufferDelayMs?: number;
  jitterBufferEmittedCount?: number;
  concealedMs?: number;
  totalPlayedMs?: number;
  /** Sound minus picture at the playout, positive = sound early. On the video track. */
  avOffsetMs?: number;
  /** Capture to speaker buffer or to canvas, median of the last seconds; needs clocks in step (docs/sdk.md). */
  captureToRenderMs?: number;
  freezeCount?: number;
  totalFreezesMs?: number;
  timeToFirstFrameMs?: number;
  timeToFirstAudioMs?: number;
}

export interface ConnectionStats {
  type: "connection";
  transport: Transport;
  relayId: string;
  state: RoomState;
  rttMs?: number;
  /** What the network carries of what we send, bits a second; absent until it has set a limit. */
  sendRateBps?: number;
  /** Further connections that carry what we send, because the browser holds datagrams up on lossy networks. */
  lanes: number;
  bytesSent: number;
  bytesReceived: number;
  datagramsSent: number;
  datagramsReceived: number;
  datagramsLost: number;
  datagramsDropped: Record<string, number>;
  /** Times that the connection came back, or went on with another session or relay. */
  reconnects: number;
  joinMs: number;
  /** Kept for symmetry with tracks: same as joinMs until first media. */
  timeToFirstFrameMs?: number;
  timeToFirstAudioMs?: number;
}

export interface RoomStats {
  connection: ConnectionStats;
  tracks: TrackStats[];
}

export interface Devices {
  microphones: MediaDeviceInfo[];
  cameras: MediaDeviceInfo[];
  speakers: MediaDeviceInfo[];
}

export interface Room {
  readonly name: string;
  readonly identity: string;
  readonly displayName: string;
  readonly grants: Grants;
  readonly state: RoomState;
  readonly transport: Transport;
  readonly participants: ReadonlyMap<string, RemoteParticipant>;
  readonly localTracks: ReadonlyMap<Source, LocalTrack>;
  /** Identities that speak now, loudest first (ours too). */
  readonly speakers: readonly string[];
  readonly messages: readonly ChatMessage[];
  on<Name extends keyof RoomEvents>(name: Name, listener: (event: RoomEvents[Name]) => void): () => void;
  /**
   * Asks for the device and publishes it; on again with another device id switches. Rejects with RoomError; code "no-encoder" where the
   * browser cannot encode pictures at all.
   */
  publishMicrophone(options?: { deviceId?: string; muted?: boolean }): Promise<LocalTrack>;
  publishCamera(options?: {
    deviceId?: string;
    width?: number;
    height?: number;
    frameRate?: number;
    /** Rather than H.264, where this browser encodes it and everybody in the room decodes it; of several the first. */
    codec?: PictureCodec | readonly PictureCodec[];
  }): Promise<LocalTrack>;
  publishScreen(options?: {
    audio?: boolean;
    codec?: PictureCodec | readonly PictureCodec[];
  }): Promise<LocalTrack>;
  sendChat(text: string): Promise<void>;
  sendData(topic: string, payload: Uint8Array, to?: string[]): Promise<void>;
  /** Devices as the browser lists them (labels need permission). */
  devices(): Promise<Devices>;
  setSpeaker(deviceId: string): Promise<void>;
  /** Bounds of the playout delay in milliseconds, from now on for all sound; the picture follows. Rejects with RangeError. */
  setPlayoutDelay(bounds: { min: number; max: number }): Promise<void>;
  getStats(): Promise<RoomStats>;
  /** Autoplay was blocked: call from a click. True while needed. */
  readonly needsGesture: boolean;
  startAudio(): Promise<void>;
  leave(): Promise<void>;
}

/** What went wrong, for code (`code`) and for people (`message` says what to do). */
export class RoomError extends Error {
  override readonly name = "RoomError";
  readonly code: string;
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
