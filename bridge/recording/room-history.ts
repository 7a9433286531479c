/** What live playlists of a room list before what is in memory: segments of whatever recording of it runs. */
import type { HistorySegment, SegmentHistory } from "../hls/segment-history.ts";
import { LiveHistory } from "./live-history.ts";
import type { Recorder } from "./recorder.ts";
import type { Recordings } from "./recordings.ts";

export class RoomHistory implements SegmentHistory {
  readonly #recordings: Recordings;
  readonly #room: string;
  #of: { recorder: Recorder; history: LiveHistory } | undefined;

  constructor(recordings: Recordings, room: string) {
    this.#recordings = recordings;
    this.#room = room;
  }

  segmentsBefore(startUs: number): readonly HistorySegment[] {
    const recorder = this.#recordings.running.find(({ info }) => info.room === this.#room);
    if (recorder === undefined) return [];
    if (this.#of?.recorder !== recorder) {
      const uri = `/recordings/${recorder.id}/media.mp4`;
      this.#of = { recorder, history: new LiveHistory(recorder, uri) };
    }
    return this.#of.history.segmentsBefore(startUs);
  }
}
