/**
 * Decides, each time the speaker needs another frame of audio, what it gets: the next unit, concealment, or
 * silence while the buffer fills; and whether the sound should be hurried or slowed towards the target delay.
 * Knows no codec: the audio receiver decodes, conceals and stretches as told.
 */
import type { AccessUnit } from "../delivery/access-unit.ts";
import { DelayHistogram } from "./delay-histogram.ts";

/** Units held at most; at more the oldest are skipped (`overflow`). 2 s of 20 ms frames. */
export const MAX_HELD_UNITS = 100;
/** Concealed frames in a row after which the stream counts as stopped and fills anew. */
const MAX_CONCEALED_IN_A_ROW = 25;
/** Delay may be over or under the target by this much before the sound is stretched; under it units come too late. */
const OVER_BAND_US = 10_000;
const UNDER_BAND_US = 3_000;
/** Further off than this the extra is skipped instead of hurried. */
const SKIP_ABOVE_US = 400_000;
/** Share of units that the target delay must cover. */
const QUANTILE = 0.97;
/** Waiting time before anything is known of the network. */
const INITIAL_TARGET_US = 20_000;
const LEARNED_AFTER_UNITS = 25;
/** The target comes down by at most this per frame played, so that one calm second does not undo a bad one. */
const TARGET_FALL_US = 500;

export type JitterDrop = "late" | "duplicate" | "overflow" | "skipped";

export type Playout =
  /** `stretch`: play it shorter or longer than it is, to move the delay towards the target. */
  | { kind: "unit"; unit: AccessUnit; stretch: "none" | "shorter" | "longer" }
  | { kind: "conceal" }
  | { kind: "silence" };

export interface JitterBufferOptions {
  frameDurationUs: number;
  /** Bounds of the target in microseconds. */
  minDelayUs: number;
  maxDelayUs: number;
}

const SILENCE: Playout = { kind: "silence" };
const CONCEAL: Playout = { kind: "conceal" };

export class JitterBuffer {
  readonly #units = new Map<number, AccessUnit>();
  readonly #histogram = new DelayHistogram(QUANTILE);
  readonly #frameUs: number;
  readonly #dropped: Record<JitterDrop, number> = { late: 0, duplicate: 0, overflow: 0, skipped: 0 };
  #minDelayUs: number;
  #maxDelayUs: number;
  /** Lower bound set by the picture, which may need longer. */
  #syncDelayUs = 0;
  #targetUs = INITIAL_TARGET_US;
  /** Frame id that is due next; undefined while filling. */
  #next: number | undefined;
  #concealedInARow = 0;
  /** Frames concealed while nothing later was here either: they may be late, not lost. */
  #expanded = 0;
  #delayUs = 0;
  #paused = false;

  constructor(options: JitterBufferOptions) {
    this.#frameUs = options.frameDurationUs;
    this.#minDelayUs = options.minDelayUs;
    this.#maxDelayUs = options.maxDelayUs;
  }

  get dropped(): Readonly<Record<JitterDrop, number>> {
    return this.#dropped;
  }

  get targetMs(): number {
    return this.#targetUs / 1000;
  }

  /** What the sound itself would wait, without the picture's wish. */
  get ownTargetUs(): number {
    return this.#histogram.count < LEARNED_AFTER_UNITS ? INITIAL_TARGET_US : this.#histogram.targetUs();
  }

  get jitterMs(): number {
    return this.#histogram.jitterUs / 1000;
  }

  /** How long the last unit played had waited since the fastest possible arrival. */
  get delayMs(): number {
    return this.#delayUs / 1000;
  }

  get heldUnits(): number {
    return this.#units.size;
  }

  /** Changes the bounds of the target. */
  setBounds(minDelayUs: number, maxDelayUs: number): void {
    this.#minDelayUs = minDelayUs;
    this.#maxDelayUs = maxDelayUs;
  }

  /** The picture needs the sound to wait at least this long (relative to the sound's own fastest arrival). */
  setSyncDelay(delayUs: number): void {
    this.#syncDelayUs = delayUs;
  }

  /** Takes a unit that arrived; `arrivedUs` and `unit.captureTimeUs` may be of different clocks. */
  push(unit: AccessUnit, arrivedUs: number): void {
    this.#histogram.push(unit.captureTimeUs, arrivedUs);
    if (this.#next !== undefined) {
      const ahead = (unit.frameId - this.#next) | 0;
      if (ahead < 0 && ahead > -MAX_HELD_UNITS * 10) {
        this.#dropped.late++;
        return;
      }
      // Another numbering altogether: the publisher started over.
      if (ahead <= -MAX_HELD_UNITS * 10 || ahead > MAX_HELD_UNITS * 10) this.reset();
    }
    if (this.#units.has(unit.frameId)) {
      this.#dropped.duplicate++;
      return;
    }
    this.#units.set(unit.frameId, unit);
    while (this.#units.size > MAX_HELD_UNITS) {
      const oldest = this.#oldest()!;
      this.#units.delete(oldest);
      this.#dropped.overflow++;
      if (this.#next !== undefined) this.#next = (oldest + 1) >>> 0;
    }
    this.#follow();
  }

  #follow(): void {
    const wanted = Math.max(this.ownTargetUs, this.#syncDelayUs, this.#minDelayUs);
    const bounded = Math.min(wanted, this.#maxDelayUs);
    this.#targetUs = bounded > this.#targetUs ? bounded : Math.max(bounded, this.#targetUs - TARGET_FALL_US);
  }

  #oldest(): number | undefined {
    let oldest: number | undefined;
    for (const id of this.#units.keys()) {
      if (oldest === undefined || ((id - oldest) | 0) < 0) oldest = id;
    }
    return oldest;
  }

  /** The speaker needs one frame now (same clock as `arrivedUs`). */
  pull(nowUs: number): Playout {
    if (this.#next === undefined) return this.#start(nowUs);
    const unit = this.#units.get(this.#next);
    if (unit !== undefined) return this.#play(unit, nowUs);
    const oldest = this.#oldest();
    if (oldest === undefined) {
      if (this.#paused) {
        this.reset();
        return SILENCE;
      }
      this.#expanded++;
      return this.#conceal();
    }
    const missing = (oldest - this.#next) | 0;
    if (this.#expanded > 0) {
      // Frames already concealed while waiting stand for as many of the missing ones.
      const stood = Math.min(this.#expanded, missing);
      this.#expanded = 0;
      this.#next = (this.#next + stood) >>> 0;
      const due = this.#units.get(this.#next);
      if (due !== undefined) return this.#play(due, nowUs);
    }
    this.#next = (this.#next + 1) >>> 0;
    return this.#conceal();
  }

  /** While paused (the publisher muted) an empty buffer is silence, not loss; the next unit starts anew. */
  setPaused(paused: boolean): void {
    this.#paused = paused;
  }

  /** Forgets everything held; the stream starts anew (mute, another publisher session). */
  reset(): void {
    this.#units.clear();
    this.#next = undefined;
    this.#expanded = 0;
    this.#concealedInARow = 0;
  }

  #delayOf(unit: AccessUnit, nowUs: number): number {
    return nowUs - unit.captureTimeUs - this.#histogram.baseUs;
  }

  #start(nowUs: number): Playout {
    let oldest = this.#oldest();
    if (oldest === undefined) return SILENCE;
    // Units that waited longer than needed (a burst at the start) would only add delay.
    while (this.#units.size > 1) {
      const delayUs = this.#delayOf(this.#units.get(oldest)!, nowUs);
      if (delayUs < this.#targetUs + this.#frameUs) break;
      this.#units.delete(oldest);
      this.#dropped.skipped++;
      oldest = this.#oldest()!;
    }
    const unit = this.#units.get(oldest)!;
    if (this.#delayOf(unit, nowUs) < this.#targetUs) return SILENCE;
    this.#next = oldest;
    return this.#play(unit, nowUs);
  }

  #play(unit: AccessUnit, nowUs: number): Playout {
    this.#units.delete(unit.frameId);
    this.#next = (unit.frameId + 1) >>> 0;
    this.#expanded = 0;
    this.#concealedInARow = 0;
    this.#delayUs = this.#delayOf(unit, nowUs);
    this.#follow();
    const excessUs = this.#delayUs - this.#targetUs;
    const following = this.#units.get(this.#next);
    if (excessUs > SKIP_ABOVE_US && following !== undefined) {
      this.#dropped.skipped++;
      return this.#play(following, nowUs);
    }
    // Hurry only when there is more to play, or the hurried frame is paid back by concealment.
    if (excessUs > OVER_BAND_US && following !== undefined) return { kind: "unit", unit, stretch: "shorter" };
    if (excessUs < -UNDER_BAND_US) return { kind: "unit", unit, stretch: "longer" };
    return { kind: "unit", unit, stretch: "none" };
  }

  #conceal(): Playout {
    if (++this.#concealedInARow > MAX_CONCEALED_IN_A_ROW) {
      this.#next = undefined;
      this.#expanded = 0;
      this.#concealedInARow = 0;
      return SILENCE;
    }
    return CONCEAL;
  }
}
