/**
 * Puts the video units of one rendition into the order in which the decoder must have them. A missing unit holds up those that
 * need it, until they are given up; the others only until they are due (`release`). Bounded; says when only a keyframe
 * helps. docs/wire.md, "Media datagram".
 */
import type { AccessUnit } from "../delivery/access-unit.ts";

/** Units that may wait for an earlier one; at more the missing one is given up. */
export const MAX_WAITING_UNITS = 60;
/** Remembered decoded ids, a power of two above MAX_REFERENCE_DISTANCE. */
const REMEMBERED = 8;

export type DecodeOrderDrop = "late" | "duplicate" | "no-reference";

type Emit = (unit: AccessUnit) => void;

export class DecodeOrder {
  readonly #waiting = new Map<number, AccessUnit>();
  readonly #dropped: Record<DecodeOrderDrop, number> = { late: 0, duplicate: 0, "no-reference": 0 };
  readonly #decoded = new Float64Array(REMEMBERED).fill(-1);
  /** Frame id up to which all is decided: decoded or skipped. Undefined before the first keyframe and after a loss. */
  #last: number | undefined;
  /** Highest frame id that was emitted. */
  #newest: number | undefined;
  #waitingSinceUs = 0;

  get dropped(): Readonly<Record<DecodeOrderDrop, number>> {
    return this.#dropped;
  }

  /** Nothing can be decoded before a keyframe comes. */
  get needsKeyframe(): boolean {
    return this.#last === undefined;
  }

  /** Since when a missing unit holds up others; undefined when none does. */
  get blockedSinceUs(): number | undefined {
    return this.#waiting.size > 0 ? this.#waitingSinceUs : undefined;
  }

  /** Capture time of the first unit that could be decoded now if what is missing before it were skipped. */
  get heldUpCaptureUs(): number | undefined {
    return this.#waiting.size > 0 ? this.#firstDecodable()?.captureTimeUs : undefined;
  }

  /** Takes a unit; emits what can be decoded now, in order. */
  push(unit: AccessUnit, nowUs: number, emit: Emit): void {
    if (this.#last === undefined) {
      if (!unit.keyframe) return this.#drop("no-reference");
      // Brought back after a later one was decoded, before that too was lost from.
      if (this.#newest !== undefined && ((unit.frameId - this.#newest) | 0) <= 0) return this.#drop("late");
      this.#last = (unit.frameId - 1) >>> 0;
    }
    const ahead = (unit.frameId - this.#last) | 0;
    if (ahead <= 0) return this.#drop("late");
    if (this.#waiting.has(unit.frameId)) return this.#drop("duplicate");
    // A keyframe needs nothing before it: whatever is still missing no longer matters.
    if (unit.keyframe) this.#skipTo(unit.frameId);
    if (this.#waiting.size === 0) this.#waitingSinceUs = nowUs;
    this.#waiting.set(unit.frameId, unit);
    this.#emitReady(nowUs, emit);
    if (this.#waiting.size > MAX_WAITING_UNITS) this.giveUp(nowUs, emit);
  }

  /** What was captured by then is due: it no longer waits for missing units that it does not need, which are skipped. */
  release(untilCaptureUs: number, nowUs: number, emit: Emit): void {
    while (this.#waiting.size > 0) {
      const first = this.#firstDecodable();
      if (first === undefined || first.captureTimeUs > untilCaptureUs) return;
      this.#skipTo(first.frameId);
      this.#emitReady(nowUs, emit);
    }
  }

  /** What is missing is too late: goes on without it where that is possible, else waits for a keyframe. */
  giveUp(nowUs: number, emit: Emit): void {
    if (this.heldUpCaptureUs !== undefined) return this.release(Number.POSITIVE_INFINITY, nowUs, emit);
    this.#dropped["no-reference"] += this.#waiting.size;
    this.#waitForKeyframe();
  }

  /** The decoder lost its state, or the stream starts anew. */
  reset(): void {
    this.#waitForKeyframe();
    this.#newest = undefined;
  }

  #waitForKeyframe(): void {
    this.#waiting.clear();
    this.#decoded.fill(-1);
    this.#last = undefined;
  }

  #isDecodable(unit: AccessUnit): boolean {
    const needed = (unit.frameId - unit.reference) >>> 0;
    return unit.keyframe || this.#decoded[needed % REMEMBERED] === needed;
  }

  #firstDecodable(): AccessUnit | undefined {
    let first: AccessUnit | undefined;
    for (const unit of this.#waiting.values()) {
      if (!this.#isDecodable(unit)) continue;
      if (first === undefined || ((unit.frameId - first.frameId) | 0) < 0) first = unit;
    }
    return first;
  }

  #emitReady(nowUs: number, emit: Emit): void {
    // `emit` may reset.
    while (this.#last !== undefined) {
      const next = (this.#last + 1) >>> 0;
      const unit = this.#waiting.get(next);
      if (unit === undefined) return;
      this.#waiting.delete(next);
      this.#last = next;
      this.#waitingSinceUs = nowUs;
      if (this.#isDecodable(unit)) {
        this.#decoded[next % REMEMBERED] = next;
        this.#newest = next;
        emit(unit);
      } else {
        this.#drop("no-reference");
        // Everything later stands on the base layer.
        if (unit.temporalLayer === 0 && !unit.discardable) this.giveUp(nowUs, emit);
      }
    }
  }

  /** Decides all before `frameId`: what waits there needs something that will not be decoded any more. */
  #skipTo(frameId: number): void {
    for (const id of this.#waiting.keys()) {
      if (((id - frameId) | 0) < 0) {
        this.#waiting.delete(id);
        this.#dropped["no-reference"]++;
      }
    }
    this.#last = (frameId - 1) >>> 0;
  }

  #drop(reason: DecodeOrderDrop): void {
    this.#dropped[reason]++;
  }
}
