/**
 * One direction of a simulated network: when, how often and whether what is sent arrives. Options may be changed
 * while it runs. Deterministic for a given clock and seeded randomness. Used by core/session/memory.ts.
 */
import type { Clock, Random } from "../clock.ts";

export interface NetworkOptions {
  /** One-way delay. */
  delayMs: number;
  /** Each datagram takes up to this much longer, uniformly. */
  jitterMs: number;
  /** Jitter may make datagrams overtake each other; false keeps their order. */
  jitterReorders: boolean;
  /** Share of datagrams lost, 0..1. */
  loss: number;
  /** Mean length of a run of losses, in datagrams; 1 = independent losses (Gilbert-Elliott model otherwise). */
  lossBurst: number;
  /** Mean time that losses last, with exponentially distributed bursts and pauses (Gilbert's model in time); overrides lossBurst. */
  lossBurstMs: number;
  /** Share of datagrams that arrive twice. */
  duplicate: number;
  /** Share of datagrams held back by `reorderMs`. */
  reorder: number;
  reorderMs: number;
  /** Bottleneck in bits a second; 0 = none. */
  rateBps: number;
  /** What the bottleneck's queue holds at most, as time; more is lost. */
  queueMs: number;
  /** A cut cable: datagrams are lost, reliable bytes wait. */
  down: boolean;
}

const PERFECT_NETWORK: Readonly<NetworkOptions> = {
  delayMs: 0,
  jitterMs: 0,
  jitterReorders: true,
  loss: 0,
  lossBurst: 1,
  lossBurstMs: 0,
  duplicate: 0,
  reorder: 0,
  reorderMs: 0,
  rateBps: 0,
  queueMs: 400,
  down: false,
};

/** Why the simulated network lost a datagram. */
export type NetworkLoss = "loss" | "queue" | "down";

/** A cut path is looked at again after this time by reliable bytes that wait. */
const RETRY_DOWN_MS = 50;
/** IP and UDP headers, for the bottleneck's arithmetic. */
const OVERHEAD_BYTES = 28;

export class NetworkPath {
  readonly options: NetworkOptions;
  readonly lost: Record<NetworkLoss, number> = { loss: 0, queue: 0, down: 0 };
  readonly #clock: Clock;
  readonly #random: Random;
  #losing = false;
  #stateEndsUs: number | undefined;
  #freeAtUs = 0;
  #lastArrivalUs = 0;
  #lastReliableUs = 0;
  /** Reliable pieces under way, and how many of them have reached the end (waiting there while the path is cut). */
  readonly #line: (() => void)[] = [];
  #due = 0;
  #stalled = false;

  constructor(clock: Clock, random: Random, options: Partial<NetworkOptions> = {}) {
    this.#clock = clock;
    this.#random = random;
    this.options = { ...PERFECT_NETWORK, ...options };
  }

  /** Calls `deliver` never, once or twice, later; returns why never, where that is so. */
  datagram(bytes: number, deliver: () => void): NetworkLoss | undefined {
    const { options } = this;
    if (options.down) return this.#lose("down");
    const nowUs = this.#clock.nowUs();
    if (this.#waitUs(nowUs) > options.queueMs * 1000) return this.#lose("queue");
    const queuedUs = this.#serialise(bytes, nowUs);
    if (this.#drawLoss()) return this.#lose("loss");
    this.#deliverAfter(queuedUs, deliver);
    if (options.duplicate > 0 && this.#random() < options.duplicate) this.#deliverAfter(queuedUs, deliver);
    return undefined;
  }

  #deliverAfter(queuedUs: number, deliver: () => void): void {
    const { options } = this;
    const nowUs = this.#clock.nowUs();
    let delayUs = queuedUs + options.delayMs * 1000;
    if (options.jitterMs > 0) delayUs += this.#random() * options.jitterMs * 1000;
    if (options.reorder > 0 && this.#random() < options.reorder) delayUs += options.reorderMs * 1000;
    else if (!options.jitterReorders) {
      delayUs = Math.max(delayUs, this.#lastArrivalUs - nowUs);
      this.#lastArrivalUs = nowUs + delayUs;
    }
    this.#clock.after(delayUs / 1000, deliver);
  }

  /** Time until the bottleneck has passed on what is before. */
  #waitUs(nowUs: number): number {
    return this.options.rateBps > 0 ? Math.max(0, this.#freeAtUs - nowUs) : 0;
  }

  /** Time in the bottleneck's queue and on its wire. */
  #serialise(bytes: number, nowUs: number): number {
    const { rateBps } = this.options;
    if (rateBps <= 0) return 0;
    const startUs = Math.max(nowUs, this.#freeAtUs);
    this.#freeAtUs = startUs + ((bytes + OVERHEAD_BYTES) * 8_000_000) / rateBps;
    return this.#freeAtUs - nowUs;
  }

  #drawLoss(): boolean {
    const { loss, lossBurst, lossBurstMs } = this.options;
    if (loss <= 0) return false;
    if (lossBurstMs > 0) return this.#isInBurst(loss, lossBurstMs);
    if (lossBurst <= 1) return this.#random() < loss;
    // Two states; the chance to enter the lossy one makes its share of time equal to `loss`.
    const leave = 1 / lossBurst;
    const enter = loss >= 1 ? 1 : (leave * loss) / (1 - loss);
    this.#losing = this.#losing ? this.#random() >= leave : this.#random() < enter;
    return this.#losing;
  }

  #isInBurst(loss: number, burstMs: number): boolean {
    const nowUs = this.#clock.nowUs();
    const pauseMs = (burstMs * (1 - loss)) / loss;
    if (this.#stateEndsUs === undefined) {
      this.#losing = this.#random() < loss;
      this.#stateEndsUs = nowUs + this.#exponentialUs(this.#losing ? burstMs : pauseMs);
    }
    while (this.#stateEndsUs <= nowUs) {
      this.#losing = !this.#losing;
      this.#stateEndsUs += this.#exponentialUs(this.#losing ? burstMs : pauseMs);
    }
    return this.#losing;
  }

  #exponentialUs(meanMs: number): number {
    return -Math.log(1 - this.#random()) * meanMs * 1000;
  }

  #lose(why: NetworkLoss): NetworkLoss {
    this.lost[why]++;
    return why;
  }

  /** Delivers reliable bytes in order, however long they wait for the bottleneck: a lost piece costs a round trip and a half, a cut path makes all wait. */
  reliable(bytes: number, deliver: () => void): void {
    const { options } = this;
    const nowUs = this.#clock.nowUs();
    let delayUs = this.#serialise(bytes, nowUs) + options.delayMs * 1000;
    for (let i = 0; i < 8 && options.loss > 0 && this.#random() < options.loss; i++) {
      delayUs += (2 * options.delayMs + 10) * 1500;
    }
    const atUs = Math.max(nowUs + delayUs, this.#lastReliableUs);
    this.#lastReliableUs = atUs;
    this.#line.push(deliver);
    this.#clock.after((atUs - nowUs) / 1000, () => {
      this.#due++;
      this.#deliverDue();
    });
  }

  /** Hands over the first of the line, whichever timer fired: wall clocks round, and order must hold. */
  #deliverDue(): void {
    if (this.options.down) {
      if (!this.#stalled) this.#clock.after(RETRY_DOWN_MS, () => this.#retry());
      this.#stalled = true;
      return;
    }
    for (; this.#due > 0; this.#due--) this.#line.shift()?.();
  }

  #retry(): void {
    this.#stalled = false;
    this.#deliverDue();
  }
}
