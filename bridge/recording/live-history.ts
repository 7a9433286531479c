/**
 * A running recording as the history of a live playlist of the same parts (bridge/hls/segment-history.ts): what lies before the live window is
 * listed as ranges of the recording's file. Only a recording that began with this writer of parts can be: one that was gone on with has times of
 * another timeline, and its own playlist has them all.
 */
import type { HistorySegment, SegmentHistory } from "../hls/segment-history.ts";
import type { Recorder } from "./recorder.ts";
import { type RecordingIndex, SLACK_US } from "./recording-index.ts";

export class LiveHistory implements SegmentHistory {
  readonly #recorder: Recorder;
  readonly #uri: string;
  /** Of segments that are over; grows. */
  readonly #listed: HistorySegment[] = [];
  #cut: { count: number; list: readonly HistorySegment[] } = { count: 0, list: [] };

  /** `uri`: where the file of the recording is, as live playlists are to say it. */
  constructor(recorder: Recorder, uri: string) {
    this.#recorder = recorder;
    this.#uri = uri;
  }

  segmentsBefore(startUs: number): readonly HistorySegment[] {
    const { index, goesOn } = this.#recorder;
    const count = goesOn ? 0 : index.countOverAt(startUs);
    const last = index.segments[count - 1];
    if (last === undefined || Math.abs(last.startUs + last.durationUs - startUs) > SLACK_US) return [];
    while (this.#listed.length < count) this.#listed.push(this.#segment(index, this.#listed.length));
    if (count === this.#listed.length) return this.#listed;
    if (this.#cut.count !== count) this.#cut = { count, list: this.#listed.slice(0, count) };
    return this.#cut.list;
  }

  #segment(index: RecordingIndex, at: number): HistorySegment {
    const { offset, length, init, startUs, durationUs, discontinuity } = index.segments[at]!;
    const head = index.inits[init]!;
    return {
      media: { uri: this.#uri, range: { offset, length } },
      init: { uri: this.#uri, range: { offset: head.offset, length: head.length } },
      startUs,
      durationUs,
      discontinuity,
    };
  }
}
