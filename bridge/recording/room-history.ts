/**
 * What live playlists of a room list before what is in memory: segments of the recording that is made of the same parts. One that has
 * ended stays listed for as long as it reaches up to what is in memory.
 */
import type { HistorySegment, SegmentHistory } from "../hls/segment-history.ts";
import { LiveHistory } from "./live-history.ts";
import { mediaFromHls } from "./playlist.ts";
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
    // Another recording of the room may hold what this programme leaves out: a picture, or somebody's voice.
    const shown = this.#recordings.running.find(({ info, isShown }) => info.room === this.#room && isShown);
    if (shown !== undefined && this.#of?.recorder !== shown) {
      this.#of = { recorder: shown, history: new LiveHistory(shown, mediaFromHls(shown.id)) };
    }
    return this.#of?.history.segmentsBefore(startUs) ?? [];
  }
}
