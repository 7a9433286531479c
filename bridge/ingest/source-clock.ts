/**
 * Lays the timeline of a program that sends to us (RTMP: starts anywhere, runs on its own clock) onto the room clock. Sound and picture share
 * one, so that they stay as they were sent. What is learned of the way there moves it slowly: a step would be seen and heard.
 */
import { CaptureClock } from "../../core/media/capture-clock.ts";

/** Pictures are shown at most so much later than they are decoded; what is beyond is taken for a fault of the sender. */
const MAX_REORDER_US = 1_000_000;
/** The timelines move against each other by at most this share of the time that passes. */
const SLEW = 0.02;
/** Unless they are so far off: the sender has begun anew. */
const JUMP_US = 200_000;

export class SourceClock {
  readonly #clock = new CaptureClock([], 0);
  #reorderUs = 0;
  /** Room clock less the sender's; undefined before the first unit. */
  #offsetUs: number | undefined;
  #movedUs = 0;

  /**
   * Capture time of what arrived at `arrivedUs` (room clock), was to be decoded at `decodeUs` and shown at `showUs` (both on the sender's
   * timeline, microseconds). Nothing is captured later than it arrives: all is moved back by as much as pictures are reordered.
   */
  captureUs(decodeUs: number, showUs: number, arrivedUs: number): number {
    const aheadUs = Math.min(Math.max(0, showUs - decodeUs), MAX_REORDER_US);
    this.#reorderUs = Math.max(this.#reorderUs, aheadUs);
    return Math.round(
      showUs + this.#follow(this.#clock.map(decodeUs, arrivedUs) - decodeUs, arrivedUs) - this.#reorderUs,
    );
  }

  #follow(offsetUs: number, nowUs: number): number {
    const differenceUs = offsetUs - (this.#offsetUs ?? offsetUs);
    const mostUs = SLEW * Math.max(0, nowUs - this.#movedUs);
    this.#movedUs = nowUs;
    this.#offsetUs =
      this.#offsetUs === undefined || Math.abs(differenceUs) > JUMP_US
        ? offsetUs
        : this.#offsetUs + Math.max(-mostUs, Math.min(mostUs, differenceUs));
    return this.#offsetUs;
  }
}
