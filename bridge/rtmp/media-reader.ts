/** Audio, video, data and aggregate messages of one publication to its sink: counts what is left out, ends what makes no sense any more. */
import { AudioTrack } from "./audio-track.ts";
import { ByteCursor } from "./byte-cursor.ts";
import type { RtmpMessage } from "./chunk-reader.ts";
import { readAudioTags } from "./flv-audio.ts";
import { readVideoTags } from "./flv-video.ts";
import type { IngestDrop, IngestSink, IngestStats, VideoCodec } from "./ingest-sink.ts";
import { MAX_MALFORMED_IN_A_ROW } from "./limits.ts";
import { isAmf0Object, MESSAGE, readData } from "./messages.ts";
import { PublicationError } from "./publication-error.ts";
import { RtmpError } from "./rtmp-error.ts";
import { Timeline } from "./timeline.ts";
import { VideoTrack } from "./video-track.ts";

export class MediaReader {
  readonly stats: IngestStats = {
    bytes: 0,
    videoUnits: 0,
    audioUnits: 0,
    falseKeyframes: 0,
    dropped: {
      "no-config": 0,
      "no-keyframe": 0,
      "other-track": 0,
      malformed: 0,
      "too-large": 0,
      "not-media": 0,
    },
  };
  readonly #timeline = new Timeline();
  readonly #video: VideoTrack;
  readonly #audio = new AudioTrack();
  #malformedInARow = 0;

  constructor(videoCodecs: readonly VideoCodec[]) {
    this.#video = new VideoTrack(videoCodecs);
  }

  /** Throws PublicationError where the publication is to end. */
  push(message: RtmpMessage, sink: IngestSink): void {
    this.stats.bytes += message.payload.length;
    try {
      if (message.type === MESSAGE.aggregate) this.#pushAggregate(message, sink);
      else this.#pushOne(message.type, message.timestamp, message.payload, sink);
      this.#malformedInARow = 0;
    } catch (error) {
      if (!(error instanceof RtmpError)) throw error;
      this.#drop("malformed");
      if (++this.#malformedInARow <= MAX_MALFORMED_IN_A_ROW) return;
      throw new PublicationError("protocol-error", `Media cannot be read any more: ${error.message}`, {
        cause: error,
      });
    }
  }

  #pushOne(type: number, timestamp: number, payload: Uint8Array, sink: IngestSink): void {
    if (type === MESSAGE.video) this.#pushVideo(timestamp, payload, sink);
    else if (type === MESSAGE.audio) this.#pushAudio(timestamp, payload, sink);
    else if (type === MESSAGE.data || type === MESSAGE.data3) this.#pushData(type, payload, sink);
    else this.#drop("not-media");
  }

  #pushVideo(timestamp: number, payload: Uint8Array, sink: IngestSink): void {
    const tags = readVideoTags(payload);
    const tag = this.#video.choose(tags);
    this.#drop("other-track", tags.length - (tag === undefined ? 0 : 1));
    const unit = tag === undefined ? undefined : this.#video.push(tag, this.#timeline.at(timestamp));
    if (typeof unit === "string") this.#drop(unit);
    else if (unit !== undefined) {
      this.stats.videoUnits++;
      if (tag?.keyframe === true && !unit.keyframe) this.stats.falseKeyframes++;
      sink.onVideo(unit);
    }
  }

  #pushAudio(timestamp: number, payload: Uint8Array, sink: IngestSink): void {
    const tags = readAudioTags(payload);
    const tag = this.#audio.choose(tags);
    this.#drop("other-track", tags.length - (tag === undefined ? 0 : 1));
    const unit = tag === undefined ? undefined : this.#audio.push(tag, this.#timeline.at(timestamp));
    if (typeof unit === "string") this.#drop(unit);
    else if (unit !== undefined) {
      this.stats.audioUnits++;
      sink.onAudio(unit);
    }
  }

  #pushData(type: number, payload: Uint8Array, sink: IngestSink): void {
    const values = readData({ type, payload, streamId: 0, timestamp: 0, chunkStreamId: 0 });
    const at = values[0] === "@setDataFrame" ? 1 : 0;
    const entries = values[at + 1];
    if (values[at] === "onMetaData" && isAmf0Object(entries)) sink.onMetadata(entries);
    else this.#drop("not-media");
  }

  /** Several FLV tags in one message; their times count from the first one's (specification 7.1.6). */
  #pushAggregate(message: RtmpMessage, sink: IngestSink): void {
    const cursor = new ByteCursor(message.payload, "aggregate message");
    let firstMs: number | undefined;
    while (cursor.left > 0) {
      const type = cursor.u8();
      const length = cursor.u24();
      const low = cursor.u24();
      const ms = ((cursor.u8() << 24) | low) >>> 0;
      cursor.u24();
      const payload = cursor.take(length);
      // Each is followed by the length of the tag, but some leave the last one's away.
      cursor.take(Math.min(4, cursor.left));
      firstMs ??= ms;
      this.#pushOne(type, (message.timestamp + ms - firstMs) >>> 0, payload, sink);
    }
  }

  #drop(reason: IngestDrop, count = 1): void {
    this.stats.dropped[reason] += count;
  }
}
