/**
 * Decides every 10 ms whether the sound should be hurried or slowed: when its delay leaves the band around the target,
 * and, little by little, when the clocks of source and speaker run apart.
 */
import { ClockDrift } from "./clock-drift.ts";

/** The delay may be this much over or under the target; under it units come too late. */
const OVER_BAND_US = 10_000;
const UNDER_BAND_US = 3_000;
/** Sound that nothing has followed for a while is made to last, until it is this much over the target. */
export const MOST_HELD_OUT_US = 50_000;
/** Over so many times the upper limit the sound is hurried whatever it sounds like. */
const FAST_TIMES = 4;
/** Between two changes the ear gets this much of the sound as it is. */
const REST_US = 40_000;
/** Clocks that ran apart by this much are made up for: about one period of a voice. */
const DRIFT_STEP_US = 5_000;
/** Most of the time that making up for drift may add or take. */
const DRIFT_SHARE = 0.005;
const MAX_CHANGE_US = 15_000;
/** The sound stands, or jumped: drift is measured anew. */
const GAP_US = 500_000;

export type Pace =
  | { kind: "as-it-is" }
  | { kind: "shorter" | "longer"; mostUs: number; fast: boolean; forDrift: boolean };

const AS_IT_IS: Pace = { kind: "as-it-is" };

export class PaceControl {
  readonly #sourceDrift = new ClockDrift();
  readonly #speakerDrift = new ClockDrift();
  readonly #frameUs: number;
  /** Media time of the newest unit, counted in frames: the source's sample clock. */
  #mediaUs = 0;
  #newest: { frameId: number; captureTimeUs: number } | undefined;
  #restUntilUs = 0;
  #driftRestUntilUs = 0;
  /** Delay that drift has added (positive) or taken and that was not made up for. */
  #owedUs = 0;
  #decidedUs: number | undefined;

  constructor(frameDurationUs: number) {
    this.#frameUs = frameDurationUs;
  }

  /** Growth of the delay by drifting clocks, microseconds a second. */
  get driftPpm(): number {
    return (this.#speakerDrift.rate - this.#sourceDrift.rate) * 1e6;
  }

  /** A unit arrived. */
  arrived(frameId: number, captureTimeUs: number, arrivedUs: number): void {
    const newest = this.#newest;
    if (newest !== undefined) {
      const frames = (frameId - newest.frameId) | 0;
      if (frames <= 0 && frames > -1_000) return;
      const mediaUs = frames * this.#frameUs;
      if (Math.abs(captureTimeUs - newest.captureTimeUs - mediaUs) > this.#frameUs / 2) {
        this.#sourceDrift.reset();
      }
      this.#mediaUs += frames > 0 ? mediaUs : 0;
    }
    this.#newest = { frameId, captureTimeUs };
    this.#sourceDrift.push(this.#mediaUs, arrivedUs);
  }

  /** The speaker took no sound, so what it takes next does not tell its clock. */
  stopped(): void {
    this.#speakerDrift.reset();
    this.#decidedUs = undefined;
  }

  /**
   * What to do with the sound whose delay is `delayUs` now; the speaker has taken `playedUs` of sound since it began.
   * `silent`: the road brings nothing, and what there is is not much.
   */
  decide(nowUs: number, delayUs: number, targetUs: number, playedUs: number, silent: boolean): Pace {
    this.#followDrift(nowUs, playedUs);
    const excessUs = delayUs - targetUs;
    if (silent) {
      const mostUs = Math.min(MAX_CHANGE_US, MOST_HELD_OUT_US - excessUs);
      return mostUs > 0 ? { kind: "longer", mostUs, fast: false, forDrift: false } : AS_IT_IS;
    }
    if (excessUs > OVER_BAND_US) {
      const fast = delayUs > FAST_TIMES * (targetUs + OVER_BAND_US);
      if (!fast && nowUs < this.#restUntilUs) return AS_IT_IS;
      return { kind: "shorter", mostUs: Math.min(MAX_CHANGE_US, excessUs), fast, forDrift: false };
    }
    if (excessUs < -UNDER_BAND_US) {
      if (nowUs < this.#restUntilUs) return AS_IT_IS;
      const mostUs = Math.min(MAX_CHANGE_US, OVER_BAND_US - excessUs);
      return { kind: "longer", mostUs, fast: false, forDrift: false };
    }
    const middleUs = (OVER_BAND_US - UNDER_BAND_US) / 2;
    if (nowUs < this.#driftRestUntilUs || Math.abs(this.#owedUs) < DRIFT_STEP_US) return AS_IT_IS;
    if (this.#owedUs > 0 === excessUs < middleUs) return AS_IT_IS;
    const mostUs = this.#owedUs > 0 ? excessUs + UNDER_BAND_US : OVER_BAND_US - excessUs;
    return { kind: this.#owedUs > 0 ? "shorter" : "longer", mostUs, fast: false, forDrift: true };
  }

  /** The sound was made longer by this much (negative: shorter). */
  changed(nowUs: number, addedUs: number): void {
    this.#restUntilUs = nowUs + REST_US;
    this.#driftRestUntilUs = nowUs + Math.abs(addedUs) / DRIFT_SHARE;
    if (this.#owedUs !== 0 && addedUs < 0 === this.#owedUs > 0) {
      const left = Math.max(0, Math.abs(this.#owedUs) - Math.abs(addedUs));
      this.#owedUs = Math.sign(this.#owedUs) * left;
    }
  }

  #followDrift(nowUs: number, playedUs: number): void {
    const elapsedUs = nowUs - (this.#decidedUs ?? nowUs);
    if (elapsedUs > GAP_US) this.#speakerDrift.reset();
    else this.#owedUs += (elapsedUs * this.driftPpm) / 1e6;
    this.#owedUs = Math.max(-2 * DRIFT_STEP_US, Math.min(2 * DRIFT_STEP_US, this.#owedUs));
    this.#decidedUs = nowUs;
    this.#speakerDrift.push(playedUs, nowUs);
  }
}
