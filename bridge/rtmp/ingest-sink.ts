/** What RTMP ingest gives and asks: a grant to publish, the sink that its media goes to, and why it ends. */
import type { AacConfig } from "./aac-config.ts";
import type { Amf0Object } from "./amf0.ts";

export type VideoCodec = "h264" | "hevc" | "av1" | "vp9";

export interface IngestVideo {
  codec: VideoCodec;
  /** When it is shown, microseconds on the sender's own clock, which begins anywhere and does not wrap. */
  ptsUs: number;
  /** Grows with each unit. After `ptsUs` where the sender has negative composition times. */
  dtsUs: number;
  /** A decoder can start here: the bitstream says so for H.264 and HEVC, the tag for others. */
  keyframe: boolean;
  /**
   * H.264 and HEVC: Annex B, parameter sets in front of each keyframe. AV1: OBUs. VP9: a frame. Units come in decode order, the first
   * is a keyframe. A buffer of its own.
   */
  bytes: Uint8Array;
  /** av1C or vpcC of AV1 and VP9. */
  config: Uint8Array | undefined;
}

export interface IngestAudio {
  codec: "aac" | "opus" | "mp3";
  /** Microseconds on the same clock as pictures; grows with each unit. */
  timeUs: number;
  /** AudioSpecificConfig of AAC, OpusHead of Opus; undefined for MP3 and where Opus comes without. */
  config: Uint8Array | undefined;
  /** The first, read. */
  aac: AacConfig | undefined;
  /** One raw AAC frame, one Opus packet, MP3 frames. A view into a buffer that nobody else changes. */
  bytes: Uint8Array;
}

export type IngestEndCode =
  /** The sender said that it is done. */
  | "finished"
  /** The connection ended or broke. */
  | "disconnected"
  /** The same key was used anew. */
  | "taken-over"
  /** Nothing came for a while. */
  | "idle"
  /** What was sent breaks RTMP, or our limits. */
  | "protocol-error"
  /** A codec or a form of it that the room does not take. */
  | "codec-refused"
  /** `IngestControl.end`, or the server closes. */
  | "ended-here";

export interface IngestEnd {
  code: IngestEndCode;
  /** For people. */
  message: string;
}

/** Calls are synchronous, must return soon and must not throw. */
export interface IngestSink {
  onVideo(unit: IngestVideo): void;
  onAudio(unit: IngestAudio): void;
  /** onMetaData, as it came: nothing in it is checked. */
  onMetadata(entries: Amf0Object): void;
  /** Nothing comes after it. */
  onEnd(end: IngestEnd): void;
}

/** What was taken and left out of one publication. */
export interface IngestStats {
  bytes: number;
  videoUnits: number;
  audioUnits: number;
  /** Pictures that the tag calls keyframes and the bitstream does not: open GOP or intra refresh, which nobody can join at. */
  falseKeyframes: number;
  dropped: Record<IngestDrop, number>;
}

export type IngestDrop =
  /** Came before its decoder configuration. */
  | "no-config"
  /** A picture before the first keyframe. */
  | "no-keyframe"
  /** Of another track than the first. */
  | "other-track"
  | "malformed"
  | "too-large"
  /** Data messages that are no metadata, colour information and the like. */
  | "not-media";

/** A running publication, as the sink's maker holds it. */
export interface IngestControl {
  readonly remoteAddress: string;
  readonly stats: Readonly<IngestStats>;
  /** Ends it from our side; `message` is told to the sender. The sink's onEnd follows at once. */
  end(message: string): void;
}

export interface IngestRequest {
  /** First part of the path, "live" in rtmp://host/live/key. */
  app: string;
  /** Publish name without query; empty where the key is in the app. */
  name: string;
  /** Of app and name together. */
  query: Readonly<Record<string, string>>;
  /** Where the key is found: `key` or its like in the query, the publish name, or the app's last part. May be empty. */
  streamKey: string;
  remoteAddress: string;
}

export type IngestAnswer =
  | {
      granted: true;
      /** Two grants of the same one take over from each other. */
      publication: string;
      /** Beside H.264. */
      videoCodecs?: readonly VideoCodec[];
      open(control: IngestControl): IngestSink;
    }
  | {
      granted: false;
      /** A sentence for whoever set up the sending program. */
      message: string;
      /** Counts towards the limit of wrong keys of its address. */
      wrongKey: boolean;
    };

export type Authorise = (request: IngestRequest) => Promise<IngestAnswer>;
