/**
 * What one subscriber's network carries of the pictures that it subscribes to. Their publishers are told, and send less if nobody
 * else has use for more; where somebody has, discardable units are left out first, then whole temporal
 * layers, then whole pictures, the last subscribed first; sound never. Less at once when the link's estimator lowers its rate.
 * More step by step while the link is free: padding tries first whether it carries the step, so that nobody sees those that it does not.
 */
import type { BandwidthEstimator } from "../core/delivery/congestion/bandwidth-estimator.ts";
import { LEVEL_ALL, LEVEL_PAUSED, maskOfLevel } from "./layer-rates.ts";
import type { Padding } from "./padding.ts";
import type { Subscription } from "./subscription.ts";

/** Of what came through when the road was full, so much may be filled: by the base layer, and by more than that. */
const BASE_FILL = 0.95;
const FILL = 0.88;
/** A step up is tried with padding that grows for so long to a little more than it needs, and stays there for so long. */
const PROBE_GROWS_US = 1_000_000;
/** Longer where it would grow a second by more than so many times the link's rate: much too much is soon a long queue. */
const MOST_PROBE_GROWTH = 1.5;
const MOST_PROBE_GROWS_US = 2_500_000;
const PROBE_STAYS_US = 500_000;
const PROBE_MARGIN = 1.1;
/** And is then on trial for this long. */
const TRIAL_US = 700_000;
/** A queue above this, or above half of it and growing, in so many reports running ends either. */
const FULL_QUEUE_MS = 30;
const FILLING_QUEUE_MS = FULL_QUEUE_MS / 2;
const FULL_REPORTS = 2;
/** The link must be free for so long before a step up that is known to fit; */
const LEAST_PATIENCE_US = 400_000;
/** before one that is not, for so long, and after each that failed twice as long. */
const FIRST_PATIENCE_US = 1_500_000;
const MAX_PATIENCE_US = 6_000_000;
/** Pictures of which something is left out pass little faster than they come (the pacer adds to this), so that they do not queue in the network. */
const PACE_MARGIN = 0.85;
const LEAST_PACE_BPS = 50_000;
const REPAIR_SMOOTHING = 1 / 4;
const REPAIR_INTERVAL_US = 500_000;
/** Of the link's rate, for headers, feedback and what encoders make too much. */
const RESERVE = 0.05;
/** Publishers follow a new limit within this time, unless the queue is longer than that. */
const FOLLOWS_US = 700_000;
const LONG_QUEUE_MS = 150;
/** Less than this is no picture. */
const LEAST_LIMIT_BPS = 50_000;
/** Smaller changes of a limit are no news. */
const LIMIT_NEWS = 0.03;
const EVERYTHING = Number.POSITIVE_INFINITY;

/** Of the first `kept` pictures this level is sent, of the others nothing. */
interface Share {
  level: number;
  kept: number;
}

/** A step up: tried with padding, then on trial. */
interface Attempt {
  before: Share;
  next: Share;
  isOn: boolean;
  endsUs: number;
}

export class Shedding {
  readonly #bandwidth: BandwidthEstimator;
  readonly #subscriptions: ReadonlyMap<number, Subscription>;
  readonly #padding: Padding;
  readonly #repairBytes: () => number;
  #share: Share = { level: LEVEL_ALL, kept: EVERYTHING };
  #decreases = 0;
  #freeSinceUs = 0;
  /** Publishers that were told to send less have done so by then. */
  #followsUntilUs = Number.POSITIVE_INFINITY;
  #patienceUs = FIRST_PATIENCE_US;
  #attempt: Attempt | undefined;
  /** What held before something was left out for loss, until it is known whether that helps. */
  #beforeLoss: Share | undefined;
  #fullReports = 0;
  #newestQueueMs = 0;
  /** Pictures of a step up; twice as many after each that held. */
  #step = 1;
  #paceBps: number | undefined;
  #repairBps = 0;
  #repair = { bytes: 0, atUs: 0 };

  /** `repairBytes`: sent on the link so far. */
  constructor(
    bandwidth: BandwidthEstimator,
    subscriptions: ReadonlyMap<number, Subscription>,
    padding: Padding,
    repairBytes: () => number,
  ) {
    this.#bandwidth = bandwidth;
    this.#subscriptions = subscriptions;
    this.#padding = padding;
    this.#repairBytes = repairBytes;
  }

  /** What pictures are paced by; undefined while no limit is known. */
  get paceBps(): number | undefined {
    return this.#paceBps;
  }

  get #isShedding(): boolean {
    return this.#share.level !== LEVEL_ALL || this.#share.kept !== EVERYTHING;
  }

  /** A new subscription, the last in order. */
  add(subscription: Subscription): void {
    subscription.paced = this.#paceBps !== undefined && !subscription.track.isAudio;
    if (this.#isShedding) this.#apply();
    const { rateBps } = this.#bandwidth;
    if (rateBps !== undefined) {
      this.#limit(rateBps * (1 - RESERVE) - this.#besideBps(subscription.link.nowUs()));
    }
  }

  /** To be called with every report that the link's estimator has seen. */
  update(nowUs: number): void {
    const { rateBps, state, decreases } = this.#bandwidth;
    if (rateBps === undefined) return;
    this.#measureRepair(nowUs);
    const besideBps = this.#besideBps(nowUs);
    if (!this.#bandwidth.isTrying) this.#limit(rateBps * (1 - RESERVE) - besideBps);
    const hasNews = decreases !== this.#decreases;
    this.#decreases = decreases;
    if (state !== "free") this.#freeSinceUs = nowUs;
    if (this.#attempt !== undefined) this.#judge(this.#attempt, hasNews, nowUs);
    else if (hasNews && !this.#bandwidth.hasQueue) this.#stepDownForLoss(nowUs);
    else if (hasNews && this.#willFollow) this.#followsUntilUs = nowUs + FOLLOWS_US;
    else if (hasNews) this.#stepDown(rateBps, nowUs);
    else if (nowUs > this.#followsUntilUs) this.#judgeFollowed(rateBps, nowUs);
    else if (this.#beforeLoss !== undefined) this.#judgeLoss(this.#beforeLoss, rateBps, nowUs);
    else if (this.#isShedding) this.#stepUp(rateBps, nowUs);
    this.#pace(rateBps, rateBps - besideBps, nowUs);
  }

  /** The member has gone. */
  end(): void {
    this.#padding.stop();
  }

  /** What sound and repair take of the link. */
  #besideBps(nowUs: number): number {
    return this.#neededBps({ level: LEVEL_ALL, kept: 0 }, nowUs);
  }

  /** Tells each picture's track its share of what the link has for pictures, in proportion to what its publisher would like to send. */
  #limit(forPicturesBps: number): void {
    let wantedBps = 0;
    for (const { track, rendition } of this.#subscriptions.values())
      if (!track.isAudio) wantedBps += track.renditions[rendition]!.fullBps;
    const share = forPicturesBps / wantedBps;
    for (const subscription of this.#subscriptions.values()) {
      const { track, rendition, limitBps } = subscription;
      if (track.isAudio) continue;
      const bps = share > 1 ? undefined : share * track.renditions[rendition]!.fullBps;
      if (bps === limitBps) continue;
      if (bps !== undefined && limitBps !== undefined && Math.abs(bps - limitBps) < limitBps * LIMIT_NEWS)
        continue;
      subscription.limitBps = bps === undefined ? undefined : Math.max(LEAST_LIMIT_BPS, Math.round(bps));
      track.updateLimit(rendition);
    }
  }

  /** Whether the publishers send less because nobody has use for more. */
  get #willFollow(): boolean {
    if (this.#bandwidth.queueMs > LONG_QUEUE_MS) return false;
    for (const { track, rendition } of this.#subscriptions.values())
      if (!track.isAudio && !track.renditions[rendition]!.limit.isKnown) return false;
    return true;
  }

  /** Publishers have had their time to send less; a little more than fits is left to the estimator. */
  #judgeFollowed(rateBps: number, nowUs: number): void {
    this.#followsUntilUs = Number.POSITIVE_INFINITY;
    const fullBps = this.#bandwidth.limitBps ?? rateBps;
    if (this.#neededBps(this.#share, nowUs) > fullBps * BASE_FILL) this.#stepDown(rateBps, nowUs);
  }

  /** What fits into what came through when the road was full needs no trial. */
  #stepUp(rateBps: number, nowUs: number): void {
    const freeUs = nowUs - this.#freeSinceUs;
    if (freeUs < LEAST_PATIENCE_US) return;
    const next = this.#nextAbove(this.#share, nowUs);
    const fullBps = Math.min(rateBps, (this.#bandwidth.limitBps ?? 0) * FILL);
    if (this.#neededBps(next, nowUs) <= fullBps) this.#set(next);
    else if (freeUs > this.#patienceUs) this.#try(next, rateBps, nowUs);
  }

  #measureRepair(nowUs: number): void {
    const seconds = (nowUs - this.#repair.atUs) / 1_000_000;
    if (seconds * 1_000_000 < REPAIR_INTERVAL_US) return;
    const bytes = this.#repairBytes();
    const bps = this.#repair.atUs === 0 ? 0 : ((bytes - this.#repair.bytes) * 8) / seconds;
    // What was subscribed to before takes its bytes with it.
    this.#repairBps += (Math.max(0, bps) - this.#repairBps) * REPAIR_SMOOTHING;
    this.#repair = { bytes, atUs: nowUs };
  }

  #judge(attempt: Attempt, hasNews: boolean, nowUs: number): void {
    const { newestQueueMs } = this.#bandwidth;
    const isFilling = newestQueueMs > FILLING_QUEUE_MS && newestQueueMs > this.#newestQueueMs;
    this.#newestQueueMs = newestQueueMs;
    this.#fullReports = isFilling || newestQueueMs > FULL_QUEUE_MS ? this.#fullReports + 1 : 0;
    if (hasNews || this.#fullReports >= FULL_REPORTS) {
      this.#attempt = undefined;
      this.#padding.stop();
      this.#patienceUs = Math.min(MAX_PATIENCE_US, this.#patienceUs * 2);
      this.#step = 1;
      this.#freeSinceUs = nowUs;
      // Less than that would be too much: it was carried before, and what is in the queue soon will be.
      this.#set(attempt.before);
    } else if (nowUs >= attempt.endsUs) {
      if (!attempt.isOn) {
        this.#padding.stop();
        attempt.isOn = true;
        attempt.endsUs = nowUs + TRIAL_US;
        this.#set(attempt.next);
        return;
      }
      this.#attempt = undefined;
      this.#patienceUs = FIRST_PATIENCE_US;
      this.#step *= 2;
      // It has been free for as long as the attempt took.
      this.#freeSinceUs = Math.min(this.#freeSinceUs, nowUs - FIRST_PATIENCE_US);
    }
  }

  /** One layer less, for the estimator's trial; pictures are not worth it. */
  #stepDownForLoss(nowUs: number): void {
    this.#freeSinceUs = nowUs;
    const before = this.#share;
    const neededBps = this.#neededBps(before, nowUs);
    let { level } = before;
    while (level > 0 && this.#neededBps({ ...before, level }, nowUs) >= neededBps) level--;
    if (this.#neededBps({ ...before, level }, nowUs) >= neededBps) return;
    this.#beforeLoss = before;
    this.#set({ ...before, level });
  }

  /** A rate that was given back says that less did not help. */
  #judgeLoss(before: Share, rateBps: number, nowUs: number): void {
    const isFree = nowUs - this.#freeSinceUs > this.#patienceUs;
    if (rateBps * FILL < this.#neededBps(before, nowUs) && !isFree) return;
    this.#beforeLoss = undefined;
    if (!isFree) this.#set(before);
  }

  /** The most that fits, of what is not more than now. */
  #stepDown(rateBps: number, nowUs: number): void {
    this.#freeSinceUs = nowUs;
    this.#followsUntilUs = Number.POSITIVE_INFINITY;
    this.#beforeLoss = undefined;
    // Not the rate: that is lower only until the queue is gone.
    const fullBps = this.#bandwidth.limitBps ?? rateBps;
    let { level, kept } = this.#share;
    while (level > 0 && this.#neededBps({ level, kept }, nowUs) > fullBps * FILL) level--;
    const pictures = this.#pictures;
    for (let left = Math.min(kept, pictures); level === 0; left--) {
      kept = left === pictures ? this.#share.kept : left;
      if (left === 0 || this.#neededBps({ level, kept }, nowUs) <= fullBps * BASE_FILL) break;
    }
    this.#set({ level, kept });
  }

  /** Some pictures more or, when all are sent, one layer: padding first. */
  #try(next: Share, rateBps: number, nowUs: number): void {
    const before = this.#share;
    const moreBps = this.#neededBps(next, nowUs) * PROBE_MARGIN - this.#neededBps(before, nowUs);
    const slowlyUs = (PROBE_GROWS_US * moreBps) / (rateBps * MOST_PROBE_GROWTH);
    const growsUs = Math.max(PROBE_GROWS_US, Math.min(MOST_PROBE_GROWS_US, slowlyUs));
    this.#attempt = { before, next, isOn: false, endsUs: nowUs + growsUs + PROBE_STAYS_US };
    this.#fullReports = 0;
    this.#newestQueueMs = this.#bandwidth.newestQueueMs;
    this.#padding.start(moreBps, growsUs);
  }

  #nextAbove({ level, kept }: Share, nowUs: number): Share {
    const pictures = this.#pictures;
    if (kept < pictures)
      return { level, kept: kept + this.#step >= pictures ? EVERYTHING : kept + this.#step };
    // Layers that nobody publishes are no step.
    const neededBps = this.#neededBps({ level, kept }, nowUs);
    let above = level + 1;
    while (above < LEVEL_ALL && this.#neededBps({ level: above, kept }, nowUs) <= neededBps) above++;
    return { level: Math.min(above, LEVEL_ALL), kept: EVERYTHING };
  }

  #set(share: Share): void {
    this.#share = share;
    this.#apply();
  }

  #apply(): void {
    let left = this.#share.kept;
    for (const subscription of this.#subscriptions.values()) {
      if (!subscription.track.isAudio) subscription.setLevel(left-- > 0 ? this.#share.level : LEVEL_PAUSED);
    }
  }

  get #pictures(): number {
    let count = 0;
    for (const { track } of this.#subscriptions.values()) if (!track.isAudio) count++;
    return count;
  }

  /** Bits a second of sound, repair and so much of the pictures. */
  #neededBps({ level, kept }: Share, nowUs: number): number {
    let bps = this.#repairBps;
    let left = kept;
    for (const { track, rendition, wishMask } of this.#subscriptions.values()) {
      const { rates, limit } = track.renditions[rendition]!;
      if (track.isAudio) bps += rates.bps(wishMask, nowUs);
      else if (left-- > 0)
        bps += limit.expected(
          rates.bps(wishMask & maskOfLevel(level), nowUs),
          rates.bps(0xffff, nowUs),
          nowUs,
        );
    }
    return bps;
  }

  #pace(rateBps: number, forPicturesBps: number, nowUs: number): void {
    const isFirst = this.#paceBps === undefined;
    const neededBps = this.#isShedding ? this.#neededBps(this.#share, nowUs) * PACE_MARGIN : forPicturesBps;
    this.#paceBps = Math.max(LEAST_PACE_BPS, Math.min(rateBps, neededBps));
    if (!isFirst) return;
    for (const subscription of this.#subscriptions.values()) subscription.paced = !subscription.track.isAudio;
  }
}
