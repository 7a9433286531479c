/**
 * What one direction of a hop does to datagrams: share lost, with an upper quantile, and how long losses last. Fed with
 * the fate of datagrams in the order in which they were sent; time comes with them.
 */

/** Samples are forgotten with these time constants; the fast one sees a change, the slow one is calm. */
const SLOW_US = 2_500_000;
const FAST_US = 600_000;
/** How far above the mean the upper quantile lies, in standard deviations. */
const SLOW_SIGMAS = 0.4;
const FAST_SIGMAS = -1.5;
/** After a lost datagram, how likely is the loss of one sent so much later? Upper edges of what is told apart. */
const LAG_EDGES_US = [3_000, 6_000, 12_000, 24_000, 48_000];
const LAG_US = 6_000_000;
/** Pairs that are assumed to have been seen without any connection. */
const PRIOR_PAIRS = 6;
const MIN_PAIRS = 3;
/** Less than this beyond chance is chance. */
const LEAST_EXCESS = 0.08;
/** Lost datagrams that are remembered for that. */
const REMEMBERED = 16;

class DecayedShare {
  readonly #timeUs: number;
  #lost = 0;
  #total = 0;

  constructor(timeUs: number) {
    this.#timeUs = timeUs;
  }

  decay(elapsedUs: number): void {
    const factor = Math.exp(-elapsedUs / this.#timeUs);
    this.#lost *= factor;
    this.#total *= factor;
  }

  add(lost: number, total: number): void {
    this.#lost = Math.max(0, this.#lost + lost);
    this.#total += total;
  }

  get mean(): number {
    return this.#total < 1 ? 0 : Math.min(1, this.#lost / this.#total);
  }

  /** The mean moved by some standard deviations of its own uncertainty. */
  quantile(sigmas: number): number {
    if (this.#total < 1) return 0;
    const mean = this.mean;
    return Math.max(0, mean + sigmas * Math.sqrt((mean * (1 - mean)) / this.#total));
  }
}

export class LossEstimator {
  readonly #slow = new DecayedShare(SLOW_US);
  readonly #fast = new DecayedShare(FAST_US);
  readonly #pairs = new Float64Array(LAG_EDGES_US.length);
  readonly #bothLost = new Float64Array(LAG_EDGES_US.length);
  readonly #lostUs = new Float64Array(REMEMBERED).fill(Number.NEGATIVE_INFINITY);
  #nextLost = 0;
  #decayedUs: number | undefined;

  /** Counts without regard to order: `lost` of `total`; `lost` is negative when datagrams counted as lost came late. */
  count(lost: number, total: number, nowUs: number): void {
    const elapsedUs = Math.max(0, nowUs - (this.#decayedUs ?? nowUs));
    this.#decayedUs = nowUs;
    this.#slow.decay(elapsedUs);
    this.#fast.decay(elapsedUs);
    const factor = Math.exp(-elapsedUs / LAG_US);
    for (let lag = 0; lag < LAG_EDGES_US.length; lag++) {
      this.#pairs[lag]! *= factor;
      this.#bothLost[lag]! *= factor;
    }
    this.#slow.add(lost, total);
    this.#fast.add(lost, total);
  }

  /** The fate of one datagram, in the order of sending, for the length of bursts. Does not count. */
  sample(lost: boolean, sentUs: number): void {
    for (let i = 0; i < REMEMBERED; i++) {
      const lagUs = sentUs - this.#lostUs[i]!;
      if (lagUs < 0 || lagUs > LAG_EDGES_US.at(-1)!) continue;
      let lag = 0;
      while (lagUs > LAG_EDGES_US[lag]!) lag++;
      this.#pairs[lag]!++;
      if (lost) this.#bothLost[lag]!++;
    }
    if (!lost) return;
    this.#lostUs[this.#nextLost] = sentUs;
    this.#nextLost = (this.#nextLost + 1) % REMEMBERED;
  }

  /** Mean share lost of late, 0..1. */
  get mean(): number {
    return this.#slow.mean;
  }

  /** What the share may well be: rises at once when losses begin. */
  get upper(): number {
    return Math.min(0.9, Math.max(this.#slow.quantile(SLOW_SIGMAS), this.#fast.quantile(FAST_SIGMAS)));
  }

  /** Mean time that losses last beyond what chance would do, 0 for independent losses. */
  get burstMs(): number {
    const base = Math.min(0.9, this.mean);
    let sumUs = 0;
    let fromUs = 0;
    let before: number | undefined;
    for (let lag = 0; lag < LAG_EDGES_US.length; lag++) {
      if (this.#pairs[lag]! < MIN_PAIRS) continue;
      const share = (this.#bothLost[lag]! + base * PRIOR_PAIRS) / (this.#pairs[lag]! + PRIOR_PAIRS);
      const measured = (share - base) / (1 - base);
      const excess = measured < LEAST_EXCESS ? 0 : measured;
      // Where no datagrams lie so far apart, the losses have ended somewhere between what is seen on both sides.
      const edgeUs = lag === 0 ? 0 : LAG_EDGES_US[lag - 1]!;
      sumUs += (((before ?? excess) + excess) / 2) * (edgeUs - fromUs);
      if (excess === 0) break;
      fromUs = LAG_EDGES_US[lag]!;
      sumUs += excess * (fromUs - edgeUs);
      before = excess;
    }
    return sumUs / 1000;
  }
}
