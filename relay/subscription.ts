/**
 * One subscriber's wish for one track rendition, and what of it the subscriber gets now: units of some classes may be left out,
 * changes of that begin with a whole unit. Pictures pass through the subscriber's pacer where its network has set a limit.
 */
import type { PacedSink, Pacer } from "../core/delivery/congestion/pacer.ts";
import type { BlockHistory } from "../core/delivery/recovery/block-history.ts";
import type { RepairSender } from "../core/delivery/recovery/repair-sender.ts";
import type { HopRecovery } from "../core/session/hop-recovery.ts";
import type { Link } from "../core/session/link.ts";
import type { LinkDrop } from "../core/session/link-stats.ts";
import {
  DATAGRAM_MEDIA,
  HOP_HEADER_BYTES,
  mediaBlockOf,
  mediaFlagsOf,
  mediaSymbolOf,
  mediaTemporalLayerOf,
} from "../core/wire/datagram.ts";
import { MAX_MEDIA_DATAGRAM_BYTES } from "../core/wire/limits.ts";
import type { ForwardCounters } from "./forward-counters.ts";
import {
  classBitOf,
  type LayerRates,
  LEVEL_ALL,
  LEVEL_PAUSED,
  maskOfLayers,
  maskOfLevel,
} from "./layer-rates.ts";
import type { RenditionLimit } from "./rendition-limit.ts";

/** The base layer as everybody needs it. */
const BASE = 1;
/** Classes of layer 0, discardable or not. */
const LAYER_0 = 0x101;
/** Units this much newer than a change are all judged by it. */
const SETTLED_UNITS = 256;

/** A track as its subscriptions know it. */
export interface SubscribedTrack {
  readonly trackId: number;
  readonly isAudio: boolean;
  readonly renditions: readonly {
    readonly history: BlockHistory;
    readonly rates: LayerRates;
    readonly fullBps: number;
    readonly limit: RenditionLimit;
    /** A subscription waits for a unit with which what it gets changes. */
    hasChanges: boolean;
  }[];
  requestKeyframe(rendition: number): void;
  updateLimit(rendition: number): void;
  removeSubscription(subscription: Subscription): void;
}

/** Who subscribes. */
export interface Subscriber {
  readonly identity: string;
  readonly link: Link;
  readonly recovery: HopRecovery;
  readonly pacer: Pacer;
  /** The subscription has been ended, because its track was. */
  forget(subscription: Subscription): void;
}

/** What a subscriber asks for. */
export interface SubscriptionWish {
  rendition: number;
  maxTemporalLayer: number;
  playoutDelayMs: number;
}

export class Subscription implements PacedSink {
  readonly track: SubscribedTrack;
  readonly rendition: number;
  readonly link: Link;
  /** Recovery on that link, and what repairs this track there. */
  readonly recovery: HopRecovery;
  readonly repair: RepairSender;
  readonly subscriber: Subscriber;
  /** While true, the subscriber gets the cached GOP from relay/gop-replay.ts and nothing directly. */
  replaying = false;
  /** While true, pictures pass through the pacer. */
  paced = false;
  /** What the subscriber's network carries of it, bits a second with datagram headers; undefined = no limit is known. */
  limitBps: number | undefined;
  /** The same of the hops behind a subscriber that is a relay, and the worst loss there. */
  beyondBps: number | undefined;
  beyond: { loss: number; burstMs: number } | undefined;
  /** Unit classes that pass for sure, whatever unit; of others `allows` knows. */
  passes: number;
  readonly #pacer: Pacer;
  readonly #counters: ForwardCounters;
  #playoutDelayMs: number;
  #maxTemporalLayer: number;
  #level = LEVEL_ALL;
  /** Classes from unit #fromFrameId on, and of older units. */
  #mask: number;
  #maskBefore: number;
  #fromFrameId = 0;

  constructor(
    track: SubscribedTrack,
    wish: SubscriptionWish,
    subscriber: Subscriber,
    counters: ForwardCounters,
  ) {
    const { link, recovery, pacer } = subscriber;
    this.track = track;
    this.rendition = wish.rendition;
    this.link = link;
    this.recovery = recovery;
    this.subscriber = subscriber;
    this.#pacer = pacer;
    this.#counters = counters;
    this.#playoutDelayMs = wish.playoutDelayMs;
    this.#maxTemporalLayer = wish.maxTemporalLayer;
    const { history } = track.renditions[wish.rendition]!;
    // Audio carries copies of its own.
    const isPicture = !track.isAudio;
    this.repair = recovery.addSender(track.trackId, wish.rendition, history, wish.playoutDelayMs, isPicture);
    this.#mask = this.#wanted;
    this.#maskBefore = this.#mask;
    this.passes = this.#mask;
  }

  /** Budget from arrival of the first copy to playout, for repair. */
  get playoutDelayMs(): number {
    return this.#playoutDelayMs;
  }

  /** The subscriber changes its mind about the same rendition. */
  change(wish: SubscriptionWish): void {
    this.#playoutDelayMs = wish.playoutDelayMs;
    this.repair.playoutDelayMs = wish.playoutDelayMs;
    this.#maxTemporalLayer = wish.maxTemporalLayer;
    this.#noteChange();
  }

  /** Classes that the subscriber has asked for. */
  get wishMask(): number {
    return maskOfLayers(this.#maxTemporalLayer);
  }

  get level(): number {
    return this.#level;
  }

  /** Lets no more than this through from a coming unit on; LEVEL_PAUSED is left at a keyframe, which is asked for. */
  setLevel(level: number): void {
    if (level === this.#level) return;
    const wasPaused = this.#level === LEVEL_PAUSED;
    this.#level = level;
    this.#noteChange();
    if (wasPaused) this.track.requestKeyframe(this.rendition);
  }

  get #wanted(): number {
    return this.wishMask & maskOfLevel(this.#level);
  }

  #noteChange(): void {
    if (this.#wanted !== this.#mask) this.track.renditions[this.rendition]!.hasChanges = true;
  }

  /** At the first datagram of a new unit. Returns false while a change has to wait for another unit. */
  begin(frameId: number, classBit: number, keyframe: boolean): boolean {
    const wanted = this.#wanted;
    if (wanted === this.#mask) return true;
    // Less at any unit; more only where nothing that follows needs what was left out.
    const mayGrow = keyframe || ((this.#mask & BASE) !== 0 && (classBit & LAYER_0) !== 0);
    const next = mayGrow ? wanted : wanted & this.#mask;
    if (next !== this.#mask) {
      this.#maskBefore = this.#mask;
      this.#mask = next;
      this.#fromFrameId = frameId;
      this.passes = this.#mask & this.#maskBefore;
    }
    return next === wanted;
  }

  /** Whether a datagram of this unit is sent; to be asked about classes that are not in `passes`. */
  allows(frameId: number, classBit: number): boolean {
    const ahead = (frameId - this.#fromFrameId) | 0;
    if (ahead > SETTLED_UNITS) {
      this.#maskBefore = this.#mask;
      this.passes = this.#mask;
    }
    return ((ahead >= 0 ? this.#mask : this.#maskBefore) & classBit) !== 0;
  }

  /** Counts a datagram that was left out, unless the subscriber did not want it. */
  countShed(classBit: number): void {
    if ((this.wishMask & classBit) === 0) return;
    const { shed } = this.#counters;
    if ((this.#mask & BASE) === 0) shed["shed-picture"]++;
    else if (classBit >= 1 << LEVEL_ALL) shed["shed-discardable"]++;
    else shed["shed-layer"]++;
  }

  /** Sends a media datagram now or, paced, soon; says what did not take it. */
  send(datagram: Uint8Array, nowUs: number): LinkDrop | "pacer-full" | undefined {
    if (!this.paced || datagram.length > MAX_MEDIA_DATAGRAM_BYTES) return this.#sendNow(datagram, nowUs);
    return this.#pacer.push(datagram, this) ? undefined : "pacer-full";
  }

  sendPaced(datagram: Uint8Array): void {
    if (this.#sendNow(datagram, this.link.nowUs()) !== undefined) this.#counters.notTaken++;
  }

  #sendNow(datagram: Uint8Array, nowUs: number): LinkDrop | undefined {
    const counters = this.#counters;
    const drop = this.link.send(DATAGRAM_MEDIA, datagram, HOP_HEADER_BYTES, !this.track.isAudio, nowUs);
    if (drop !== undefined) return drop;
    counters.datagramsOut++;
    counters.bytesOut += datagram.length;
    // So that it is repaired, as long as its block is remembered.
    const block = mediaBlockOf(datagram);
    this.repair.onSent(block, mediaSymbolOf(datagram), mediaFlagsOf(datagram), datagram.length, nowUs);
    return undefined;
  }

  /** Whether a datagram of the cache is part of what the subscriber gets. */
  wants(datagram: Uint8Array): boolean {
    return (this.#wanted & classBitOf(mediaTemporalLayerOf(datagram), mediaFlagsOf(datagram))) !== 0;
  }

  /** What waits in the pacer is not sent. */
  cancelPaced(): void {
    this.#counters.shed["shed-withdrawn"] += this.#pacer.cancel(this);
  }

  /** Nothing is sent or repaired any more. */
  end(): void {
    this.replaying = false;
    this.cancelPaced();
    this.recovery.removeSender(this.track.trackId, this.rendition);
  }
}
