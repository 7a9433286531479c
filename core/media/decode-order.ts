/**
 * Puts the video units of one rendition into the order in which the decoder must have them, gives up on one that
 * does not come, and then waits for a keyframe. Bounded; says when a keyframe should be asked for.
 */
import type { AccessUnit } from "../delivery/access-unit.ts";

/** Units that may wait for an earlier one; at more the missing one is given up. */
export const MAX_WAITING_UNITS = 60;

export type DecodeOrderDrop = "late" | "duplicate" | "no-reference";

export class DecodeOrder {
  readonly #waiting = new Map<number, AccessUnit>();
  readonly #dropped: Record<DecodeOrderDrop, number> = { late: 0, duplicate: 0, "no-reference": 0 };
  /** Frame id that the decoder needs next; undefined before the first keyframe and after a loss. */
  #next: number | undefined;
  #waitingSinceUs: number | undefined;

  get dropped(): Readonly<Record<DecodeOrderDrop, number>> {
    return this.#dropped;
  }

  /** Nothing can be decoded before a keyframe comes. */
  get needsKeyframe(): boolean {
    return this.#next === undefined;
  }

  /** Since when a missing unit holds up others; undefined when none does. */
  get blockedSinceUs(): number | undefined {
    return this.#waiting.size > 0 ? this.#waitingSinceUs : undefined;
  }

  /** Takes a unit; emits what can be decoded now, in order. */
  push(unit: AccessUnit, nowUs: number, emit: (unit: AccessUnit) => void): void {
    if (this.#next === undefined) {
      if (!unit.keyframe) return this.#drop("no-reference");
      this.#next = unit.frameId;
    }
    const ahead = (unit.frameId - this.#next) | 0;
    if (ahead < 0) return this.#drop("late");
    if (this.#waiting.has(unit.frameId)) return this.#drop("duplicate");
    if (ahead > 0 && unit.keyframe) {
      // A keyframe needs nothing before it: whatever is still missing no longer matters.
      this.#forgetBefore(unit.frameId);
      this.#next = unit.frameId;
    }
    if (this.#waiting.size === 0) this.#waitingSinceUs = nowUs;
    this.#waiting.set(unit.frameId, unit);
    this.#emitReady(nowUs, emit);
    if (this.#waiting.size > MAX_WAITING_UNITS) this.giveUp(nowUs, emit);
  }

  /** The missing unit is too late: skip to a waiting keyframe, or wait for the next one. */
  giveUp(nowUs: number, emit: (unit: AccessUnit) => void): void {
    let keyframe: number | undefined;
    for (const unit of this.#waiting.values()) {
      if (unit.keyframe && (keyframe === undefined || ((unit.frameId - keyframe) | 0) < 0)) {
        keyframe = unit.frameId;
      }
    }
    if (keyframe === undefined) {
      this.#dropped["no-reference"] += this.#waiting.size;
      this.#waiting.clear();
      this.#next = undefined;
      return;
    }
    this.#forgetBefore(keyframe);
    this.#next = keyframe;
    this.#emitReady(nowUs, emit);
  }

  /** The decoder lost its state, or the stream starts anew. */
  reset(): void {
    this.#waiting.clear();
    this.#next = undefined;
  }

  #emitReady(nowUs: number, emit: (unit: AccessUnit) => void): void {
    let next = this.#next;
    while (next !== undefined) {
      const unit = this.#waiting.get(next);
      if (unit === undefined) break;
      this.#waiting.delete(next);
      next = (next + 1) >>> 0;
      this.#next = next;
      this.#waitingSinceUs = nowUs;
      emit(unit);
    }
  }

  #forgetBefore(frameId: number): void {
    for (const id of this.#waiting.keys()) {
      if (((id - frameId) | 0) < 0) {
        this.#waiting.delete(id);
        this.#dropped["no-reference"]++;
      }
    }
  }

  #drop(reason: DecodeOrderDrop): void {
    this.#dropped[reason]++;
  }
}
