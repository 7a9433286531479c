/**
 * How long one listener was without one track: the longest time between two units that it could use, less the time between two
 * units as they were made. So a publisher that is late by itself is no gap, and a lost unit is one.
 */
import type { AccessUnit } from "../../core/delivery/access-unit.ts";

export class GapMeter {
  /** A picture needs the one before it, unless it is a keyframe. */
  readonly #needsOrder: boolean;
  #last: { frameId: number; captureTimeUs: number; arrivedUs: number } | undefined;
  #longestUs = 0;
  /** Usable units, and those missing between them for good. */
  units = 0;
  lost = 0;

  constructor(needsOrder: boolean) {
    this.#needsOrder = needsOrder;
  }

  /** Returns false for a unit that cannot be used, because one before it is missing. */
  push({ frameId, captureTimeUs, keyframe }: AccessUnit, arrivedUs: number): boolean {
    const last = this.#last;
    if (last !== undefined && frameId <= last.frameId) return true;
    if (this.#needsOrder && !keyframe && frameId !== (last?.frameId ?? -2) + 1) return false;
    this.units++;
    this.#last = { frameId, captureTimeUs, arrivedUs };
    if (last === undefined) return true;
    this.lost += frameId - last.frameId - 1;
    const spacingUs = (captureTimeUs - last.captureTimeUs) / (frameId - last.frameId);
    this.#longestUs = Math.max(this.#longestUs, arrivedUs - last.arrivedUs - spacingUs);
    return true;
  }

  /** Begins anew; what follows is measured from the last unit on. */
  reset(): void {
    this.#longestUs = 0;
    this.units = 0;
    this.lost = 0;
  }

  /** Longest gap since `reset`, one that goes on until now included. */
  longestMs(nowUs: number): number {
    const runningUs = this.#last === undefined ? 0 : nowUs - this.#last.arrivedUs;
    // Units of 20 and 33 ms: shorter waits than two of them are no gap yet.
    return Math.max(this.#longestUs, runningUs > 70_000 ? runningUs : 0) / 1_000;
  }
}
