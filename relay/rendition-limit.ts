/**
 * The most of one track rendition that the network of any of its subscribers carries, as its publisher is told: nobody gains from more,
 * or little, where a network that carries little less would have to miss pictures for it. Undefined while somebody's network has shown no limit.
 */
import type { Clock } from "../core/clock.ts";

/** Networks that carry so much of what the best one carries are heeded too. */
const NEAR_SHARE = 0.7;
/** Smaller changes are no news: of an encoder they cost quality. */
const NEWS_SHARE = 0.04;
/** What the rendition has carried of late is still of an earlier limit for so long; after that it is what the publisher makes, whatever it was told. */
const FOLLOWED_WITHIN_US = 5_000_000;

/** What one subscriber's network carries of it, bits a second with datagram headers; undefined = no limit is known. */
export interface LimitedSubscriber {
  readonly limitBps: number | undefined;
  /** And the hops behind it, where it is a relay. */
  readonly beyondBps?: number | undefined;
}

const NO_LIMIT = Number.POSITIVE_INFINITY;

function carriedBps({ limitBps = NO_LIMIT, beyondBps = NO_LIMIT }: LimitedSubscriber): number {
  return Math.min(limitBps, beyondBps);
}

export class RenditionLimit {
  readonly #clock: Clock;
  readonly #tell: (limitBps: number | undefined) => void;
  #toldBps: number | undefined;
  #loweredUs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, tell: (limitBps: number | undefined) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  get isKnown(): boolean {
    return this.#toldBps !== undefined;
  }

  /** For a publisher that has not been told. */
  tellAgain(): void {
    if (this.#toldBps !== undefined) this.#tell(this.#toldBps);
  }

  /** To be called when a subscriber comes, goes, or has another limit. */
  update(subscribers: readonly LimitedSubscriber[]): void {
    const limitBps = limitOf(subscribers);
    const told = this.#toldBps;
    if (limitBps === told) return;
    if (limitBps !== undefined && told !== undefined && Math.abs(limitBps - told) < told * NEWS_SHARE) return;
    if (limitBps !== undefined && limitBps < (told ?? Number.POSITIVE_INFINITY))
      this.#loweredUs = this.#clock.nowUs();
    this.#toldBps = limitBps;
    this.#tell(limitBps);
  }

  /** What `bps` of the `allBps` that the rendition has carried of late will be once the publisher keeps to what it was told. */
  expected(bps: number, allBps: number, nowUs: number): number {
    const told = this.#toldBps;
    if (told === undefined || allBps <= told || nowUs - this.#loweredUs > FOLLOWED_WITHIN_US) return bps;
    return (bps * told) / allBps;
  }
}

function limitOf(subscribers: readonly LimitedSubscriber[]): number | undefined {
  let mostBps = 0;
  for (const subscriber of subscribers) mostBps = Math.max(mostBps, carriedBps(subscriber));
  // Nobody is there to be limited by, or somebody is not.
  if (mostBps === 0 || mostBps === NO_LIMIT) return undefined;
  let leastBps = mostBps;
  for (const subscriber of subscribers) {
    const bps = carriedBps(subscriber);
    if (bps >= mostBps * NEAR_SHARE) leastBps = Math.min(leastBps, bps);
  }
  return leastBps;
}
