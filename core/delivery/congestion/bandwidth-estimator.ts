/**
 * What one direction of a hop carries without a standing queue, from its receiver reports. Delay leads: what even the
 * fastest datagrams of 300 ms wait is a queue that our rate keeps up (as in CoDel, RFC 8289), so jitter, reordering and
 * one large picture do not count. Much loss lowers the rate too, but only as long as that helps: random loss does not. Increase and decrease follow
 * draft-ietf-rmcat-gcc, section 5. docs/wire.md, "Congestion".
 */
import { ARRIVAL_UNIT_US, NOT_ARRIVED, type ReceiverReport } from "../../wire/receiver-report.ts";
import { LongerRoad } from "./longer-road.ts";

/**
 * A queue that no datagram of the last STANDING_US has escaped means congestion above this, and none below FREE_SHARE of it; more
 * where delays are unsteady by themselves: on a busy machine, or for jitter that reports do not even out.
 */
const LEAST_QUEUE_MS = 15;
const QUEUE_PER_NOISE = 2.5;
const MOST_QUEUE_MS = 60;
const FREE_SHARE = 0.5;
const STANDING_US = 300_000;
/** So many reports before the newest must say so, or what came through is not known well enough to lower the rate to. */
const LEAST_STANDING = 2;
const NOISE_SMOOTHING_US = 5_000_000;
const FIRST_NOISE_MS = 10;
/** The fastest way is that of the last one to two of these. */
const BASE_WINDOW_US = 10_000_000;
/** Reports that are this far apart are not of one measurement. */
const OUTAGE_US = 700_000;
/** The received rate is taken over about this time. */
const RATE_WINDOW_US = 500_000;
/** Rate after congestion, of what came through; the second where the queue is long. */
const BACK_OFF = 0.85;
const STEEP_BACK_OFF = 0.7;
const LONG_QUEUE_MS = 150;
/**
 * Growth a second; slower where the last congestion was, faster when there has been none for FREE_AFTER_US. There whoever has more
 * grows more slowly, so that all who share a road come to have as much.
 */
const GROWTH = 0.08;
const CAREFUL_GROWTH_BPS = 30_000;
const CAREFUL_AT_BPS = 1_000_000;
const MOST_CAREFUL_GROWTH = 0.1;
const MOST_CAREFUL_GROWTH_BPS = 45_000;
const LEAST_CAREFUL_GROWTH = 0.01;
const FREE_GROWTH = 0.25;
const FREE_AFTER_US = 8_000_000;
const NEAR_CONGESTION = 0.12;
/** More than this above what came through is a guess, whatever nobody sent. */
const MAX_LEAD = 1.5;
const LEAD_BPS = 100_000;
/** What was once too much is passed only while so much of the rate is used: what nobody sends tries nothing. */
const USED_SHARE = 0.85;
/** Less than pacing is above the rate, so that bursts do not raise it. */
const STEADY_SHARE = 0.9;
/** Loss above this is congestion too, of a road whose queue is too short to be seen. */
const CONGESTED_LOSS = 0.2;
const LOSS_SMOOTHING_US = 3_000_000;
/** A lower rate that leaves more than this of the loss was no help: loss up to so many times as much is borne from then on. */
const HELPED = 0.6;
const BORNE_FACTOR = 1.5;
const MOST_LOSS = 0.9;
/** It is forgotten this slowly once the loss is gone. */
const BORNE_MEMORY_US = 60_000_000;
const MIN_RATE_BPS = 50_000;
const MAX_RATE_BPS = 100_000_000;
/** Remembered reports, a power of two. */
const RING = 32;

export type CongestionState = "free" | "filling" | "congested";

export class BandwidthEstimator {
  state: CongestionState = "free";
  /** Delay of the fastest datagrams of the last STANDING_US over the fastest of late. */
  queueMs = 0;
  /** The same of the newest report alone. */
  newestQueueMs = 0;
  /** What came through, bits a second, headers of QUIC and below not counted. */
  receivedBps = 0;
  /** Times that the rate was lowered. */
  decreases = 0;
  readonly #atUs = new Float64Array(RING);
  readonly #bytes = new Float64Array(RING);
  readonly #queuesMs = new Float64Array(RING);
  #count = 0;
  #rateBps: number | undefined;
  #congestedBps: number | undefined;
  #referenceUs: number | undefined;
  #baseUs = Number.POSITIVE_INFINITY;
  #previousBaseUs = Number.POSITIVE_INFINITY;
  #baseEndsUs = 0;
  #bytesBefore: number | undefined;
  #totalBytes = 0;
  #judgeFromUs = 0;
  #decreasedUs = 0;
  /** When a queue was last seen. */
  #queuedUs = 0;
  #loss = 0;
  #borneLoss = CONGESTED_LOSS;
  /** Loss and rate before a decrease that was for loss. */
  #trial: { loss: number; rateBps: number | undefined } | undefined;
  readonly #longerRoad = new LongerRoad();
  #highest: number | undefined;
  #received = 0;
  #lastQueueMs = 0;
  #lastUs = 0;
  #noiseMs = FIRST_NOISE_MS;
  /** What came through in the last STANDING_US: while a queue stands, what the road carries. */
  #standingBps = 0;
  /** Reports of that time are missing, as in a burst of losses. */
  #isBroken = false;

  /** Bits a second that may be sent; undefined until a limit has been met. */
  get rateBps(): number | undefined {
    return this.#rateBps;
  }

  /** A queue stands. A rate that was lowered without one was lowered for loss, to see whether that helps. */
  get hasQueue(): boolean {
    return this.queueMs > this.#congestedQueueMs;
  }

  get #congestedQueueMs(): number {
    return Math.min(MOST_QUEUE_MS, LEAST_QUEUE_MS + QUEUE_PER_NOISE * this.#noiseMs);
  }

  /** The rate is lower for loss, until it is known whether that helps. */
  get isTrying(): boolean {
    return this.#trial !== undefined;
  }

  /** What came through when the road was full, bits a second; undefined while it is not known, or no longer holds. */
  get limitBps(): number | undefined {
    return this.#congestedBps;
  }

  /** Takes a report. `sentAtUs` tells when a hop sequence was sent. */
  push(
    report: ReceiverReport,
    sentAtUs: (hopSequence: number) => number,
    rttMs: number,
    nowUs: number,
  ): void {
    const fastestUs = this.#fastestOf(report, sentAtUs);
    const before = this.#bytesBefore ?? report.receivedBytesTotal;
    const grown = (report.receivedBytesTotal - before) | 0;
    // Overtaken by a newer report.
    if (grown < 0) return;
    this.#bytesBefore = report.receivedBytesTotal;
    this.#totalBytes += grown;
    if (fastestUs === undefined) return;
    if (nowUs - this.#lastUs > OUTAGE_US) this.#startOver(nowUs);
    this.#countLoss(report, nowUs);
    this.#moveBase(fastestUs, nowUs);
    const slot = this.#count++ & (RING - 1);
    this.#atUs[slot] = nowUs;
    this.#bytes[slot] = this.#totalBytes;
    this.newestQueueMs = (fastestUs - Math.min(this.#baseUs, this.#previousBaseUs)) / 1000;
    this.#queuesMs[slot] = this.newestQueueMs;
    this.#measure(nowUs);
    this.#adapt(rttMs, nowUs);
  }

  /** Nothing was heard for so long that what came through since tells nothing of the road. */
  #startOver(nowUs: number): void {
    this.#count = 0;
    this.#lastQueueMs = 0;
    this.#judgeFromUs = Math.max(this.#judgeFromUs, nowUs + RATE_WINDOW_US);
  }

  #countLoss({ highestSequence, receivedTotal }: ReceiverReport, nowUs: number): void {
    const sent = this.#highest === undefined ? 0 : ((highestSequence - this.#highest) << 16) >> 16;
    const received = (receivedTotal - this.#received) | 0;
    this.#highest = highestSequence;
    this.#received = receivedTotal;
    if (sent <= 0 || this.#lastUs === 0) return;
    const weight = 1 - Math.exp((this.#lastUs - nowUs) / LOSS_SMOOTHING_US);
    this.#loss += (Math.max(0, 1 - received / sent) - this.#loss) * Math.min(1, weight);
    const faded = this.#borneLoss * Math.exp((this.#lastUs - nowUs) / BORNE_MEMORY_US);
    this.#borneLoss = Math.max(CONGESTED_LOSS, Math.min(this.#borneLoss, this.#loss * BORNE_FACTOR), faded);
  }

  /** Transit of the fastest datagram listed, on two unrelated clocks, relative to the first one ever. */
  #fastestOf(report: ReceiverReport, sentAtUs: (hopSequence: number) => number): number | undefined {
    const { arrivals, arrivalCount, arrivalBaseUs, highestSequence } = report;
    let fastest: number | undefined;
    for (let i = 0; i < arrivalCount; i++) {
      if (arrivals[i] === NOT_ARRIVED) continue;
      const sentUs = sentAtUs((highestSequence - arrivalCount + 1 + i) & 0xffff);
      const transitUs = arrivalBaseUs + arrivals[i]! * ARRIVAL_UNIT_US - sentUs;
      this.#referenceUs ??= transitUs;
      const apart = (transitUs - this.#referenceUs) % 0x100000000;
      const near =
        apart > 0x80000000 ? apart - 0x100000000 : apart < -0x80000000 ? apart + 0x100000000 : apart;
      if (fastest === undefined || near < fastest) fastest = near;
    }
    return fastest;
  }

  #moveBase(transitUs: number, nowUs: number): void {
    if (nowUs >= this.#baseEndsUs) {
      this.#previousBaseUs = this.#baseUs;
      this.#baseUs = Number.POSITIVE_INFINITY;
      this.#baseEndsUs = nowUs + BASE_WINDOW_US;
    }
    this.#baseUs = Math.min(this.#baseUs, transitUs);
  }

  /** Looks back over the reports: the least queue, and the rate of what arrived. */
  #measure(nowUs: number): void {
    let queueMs = Number.POSITIVE_INFINITY;
    const newest = this.#count - 1;
    const oldest = Math.max(0, this.#count - RING);
    let from = newest;
    let standingFrom = newest;
    let standingUs = 0;
    for (let i = newest; i >= oldest; i--) {
      const ageUs = nowUs - this.#atUs[i & (RING - 1)]!;
      if (ageUs <= STANDING_US) {
        standingFrom = i;
        standingUs = ageUs;
        queueMs = Math.min(queueMs, this.#queuesMs[i & (RING - 1)]!);
      }
      from = i;
      if (ageUs >= RATE_WINDOW_US) break;
    }
    this.queueMs = queueMs;
    this.#isBroken = newest - standingFrom < LEAST_STANDING || standingUs < STANDING_US / 2;
    this.#standingBps = this.#bpsSince(standingFrom, nowUs);
    const spanUs = nowUs - this.#atUs[from & (RING - 1)]!;
    if (spanUs < RATE_WINDOW_US / 2) return;
    this.receivedBps = this.#bpsSince(from, nowUs);
  }

  #bpsSince(report: number, nowUs: number): number {
    const slot = report & (RING - 1);
    return ((this.#totalBytes - this.#bytes[slot]!) * 8_000_000) / Math.max(1, nowUs - this.#atUs[slot]!);
  }

  #adapt(rttMs: number, nowUs: number): void {
    const elapsedUs = Math.min(RATE_WINDOW_US, nowUs - this.#lastUs);
    this.#lastUs = nowUs;
    const isDraining = this.queueMs < this.#lastQueueMs - 2;
    this.#lastQueueMs = this.queueMs;
    const { hasQueue } = this;
    if (!hasQueue) this.#noteNoise(elapsedUs);
    if (this.queueMs > this.#congestedQueueMs * FREE_SHARE) this.#queuedUs = nowUs;
    if (nowUs >= this.#judgeFromUs) this.#judgeTrial();
    if (hasQueue || this.#loss > this.#borneLoss) {
      this.state = "congested";
      const isSure = !isDraining && !(hasQueue && this.#isBroken);
      if (nowUs >= this.#judgeFromUs && isSure) this.#decrease(hasQueue, rttMs, nowUs);
      return;
    }
    this.state = this.queueMs > this.#congestedQueueMs * FREE_SHARE ? "filling" : "free";
    if (this.state === "free" && nowUs >= this.#judgeFromUs) this.#increase(elapsedUs, nowUs);
  }

  /** How far reports are from the least delay of late. */
  #noteNoise(elapsedUs: number): void {
    const weight = 1 - Math.exp(-elapsedUs / NOISE_SMOOTHING_US);
    this.#noiseMs += (Math.min(MOST_QUEUE_MS, this.newestQueueMs - this.queueMs) - this.#noiseMs) * weight;
  }

  /** Did the lower rate lower the loss? If not, the loss is not ours, and the rate was lowered for nothing. */
  #judgeTrial(): void {
    const trial = this.#trial;
    if (trial === undefined) return;
    this.#trial = undefined;
    if (this.#loss < trial.loss * HELPED) return;
    this.#borneLoss = Math.min(MOST_LOSS, this.#loss * BORNE_FACTOR);
    this.#rateBps = trial.rateBps ?? MAX_RATE_BPS;
  }

  #decrease(hasQueue: boolean, rttMs: number, nowUs: number): void {
    // Without a rate nothing is known to lower it to.
    if (this.receivedBps === 0) return;
    const isLong = this.queueMs > LONG_QUEUE_MS;
    const factor = isLong ? STEEP_BACK_OFF : BACK_OFF;
    const cameBps = hasQueue ? this.#standingBps : this.receivedBps;
    if (hasQueue && this.#longerRoad.isOne(this.queueMs, cameBps, this.#rateBps, nowUs)) {
      return this.#takeLongerRoad(nowUs);
    }
    const wanted = Math.max(MIN_RATE_BPS, cameBps * factor);
    // What was lost has used the road too, as far as it was lost behind it.
    if (hasQueue) this.#congestedBps = cameBps / (1 - Math.min(this.#loss, CONGESTED_LOSS));
    else this.#trial = { loss: this.#loss, rateBps: this.#rateBps };
    this.#rateBps = Math.min(this.#rateBps ?? MAX_RATE_BPS, wanted);
    this.decreases++;
    this.#decreasedUs = nowUs;
    // What it did is seen a round trip and an interval later; loss is known later still.
    this.#judgeFromUs = nowUs + rttMs * 1000 + (hasQueue ? STANDING_US : LOSS_SMOOTHING_US);
  }

  /** What was taken for a queue is the way now, and the rate was lowered for nothing. */
  #takeLongerRoad(nowUs: number): void {
    this.#baseUs = Math.min(this.#baseUs, this.#previousBaseUs) + this.queueMs * 1000;
    this.#previousBaseUs = this.#baseUs;
    this.#baseEndsUs = nowUs + BASE_WINDOW_US;
    this.#rateBps = this.#longerRoad.rateBps ?? MAX_RATE_BPS;
    this.#congestedBps = undefined;
    this.#startOver(nowUs);
  }

  #increase(elapsedUs: number, nowUs: number): void {
    const rate = this.#rateBps;
    if (rate === undefined) return;
    const limit = this.#congestedBps;
    const isNear = limit !== undefined && Math.abs(rate - limit) < limit * NEAR_CONGESTION;
    // Beyond it the road has changed.
    if (limit !== undefined && rate > limit * (1 + NEAR_CONGESTION)) this.#congestedBps = undefined;
    const isFree = nowUs - this.#decreasedUs > FREE_AFTER_US;
    const careful = carefulGrowthBps(rate);
    const growth = isNear ? careful : Math.max(careful, rate * (isFree ? FREE_GROWTH : GROWTH));
    const grown = rate + (growth * elapsedUs) / 1_000_000;
    // Loss that is borne is not for want of room.
    const sentBps = this.receivedBps / (1 - Math.min(this.#loss, MOST_LOSS));
    const isUsed = sentBps > rate * USED_SHARE;
    const most = limit === undefined || isUsed ? sentBps * MAX_LEAD + LEAD_BPS : limit;
    // What comes through without a queue is not too much, whatever was thought of it; a queue that drains comes faster.
    const isSteady = nowUs - this.#queuedUs > RATE_WINDOW_US + STANDING_US;
    const least = isSteady ? Math.max(rate, this.receivedBps * STEADY_SHARE) : rate;
    this.#rateBps = Math.min(MAX_RATE_BPS, Math.max(least, Math.min(grown, most)));
  }
}

function carefulGrowthBps(rateBps: number): number {
  const fairBps = (CAREFUL_GROWTH_BPS * CAREFUL_AT_BPS) / rateBps;
  const mostBps = Math.min(MOST_CAREFUL_GROWTH_BPS, rateBps * MOST_CAREFUL_GROWTH);
  return Math.max(rateBps * LEAST_CAREFUL_GROWTH, Math.min(mostBps, fairBps));
}
