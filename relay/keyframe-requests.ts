/**
 * Keyframe requests of many subscribers as few to the publisher: at most one each KEYFRAME_REQUEST_INTERVAL_MS.
 * A request made within the interval is sent at its end, never lost.
 */
import type { Clock, Timer } from "../core/clock.ts";
import { KEYFRAME_REQUEST_INTERVAL_MS } from "../core/wire/limits.ts";

export class KeyframeRequests {
  readonly #clock: Clock;
  readonly #send: () => void;
  #lastSentUs = Number.NEGATIVE_INFINITY;
  #waiting: Timer | undefined;

  constructor(clock: Clock, send: () => void) {
    this.#clock = clock;
    this.#send = send;
  }

  request(): void {
    if (this.#waiting !== undefined) return;
    const waitMs = KEYFRAME_REQUEST_INTERVAL_MS - (this.#clock.nowUs() - this.#lastSentUs) / 1000;
    if (waitMs <= 0) return this.#sendNow();
    this.#waiting = this.#clock.after(waitMs, () => this.#sendNow());
  }

  #sendNow(): void {
    this.#waiting = undefined;
    this.#lastSentUs = this.#clock.nowUs();
    this.#send();
  }

  /** Forgets a request that waits. */
  cancel(): void {
    this.#waiting?.cancel();
    this.#waiting = undefined;
  }
}
