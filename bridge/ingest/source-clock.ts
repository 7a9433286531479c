/**
 * Lays the timeline of a program that sends to us (RTMP, Icecast: starts anywhere, runs on its own clock) onto the room clock. Sound and
 * picture share one, so that they stay as they were sent.
 */
import { CaptureClock } from "../../core/media/capture-clock.ts";

/** Pictures are shown at most so much later than they are decoded; what is beyond is taken for a fault of the sender. */
const MAX_REORDER_US = 1_000_000;

export class SourceClock {
  readonly #clock = new CaptureClock([], 0);
  #reorderUs = 0;

  /**
   * Capture time of what arrived at `arrivedUs` (room clock), was to be decoded at `decodeUs` and shown at `showUs` (both on the sender's
   * timeline, microseconds). Nothing is captured later than it arrives: all is moved back by as much as pictures are reordered.
   */
  captureUs(decodeUs: number, showUs: number, arrivedUs: number): number {
    const aheadUs = Math.min(Math.max(0, showUs - decodeUs), MAX_REORDER_US);
    this.#reorderUs = Math.max(this.#reorderUs, aheadUs);
    return Math.round(this.#clock.map(decodeUs, arrivedUs) + (showUs - decodeUs) - this.#reorderUs);
  }
}
