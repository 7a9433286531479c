/**
 * How far a picture on this screen is behind the moment that it was taken: the stream's program date time (RFC 8216bis,
 * 4.4.4.6) against a clock that is the server's as far as can be told from its Date headers (RFC 9110, 6.6.1).
 */

/** A header older than this was not made for us, or our clock is another world's. */
const MAX_OFFSET_MS = 366 * 24 * 3600_000;
/** The estimate is forgotten after so many looks, so that a clock that was set meanwhile is noticed. */
const LOOKS_PER_ESTIMATE = 240;
/** Displayed latencies of which the median is shown. */
const SHOWN_LOOKS = 5;

/**
 * How much this device's clock is ahead of the server's. A Date header is cut to whole seconds and takes a while to
 * arrive, both of which make the difference larger and never smaller: the smallest of many is nearest to the truth.
 */
export class ClockOffset {
  #bestMs: number | undefined;
  #nextMs: number | undefined;
  #looks = 0;

  /** Milliseconds, 0 until something is known. */
  get offsetMs(): number {
    return this.#bestMs ?? 0;
  }

  /**
   * `dateHeader` as it came, `ageHeader` of a cache if any, `nowMs` = this device's time of day at its arrival. A cached
   * answer says nothing.
   */
  look(dateHeader: string | null, ageHeader: string | null, nowMs: number): void {
    if (dateHeader === null || (ageHeader !== null && ageHeader.trim() !== "0")) return;
    const differenceMs = nowMs - Date.parse(dateHeader);
    if (!(Math.abs(differenceMs) < MAX_OFFSET_MS)) return;
    this.#bestMs = Math.min(this.#bestMs ?? Number.POSITIVE_INFINITY, differenceMs);
    this.#nextMs = Math.min(this.#nextMs ?? Number.POSITIVE_INFINITY, differenceMs);
    this.#looks += 1;
    if (this.#looks < LOOKS_PER_ESTIMATE) return;
    this.#bestMs = this.#nextMs;
    this.#nextMs = undefined;
    this.#looks = 0;
  }
}

/** The latency as it is shown: the median of the last looks, so that the figure is calm. */
export class ShownLatency {
  #looks: number[] = [];

  /** `takenAtMs`: time of day when the picture on screen was taken; both in milliseconds since 1970. */
  look(takenAtMs: number, nowMs: number, clock: ClockOffset): void {
    const latencyMs = nowMs - clock.offsetMs - takenAtMs;
    if (!Number.isFinite(latencyMs)) return;
    this.#looks = [...this.#looks, Math.max(0, latencyMs)].slice(-SHOWN_LOOKS);
  }

  clear(): void {
    this.#looks = [];
  }

  /** Milliseconds; null before the first look. */
  get latencyMs(): number | null {
    const sorted = [...this.#looks].sort((a, b) => a - b);
    return sorted[sorted.length >> 1] ?? null;
  }
}
