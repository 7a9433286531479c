/**
 * What a bad network does to one direction of traffic, as a pure model: each datagram gets a time of arrival or a
 * reason why it never arrives. Same seed and same input, same fate.
 */
import type { Random } from "../../core/clock.ts";

export interface ImpairmentOptions {
  /** One way. */
  delayMs: number;
  /** Added to the delay, uniform from 0 to this. */
  jitterMs: number;
  /** Share lost, 0 to 1. */
  loss: number;
  /** Mean length of a loss burst; 0 = each datagram is lost by itself. In a burst everything is lost. */
  burstMs: number;
  /** Bits a second of the bottleneck, 0 = no bottleneck. */
  rateBps: number;
  /** How long the bottleneck's queue may grow; a datagram that would wait longer is lost. */
  queueMs: number;
  /** Jitter may bring datagrams out of order. */
  reorder: boolean;
}

export const NO_IMPAIRMENT: Readonly<ImpairmentOptions> = {
  delayMs: 0,
  jitterMs: 0,
  loss: 0,
  burstMs: 0,
  rateBps: 0,
  queueMs: 400,
  reorder: false,
};

export type Fate = { arrivesMs: number } | { lost: "random" | "burst" | "queue-full" };

/** UDP and IPv4 headers, which take their share of a bottleneck. */
const HEADER_BYTES = 28;

export class Impairment {
  readonly options: ImpairmentOptions;
  readonly #random: Random;
  /** Time at which the bottleneck has sent everything that it took. */
  #freeMs = 0;
  #lastArrivalMs = 0;
  #inBurst = false;
  #stateEndsMs: number | undefined;

  constructor(options: ImpairmentOptions, random: Random) {
    this.options = options;
    this.#random = random;
  }

  /** Fate of a datagram of `bytes` that is sent at `nowMs`, which never goes backwards. */
  decide(bytes: number, nowMs: number): Fate {
    const { loss, burstMs, rateBps, queueMs, delayMs, jitterMs, reorder } = this.options;
    if (loss > 0 && burstMs > 0) {
      if (this.#isInBurst(nowMs)) return { lost: "burst" };
    } else if (loss > 0 && this.#random() < loss) {
      return { lost: "random" };
    }
    let leavesMs = nowMs;
    if (rateBps > 0) {
      const startsMs = Math.max(nowMs, this.#freeMs);
      if (startsMs - nowMs > queueMs) return { lost: "queue-full" };
      leavesMs = startsMs + ((bytes + HEADER_BYTES) * 8000) / rateBps;
      this.#freeMs = leavesMs;
    }
    const arrivesMs = leavesMs + delayMs + (jitterMs > 0 ? this.#random() * jitterMs : 0);
    if (reorder) return { arrivesMs };
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, arrivesMs);
    return { arrivesMs: this.#lastArrivalMs };
  }

  /** How long a datagram of now would wait for the bottleneck. */
  queuedMs(nowMs: number): number {
    return Math.max(0, this.#freeMs - nowMs);
  }

  /** Gilbert's model in continuous time: bursts and pauses have exponentially distributed lengths. */
  #isInBurst(nowMs: number): boolean {
    const { loss, burstMs } = this.options;
    const pauseMs = (burstMs * (1 - loss)) / loss;
    this.#stateEndsMs ??= nowMs + this.#exponential(pauseMs);
    while (this.#stateEndsMs <= nowMs) {
      this.#inBurst = !this.#inBurst;
      this.#stateEndsMs += this.#exponential(this.#inBurst ? burstMs : pauseMs);
    }
    return this.#inBurst;
  }

  #exponential(mean: number): number {
    return -Math.log(1 - this.#random()) * mean;
  }
}
