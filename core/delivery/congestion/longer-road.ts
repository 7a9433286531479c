/**
 * Tells a queue from a road that has become longer: a phone that changes networks, a route around a fault. A queue of ours falls while
 * less comes through; one that stays as it is, though the rate was lowered and lowered again, is no queue.
 */

/** Within this share and so many ms it is the same. */
const SAME_QUEUE = 0.1;
const SAME_QUEUE_MS = 3;
/** A lower rate has had its effect when no more than this share of what came before comes through. */
const LESS_CAME = 0.93;
const SURE_AFTER = 2;
/** What was so long ago was something else. */
const RECENT_US = 1_500_000;

export class LongerRoad {
  #atUs = Number.NEGATIVE_INFINITY;
  #queueMs = 0;
  #cameBps = 0;
  #times = 0;
  #rateBps: number | undefined;

  /** Rate before it was lowered for what was no queue; undefined: there was no limit. */
  get rateBps(): number | undefined {
    return this.#rateBps;
  }

  /** The rate is about to be lowered from `rateBps` for a queue, with so much coming through. Returns true when it need not be. */
  isOne(queueMs: number, cameBps: number, rateBps: number | undefined, nowUs: number): boolean {
    const isSame = Math.abs(queueMs - this.#queueMs) < this.#queueMs * SAME_QUEUE + SAME_QUEUE_MS;
    if (!isSame || nowUs - this.#atUs > RECENT_US) {
      this.#times = 0;
      this.#rateBps = rateBps;
    } else if (cameBps < this.#cameBps * LESS_CAME) {
      this.#times++;
    }
    this.#atUs = nowUs;
    this.#queueMs = queueMs;
    this.#cameBps = cameBps;
    if (this.#times < SURE_AFTER) return false;
    this.#atUs = Number.NEGATIVE_INFINITY;
    return true;
  }
}
