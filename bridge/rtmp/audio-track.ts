/** Audio tags of one publication to frames: one track of AAC, Opus or MP3, behind its configuration. */
import { type AacConfig, readAacConfig } from "./aac-config.ts";
import type { AudioTag } from "./flv-audio.ts";
import type { IngestAudio, IngestDrop } from "./ingest-sink.ts";
import { PublicationError } from "./publication-error.ts";
import { RtmpError } from "./rtmp-error.ts";
import { TrackTimes } from "./timeline.ts";

const CODECS: Readonly<Record<string, IngestAudio["codec"]>> = { mp4a: "aac", Opus: "opus", ".mp3": "mp3" };
const NAMES: Readonly<Record<string, string>> = {
  fLaC: "FLAC",
  "ac-3": "AC-3",
  "ec-3": "E-AC-3",
  "flv:0": "PCM",
  "flv:1": "ADPCM",
  "flv:3": "PCM",
  "flv:5": "Nellymoser",
  "flv:6": "Nellymoser",
  "flv:7": "G.711 A-law",
  "flv:8": "G.711 mu-law",
  "flv:11": "Speex",
};
const NO_BYTES = new Uint8Array(0);

export class AudioTrack {
  readonly #times = new TrackTimes();
  #trackId: number | undefined;
  #codec: IngestAudio["codec"] | undefined;
  #config: Uint8Array | undefined;
  #aac: AacConfig | undefined;

  /** The tag of those in one message that is of our track; the first whose codec is taken becomes it. Throws PublicationError. */
  choose(tags: readonly AudioTag[]): AudioTag | undefined {
    if (this.#trackId !== undefined) return tags.find((tag) => tag.trackId === this.#trackId);
    const found = tags.find((tag) => CODECS[tag.codec] !== undefined);
    if (found === undefined && tags[0] !== undefined) throw refusal(tags[0].codec);
    this.#trackId = found?.trackId;
    return found;
  }

  /** A frame, why there is none, or undefined where the tag brings none. Throws RtmpError and PublicationError. */
  push(tag: AudioTag, timeMs: number): IngestAudio | IngestDrop | undefined {
    const codec = CODECS[tag.codec];
    if (codec === undefined) throw refusal(tag.codec);
    if (codec !== this.#codec) {
      this.#codec = codec;
      this.#config = undefined;
      this.#aac = undefined;
    }
    if (tag.kind === "config") return this.#configure(codec, tag.data);
    if (tag.kind === "other") return "not-media";
    if (tag.kind === "end" || tag.data.length === 0) return undefined;
    if (codec === "aac" && this.#aac === undefined) return "no-config";
    const timeUs = this.#times.next(timeMs * 1000 + Math.round(tag.nanoseconds / 1000));
    if (timeUs === undefined) {
      throw new PublicationError(
        "protocol-error",
        "Sound timestamps have jumped back: start the stream anew.",
      );
    }
    return { codec, timeUs, config: this.#config, aac: this.#aac, bytes: tag.data };
  }

  #configure(codec: IngestAudio["codec"], data: Uint8Array): undefined {
    if (codec === "aac") {
      try {
        this.#aac = readAacConfig(data);
      } catch (error) {
        if (!(error instanceof RtmpError) || error.fault !== "unsupported") throw error;
        throw new PublicationError("codec-refused", error.message, { cause: error });
      }
    }
    this.#config = (data.length === 0 ? NO_BYTES : data).slice();
  }
}

function refusal(codec: string): PublicationError {
  const name = NAMES[codec] ?? `codec ${JSON.stringify(codec)}`;
  return new PublicationError("codec-refused", `${name} is not taken: set the audio encoder to AAC or Opus.`);
}
