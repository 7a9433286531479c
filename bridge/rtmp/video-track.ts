/** Video tags of one publication to access units: one track of them, of a codec that the room takes, from the first keyframe on. */
import { type AvcConfig, annexBOfAvcc, readAvcConfig } from "./avc-config.ts";
import type { VideoTag } from "./flv-video.ts";
import { annexBOfHevc, type HevcConfig, readHevcConfig } from "./hevc-config.ts";
import type { IngestDrop, IngestVideo, VideoCodec } from "./ingest-sink.ts";
import { MAX_UNIT_BYTES } from "./limits.ts";
import { PublicationError } from "./publication-error.ts";
import { TrackTimes } from "./timeline.ts";

const CODECS: Readonly<Record<string, VideoCodec>> = { avc1: "h264", hvc1: "hevc", av01: "av1", vp09: "vp9" };
const NAMES: Readonly<Record<string, string>> = {
  hvc1: "HEVC (H.265)",
  av01: "AV1",
  vp09: "VP9",
  vp08: "VP8",
  vvc1: "VVC (H.266)",
  "flv:2": "Sorenson H.263",
  "flv:4": "VP6",
};

/** How units of one codec are made. */
type Decoder =
  | { codec: "h264"; config: AvcConfig }
  | { codec: "hevc"; config: HevcConfig }
  | { codec: "av1" | "vp9"; config: Uint8Array };

export class VideoTrack {
  readonly #allowed: ReadonlySet<VideoCodec>;
  readonly #times = new TrackTimes();
  #trackId: number | undefined;
  #record = new Uint8Array(0);
  #decoder: Decoder | undefined;
  #started = false;

  constructor(allowed: readonly VideoCodec[]) {
    this.#allowed = new Set<VideoCodec>(["h264", ...allowed]);
  }

  /** The tag of those in one message that is of our track; the first whose codec is allowed becomes it. Throws PublicationError. */
  choose(tags: readonly VideoTag[]): VideoTag | undefined {
    if (this.#trackId !== undefined) return tags.find((tag) => tag.trackId === this.#trackId);
    const found = tags.find((tag) => this.#codecOf(tag) !== undefined);
    if (found === undefined && tags[0] !== undefined) throw this.#refusal(tags[0].codec);
    this.#trackId = found?.trackId;
    return found;
  }

  /** A unit, why there is none, or undefined where the tag brings none. Throws RtmpError and PublicationError. */
  push(tag: VideoTag, timeMs: number): IngestVideo | IngestDrop | undefined {
    const codec = this.#codecOf(tag);
    if (codec === undefined) throw this.#refusal(tag.codec);
    if (tag.kind === "config") return this.#configure(codec, tag.data);
    if (tag.kind === "other") return "not-media";
    if (tag.kind === "end" || tag.data.length === 0) return undefined;
    const decoder = this.#decoder;
    if (decoder === undefined || decoder.codec !== codec) return "no-config";
    if (tag.data.length > MAX_UNIT_BYTES) return "too-large";
    const unit = unitOf(decoder, tag);
    if (unit === undefined) return "malformed";
    if (!unit.keyframe && !this.#started) return "no-keyframe";
    const dtsUs = this.#times.next(timeMs * 1000);
    if (dtsUs === undefined) {
      throw new PublicationError(
        "protocol-error",
        "Picture timestamps have jumped back: start the stream anew.",
      );
    }
    this.#started = true;
    const ptsUs = (timeMs + tag.compositionMs) * 1000 + Math.round(tag.nanoseconds / 1000);
    const config = decoder.codec === "av1" || decoder.codec === "vp9" ? decoder.config : undefined;
    return { codec, ptsUs, dtsUs, keyframe: unit.keyframe, bytes: unit.bytes, config };
  }

  #codecOf(tag: VideoTag): VideoCodec | undefined {
    const codec = CODECS[tag.codec];
    return codec !== undefined && this.#allowed.has(codec) ? codec : undefined;
  }

  #configure(codec: VideoCodec, record: Uint8Array): undefined {
    // Many programs repeat it; what follows the same one goes on as before.
    if (this.#decoder?.codec === codec && equal(record, this.#record)) return;
    this.#decoder = decoderOf(codec, record);
    this.#record = record.slice();
    this.#started = false;
  }

  #refusal(codec: string): PublicationError {
    const name = NAMES[codec] ?? `codec ${JSON.stringify(codec)}`;
    return new PublicationError(
      "codec-refused",
      `${name} is not taken by this room: set the video encoder to H.264.`,
    );
  }
}

function decoderOf(codec: VideoCodec, record: Uint8Array): Decoder {
  if (codec === "hevc") return { codec, config: readHevcConfig(record) };
  if (codec !== "h264") return { codec, config: record.slice() };
  const config = readAvcConfig(record);
  if (!config.common) {
    throw new PublicationError(
      "codec-refused",
      `H.264 profile ${config.profile} is not taken: set the encoder to profile High or lower, 8 bits, 4:2:0.`,
    );
  }
  return { codec, config };
}

function unitOf(decoder: Decoder, tag: VideoTag): { keyframe: boolean; bytes: Uint8Array } | undefined {
  if (decoder.codec === "h264") return annexBOfAvcc(tag.data, decoder.config);
  if (decoder.codec === "hevc") return annexBOfHevc(tag.data, decoder.config);
  return { keyframe: tag.keyframe, bytes: tag.data.slice() };
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
