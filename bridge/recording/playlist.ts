/** A recording as an HLS media playlist of byte ranges (RFC 8216, 4.3): EVENT while it is recorded, VOD afterwards, at one address. */
import type { RecordedSegment, RecordingIndex } from "./recording-index.ts";

/** The file of a recording as playlists below /hls/<room>/ say it, wherever /hls and /recordings lie. */
export function mediaFromHls(id: string): string {
  return `../../recordings/${id}/media.mp4`;
}

/** Seconds, where no segment is longer; it must not change while a playlist grows (4.3.3.1), and no writer of parts makes longer segments. */
const TARGET_SECONDS = 4;

function linesOf(index: RecordingIndex, at: number, isFirst: boolean, mediaUri: string): string {
  const segment = index.segments[at]!;
  const before = index.segments[at - 1];
  const init = index.inits[segment.init]!;
  let lines = "";
  if (segment.discontinuity && !isFirst) lines += "#EXT-X-DISCONTINUITY\n";
  if (isFirst || before?.init !== segment.init) {
    lines += `#EXT-X-MAP:URI="${mediaUri}",BYTERANGE="${init.length}@${init.offset}"\n`;
  }
  if (isFirst || segment.discontinuity) {
    lines += `#EXT-X-PROGRAM-DATE-TIME:${new Date(segment.startUs / 1000).toISOString()}\n`;
  }
  return `${lines}#EXTINF:${secondsOf(segment)},\n#EXT-X-BYTERANGE:${segment.length}@${segment.offset}\n${mediaUri}\n`;
}

function secondsOf({ durationUs }: RecordedSegment): string {
  return (durationUs / 1e6).toFixed(5);
}

/** Keeps the lines of a recording's finished segments, which never change, so that a reload costs what is new. */
export class RecordingPlaylist {
  readonly #index: RecordingIndex;
  readonly #mediaUri: string;
  #lines = "";
  #written = 0;
  #longestUs = 0;

  constructor(index: RecordingIndex, mediaUri: string) {
    this.#index = index;
    this.#mediaUri = mediaUri;
  }

  /**
   * `ended`: nothing comes any more; until then the last segment may grow, and is not listed. `untilUs`: without segments that end later,
   * in microseconds since the Unix epoch; it must not be less than the last time.
   */
  text(ended: boolean, untilUs = Number.POSITIVE_INFINITY): string {
    const { segments } = this.#index;
    const count = ended ? this.#index.countOverAt(untilUs) : segments.length - 1;
    for (; this.#written < count; this.#written++) {
      this.#lines += linesOf(this.#index, this.#written, this.#written === 0, this.#mediaUri);
      this.#longestUs = Math.max(this.#longestUs, segments[this.#written]!.durationUs);
    }
    const target = Math.max(TARGET_SECONDS, Math.round(this.#longestUs / 1e6));
    const head = [
      "#EXTM3U",
      // Init segments beside I-frame playlists (7).
      "#EXT-X-VERSION:7",
      `#EXT-X-TARGETDURATION:${target}`,
      `#EXT-X-PLAYLIST-TYPE:${ended ? "VOD" : "EVENT"}`,
      "#EXT-X-INDEPENDENT-SEGMENTS",
      "#EXT-X-MEDIA-SEQUENCE:0",
      "",
    ].join("\n");
    return head + this.#lines + (ended ? "#EXT-X-ENDLIST\n" : "");
  }
}
