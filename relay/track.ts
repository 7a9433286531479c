/** A published track on this relay: its renditions, who receives them, and how its publisher is reached. */
import type { Clock } from "../core/clock.ts";
import { BlockHistory } from "../core/delivery/recovery/block-history.ts";
import type { BlockReceiver } from "../core/delivery/recovery/block-receiver.ts";
import type { BlockPool } from "../core/delivery/reed-solomon/block-pool.ts";
import type { TrackInfo, TrackOffer } from "../core/wire/room-model.ts";
import { AudioActivity } from "./audio-activity.ts";
import { type CacheBudget, GopCache } from "./gop-cache.ts";
import { KeyframeRequests } from "./keyframe-requests.ts";
import { LayerRates } from "./layer-rates.ts";
import { RenditionLimit } from "./rendition-limit.ts";
import type { Subscription } from "./subscription.ts";

/** Time for recovery on the publisher's hop before anybody has subscribed. */
const DEFAULT_REPAIR_WITHIN_MS = 120;
/** Kept free on the subscriber's hop beside its round trip. */
const HOP_RESERVE_MS = 12;
/** Smaller changes are no news. */
const BUDGET_STEP_MS = 10;
const LOSS_STEP = 0.02;
const BURST_STEP_MS = 5;
const MAX_TOLD_BURST_MS = 1_000;

/** Memory that all tracks of a relay share. */
export interface TrackMemory {
  cacheBudget: CacheBudget;
  recoveryPool: BlockPool;
}

/** What a publisher is to know of those who receive a track. */
export interface Audience {
  /** Time for recovery on the publisher's hop. */
  repairWithinMs: number;
  /** What the worst of their hops loses, 0..1, and how long losses last; 0 for video, which is repaired hop by hop. */
  loss: number;
  burstMs: number;
}

/** What a track tells its publisher, or the relay that it comes from. */
export interface PublisherSignals {
  keyframeRequested(trackId: number, rendition: number): void;
  trackWanted(trackId: number, wanted: boolean): void;
  trackBudget(trackId: number, audience: Audience): void;
  renditionLimit(trackId: number, rendition: number, limitBps: number | undefined): void;
  renditionWanted(track: Track, rendition: number, wanted: boolean): void;
}

/** Where the datagrams of a track come from. */
export interface TrackSource extends PublisherSignals {
  /** Its publisher's own session, rather than a link to another relay. */
  readonly isSession: boolean;
  stopReceiving(track: Track): void;
}

export class TrackRendition {
  readonly index: number;
  readonly subscriptions: Subscription[] = [];
  /** Video only. */
  readonly cache: GopCache | undefined;
  readonly keyframes: KeyframeRequests;
  /** What the publisher's hop restores from, and what all subscribers' repair is made of. */
  readonly history: BlockHistory;
  readonly rates = new LayerRates();
  /** What the publisher would like to send, bits a second; 0 for audio. */
  readonly fullBps: number;
  readonly limit: RenditionLimit;
  /** A subscription waits for a unit with which what it gets changes. */
  hasChanges = false;
  #newestFrameId: number | undefined;
  /** On the publisher's link. */
  receiver: BlockReceiver | undefined;

  constructor(
    index: number,
    cache: GopCache | undefined,
    history: BlockHistory,
    keyframes: KeyframeRequests,
    fullBps: number,
    limit: RenditionLimit,
  ) {
    this.index = index;
    this.cache = cache;
    this.history = history;
    this.keyframes = keyframes;
    this.fullBps = fullBps;
    this.limit = limit;
  }

  /** Notes which unit a datagram is of; with a new one, what subscriptions get may change. */
  noteUnit(frameId: number, classBit: number, keyframe: boolean): void {
    if (this.#newestFrameId !== undefined && ((frameId - this.#newestFrameId) | 0) <= 0) return;
    this.#newestFrameId = frameId;
    if (!this.hasChanges) return;
    this.hasChanges = false;
    for (const subscription of this.subscriptions) {
      if (!subscription.begin(frameId, classBit, keyframe)) this.hasChanges = true;
    }
  }
}

export class Track {
  readonly trackId: number;
  readonly offer: TrackOffer;
  /** Identity of the publisher. */
  readonly publisher: string;
  readonly isAudio: boolean;
  readonly renditions: readonly TrackRendition[];
  /** Audio only: how loud it is. */
  readonly activity: AudioActivity;
  #source: TrackSource;
  /** It may still come from there too. */
  readonly #formerSources = new Set<TrackSource>();
  #wanted: boolean | undefined;
  /** As the publisher knows it. */
  #audience: Audience = { repairWithinMs: DEFAULT_REPAIR_WITHIN_MS, loss: 0, burstMs: 0 };

  constructor(
    trackId: number,
    offer: TrackOffer,
    publisher: string,
    clock: Clock,
    memory: TrackMemory,
    source: TrackSource,
  ) {
    this.trackId = trackId;
    this.offer = offer;
    this.publisher = publisher;
    this.isAudio = offer.kind === "audio";
    this.activity = new AudioActivity();
    this.#source = source;
    const count = offer.kind === "video" ? offer.renditions.length : 1;
    this.renditions = Array.from({ length: count }, (_, index) => {
      const cache = this.isAudio ? undefined : new GopCache(memory.cacheBudget);
      const keyframes = new KeyframeRequests(clock, () => this.#source.keyframeRequested(trackId, index));
      const fullBps = offer.kind === "video" ? offer.renditions[index]!.maxBitrateBps : 0;
      const limit = new RenditionLimit(clock, (bps) => this.#source.renditionLimit(trackId, index, bps));
      const history = new BlockHistory(memory.recoveryPool);
      return new TrackRendition(index, cache, history, keyframes, fullBps, limit);
    });
  }

  /** Where its datagrams come from: its publisher's session or a link to another relay. */
  get source(): TrackSource {
    return this.#source;
  }

  /** It is no longer taken from a source that it came from before. */
  removeSource(source: TrackSource): void {
    if (!this.#formerSources.delete(source)) return;
    source.stopReceiving(this);
  }

  /** It comes from another source from now on; see `tellSource`. */
  moveTo(source: TrackSource): void {
    this.#formerSources.add(this.#source);
    this.#formerSources.delete(source);
    this.#source = source;
  }

  /** Tells the source all that it should know. */
  tellSource(): void {
    const source = this.#source;
    this.#wanted = undefined;
    this.reportWanted();
    for (const { index, limit, subscriptions } of this.renditions) {
      if (subscriptions.length > 0) source.renditionWanted(this, index, true);
      limit.tellAgain();
    }
    source.trackBudget(this.trackId, this.#audience);
  }

  get info(): TrackInfo {
    return { trackId: this.trackId, offer: this.offer };
  }

  get muted(): boolean {
    return this.offer.muted;
  }

  /** Asks the publisher for a keyframe of a rendition, together with whoever else asks. Audio has none. */
  requestKeyframe(rendition: number): void {
    if (!this.isAudio && !this.muted) this.renditions[rendition]?.keyframes.request();
  }

  addSubscription(subscription: Subscription): void {
    const { rendition } = subscription;
    const { subscriptions } = this.renditions[rendition]!;
    subscriptions.push(subscription);
    this.reportWanted();
    this.updateAudience();
    if (subscriptions.length === 1) this.#source.renditionWanted(this, rendition, true);
    this.updateLimit(subscription.rendition);
  }

  /** To be called when a subscriber's network carries more or less of this rendition than before. */
  updateLimit(rendition: number): void {
    const { limit, subscriptions } = this.renditions[rendition]!;
    if (!this.isAudio) limit.update(subscriptions);
  }

  removeSubscription(subscription: Subscription): void {
    subscription.end();
    const { subscriptions } = this.renditions[subscription.rendition]!;
    const index = subscriptions.indexOf(subscription);
    if (index >= 0) {
      subscriptions[index] = subscriptions.at(-1)!;
      subscriptions.pop();
      if (subscriptions.length === 0) this.#source.renditionWanted(this, subscription.rendition, false);
    }
    this.reportWanted();
    this.updateLimit(subscription.rendition);
  }

  get subscriptionCount(): number {
    let count = 0;
    for (const rendition of this.renditions) count += rendition.subscriptions.length;
    return count;
  }

  /** Tells the publisher whether anybody wants the track, when that is news. */
  reportWanted(): void {
    const wanted = this.subscriptionCount > 0;
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    this.#source.trackWanted(this.trackId, wanted);
    // What is cached now would be an old picture by the time somebody wants it again.
    if (!wanted) this.clearCaches();
  }

  /** As its publisher knows it. */
  get audience(): Readonly<Audience> {
    return this.#audience;
  }

  /** Time for recovery on the publisher's hop. */
  get repairWithinMs(): number {
    return this.#audience.repairWithinMs;
  }

  /** Looks at what the hops of those who receive the track are like, and tells the publisher what is news. To be called now and then. */
  updateAudience(): void {
    const audience = this.#audienceNow();
    const known = this.#audience;
    const isNews =
      Math.abs(audience.repairWithinMs - known.repairWithinMs) >= BUDGET_STEP_MS ||
      Math.abs(audience.loss - known.loss) >= LOSS_STEP ||
      Math.abs(audience.burstMs - known.burstMs) >= BURST_STEP_MS;
    if (audience.repairWithinMs === 0 || !isNews) return;
    this.#audience = audience;
    for (const { receiver } of this.renditions)
      if (receiver !== undefined) receiver.playoutDelayMs = audience.repairWithinMs;
    this.#source.trackBudget(this.trackId, audience);
  }

  #audienceNow(): Audience {
    const audience: Audience = { repairWithinMs: 0, loss: 0, burstMs: 0 };
    for (const { subscriptions } of this.renditions) {
      for (const { playoutDelayMs, recovery, beyond } of subscriptions) {
        const { rttMs, loss, burstMs } = recovery.outbound;
        // The hop behind us wants time for a round of its own; half is ours in any case.
        const shareMs = Math.max(playoutDelayMs - rttMs - HOP_RESERVE_MS, playoutDelayMs / 2);
        audience.repairWithinMs = Math.max(audience.repairWithinMs, Math.round(shareMs));
        if (!this.isAudio) continue;
        audience.loss = Math.max(audience.loss, loss, beyond?.loss ?? 0);
        audience.burstMs = Math.max(
          audience.burstMs,
          Math.min(MAX_TOLD_BURST_MS, Math.max(burstMs, beyond?.burstMs ?? 0)),
        );
      }
    }
    return audience;
  }

  setMuted(muted: boolean): void {
    if (this.offer.muted === muted) return;
    this.offer.muted = muted;
    this.activity.reset();
    this.clearCaches();
    for (const rendition of this.renditions) {
      // Of what came while the track was muted, nothing may be asked for, restored or repaired later.
      rendition.history.clear();
      rendition.receiver?.forget();
      for (const subscription of rendition.subscriptions) subscription.cancelPaced();
      if (muted) rendition.keyframes.cancel();
      else if (rendition.subscriptions.length > 0) this.requestKeyframe(rendition.index);
    }
  }

  clearCaches(): void {
    for (const { cache } of this.renditions) cache?.clear();
  }

  /** Ends every subscription and gives memory back. The track is not used after that. */
  end(): void {
    for (const source of [this.#source, ...this.#formerSources]) source.stopReceiving(this);
    this.#formerSources.clear();
    for (const rendition of this.renditions) {
      rendition.keyframes.cancel();
      for (const subscription of rendition.subscriptions) subscription.end();
      rendition.subscriptions.length = 0;
      rendition.cache?.end();
      rendition.history.clear();
    }
  }
}
