/** A published track on this relay: its renditions, who receives them, and how its publisher is reached. */
import type { Clock } from "../core/clock.ts";
import type { Link } from "../core/session/link.ts";
import type { TrackInfo, TrackOffer } from "../core/wire/room-model.ts";
import { AudioActivity } from "./audio-activity.ts";
import { type CacheBudget, GopCache } from "./gop-cache.ts";
import { KeyframeRequests } from "./keyframe-requests.ts";

/** What a track tells its publisher. */
export interface PublisherSignals {
  keyframeRequested(trackId: number, rendition: number): void;
  trackWanted(trackId: number, wanted: boolean): void;
}

/** One subscriber's wish for one track. */
export interface Subscription {
  readonly track: Track;
  readonly link: Link;
  /** Identity of the subscriber. */
  readonly subscriber: string;
  rendition: number;
  maxTemporalLayer: number;
  /** Budget from arrival of the first copy to playout, for repair. */
  playoutDelayMs: number;
  /** While true, the subscriber gets the cached GOP from relay/gop-replay.ts and nothing directly. */
  replaying: boolean;
}

class TrackRendition {
  readonly index: number;
  readonly subscriptions: Subscription[] = [];
  /** Video only. */
  readonly cache: GopCache | undefined;
  readonly keyframes: KeyframeRequests;

  constructor(index: number, cache: GopCache | undefined, keyframes: KeyframeRequests) {
    this.index = index;
    this.cache = cache;
    this.keyframes = keyframes;
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
  readonly #signals: PublisherSignals;
  #wanted: boolean | undefined;

  constructor(
    trackId: number,
    offer: TrackOffer,
    publisher: string,
    clock: Clock,
    budget: CacheBudget,
    signals: PublisherSignals,
  ) {
    this.trackId = trackId;
    this.offer = offer;
    this.publisher = publisher;
    this.isAudio = offer.kind === "audio";
    this.activity = new AudioActivity();
    this.#signals = signals;
    const count = offer.kind === "video" ? offer.renditions.length : 1;
    this.renditions = Array.from({ length: count }, (_, index) => {
      const cache = this.isAudio ? undefined : new GopCache(budget);
      const keyframes = new KeyframeRequests(clock, () => signals.keyframeRequested(trackId, index));
      return new TrackRendition(index, cache, keyframes);
    });
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
    this.renditions[subscription.rendition]!.subscriptions.push(subscription);
    this.reportWanted();
  }

  removeSubscription(subscription: Subscription): void {
    subscription.replaying = false;
    const { subscriptions } = this.renditions[subscription.rendition]!;
    const index = subscriptions.indexOf(subscription);
    if (index >= 0) {
      subscriptions[index] = subscriptions.at(-1)!;
      subscriptions.pop();
    }
    this.reportWanted();
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
    this.#signals.trackWanted(this.trackId, wanted);
    // What is cached now would be an old picture by the time somebody wants it again.
    if (!wanted) this.clearCaches();
  }

  setMuted(muted: boolean): void {
    if (this.offer.muted === muted) return;
    this.offer.muted = muted;
    this.activity.reset();
    this.clearCaches();
    for (const rendition of this.renditions) {
      if (muted) rendition.keyframes.cancel();
      else if (rendition.subscriptions.length > 0) this.requestKeyframe(rendition.index);
    }
  }

  clearCaches(): void {
    for (const { cache } of this.renditions) cache?.clear();
  }

  /** Ends every subscription and gives memory back. The track is not used after that. */
  end(): void {
    for (const rendition of this.renditions) {
      rendition.keyframes.cancel();
      for (const subscription of rendition.subscriptions) subscription.replaying = false;
      rendition.subscriptions.length = 0;
      rendition.cache?.end();
    }
  }
}
