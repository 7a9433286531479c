/** What the page and the pipeline worker say to each other: tagged unions, requests answered by number. */
import type { PictureCodec } from "../../core/media/picture-codecs.ts";
import type { BlockedNetworks } from "../../core/participant/joining/road-memory.ts";
import type { RelayCandidate } from "../../core/participant/participant-api.ts";
import type { Grants, Source } from "../../core/wire/room-model.ts";
import type { RoomState, RoomStats, Transport } from "../sdk/api.ts";
import type { CaptureInput } from "./capture-input.ts";

/** How the worker should encode a video source. */
export interface VideoCaptureSettings {
  width: number;
  height: number;
  frameRate: number;
  /** Codecs that the application would rather have than others, first one first. */
  codecs: readonly PictureCodec[];
  /** "motion" for cameras, "detail" for screens. */
  contentHint: "motion" | "detail";
}

/** First message: everything needed to join. */
export interface StartMessage {
  type: "start";
  gateway: string;
  /** The room that the token is for. */
  room: string;
  region: string | undefined;
  token: string;
  /** The application gives another one when that has expired. */
  canRenewToken: boolean;
  relays: RelayCandidate[];
  /** Names the network that the gateway saw us come from; "" = not known. */
  network: string;
  /** Networks that let no UDP through, as far as was seen before. */
  blockedNetworks: BlockedNetworks;
  identity: string;
  displayName: string;
  autoSubscribe: boolean;
  playoutDelay: { min: number; max: number };
  /** `performance.timeOrigin` of the page, for timestamps that count from it. */
  pageTimeOriginMs: number;
  /** When joinRoom was called, milliseconds since the epoch. */
  calledAtMs: number;
}

/** Sent as soon as the page has an audio graph; before it, sound is not decoded. */
export interface SpeakerMessage {
  type: "speaker";
  port: MessagePort;
  /** Shared ring, undefined where memory cannot be shared. */
  shared: SharedArrayBuffer | undefined;
}

export type Operation =
  | {
      operation: "publish-audio";
      source: "microphone" | "screen-audio";
      input: CaptureInput<AudioData>;
      muted: boolean;
    }
  | {
      operation: "publish-video";
      source: "camera" | "screen";
      input: CaptureInput<VideoFrame>;
      settings: VideoCaptureSettings;
    }
  /** Same track, another device. */
  | { operation: "replace-audio"; source: Source; input: CaptureInput<AudioData> }
  | { operation: "replace-video"; source: Source; input: CaptureInput<VideoFrame> }
  | { operation: "mute-own"; source: Source; muted: boolean }
  | { operation: "unpublish"; source: Source }
  | { operation: "subscribe"; handle: number }
  | { operation: "unsubscribe"; handle: number }
  | { operation: "mute-remote"; handle: number }
  | { operation: "remove"; identity: string }
  | { operation: "send-data"; topic: string; payload: Uint8Array; to: string[] | undefined }
  /** Milliseconds. */
  | { operation: "playout-delay"; min: number; max: number }
  | { operation: "stats" }
  | { operation: "leave" };

export type ToWorker =
  | StartMessage
  | SpeakerMessage
  | { type: "request"; id: number; request: Operation }
  | { type: "canvas"; handle: number; canvasId: number; canvas: OffscreenCanvas }
  | { type: "canvas-gone"; handle: number; canvasId: number }
  /** Size on screen in device pixels. */
  | { type: "canvas-size"; handle: number; canvasId: number; width: number; height: number }
  | { type: "volume"; handle: number; volume: number }
  /** The network may be another one, or the page has slept. */
  | { type: "network-sign" }
  /** Answers to `token-needed`: another join token, or why there is none. */
  | { type: "token"; token: string }
  | { type: "token-refused"; message: string }
  /** From the end of the worklet to the ear. */
  | { type: "output-latency"; latencyUs: number };

/** A remote track by its handle, which outlives reconnects; `trackId` may change with them. */
export interface RemoteTrackInfo {
  handle: number;
  trackId: number;
  codec: string;
  kind: "audio" | "video";
  source: Source;
  muted: boolean;
}

export type FromWorker =
  | { type: "answer"; id: number; value: number | RoomStats | undefined }
  | { type: "refused"; id: number; code: string; message: string }
  | { type: "joined"; room: string; identity: string; grants: Grants | undefined }
  | { type: "transport"; transport: Transport }
  | { type: "state"; state: RoomState; code: string; reason: string }
  | { type: "participant-joined"; identity: string; name: string; admin: boolean }
  | { type: "participant-left"; identity: string }
  | { type: "track-published"; identity: string; track: RemoteTrackInfo }
  | { type: "track-unpublished"; identity: string; handle: number }
  | { type: "track-rebound"; handle: number; trackId: number; codec: string }
  | { type: "track-size"; handle: number; width: number; height: number }
  /** Why the picture cannot be shown, as a sentence; undefined when it can again. */
  | { type: "track-problem"; handle: number; code: string; message: string | undefined }
  | {
      type: "track-muted";
      identity: string;
      /** Undefined for our own tracks. */
      handle: number | undefined;
      trackId: number;
      source: Source;
      muted: boolean;
      by: string;
    }
  | { type: "own-track"; source: Source; trackId: number }
  | { type: "own-track-ended"; source: Source }
  | { type: "speakers"; identities: string[] }
  | { type: "data"; from: string; topic: string; payload: Uint8Array; sentAtUs: number }
  /** The join token has expired. */
  | { type: "token-needed" }
  /** What is to be remembered for the next page. */
  | { type: "blocked-networks"; blocked: BlockedNetworks }
  | { type: "problem"; code: string; message: string };
