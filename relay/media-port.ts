/**
 * The media side of one session of this relay, a participant's or another relay's: its link with recovery, pacing and
 * shedding, the tracks that come in on it and the subscriptions that go out.
 */
import type { Clock, Random } from "../core/clock.ts";
import { Pacer } from "../core/delivery/congestion/pacer.ts";
import { HopRecovery } from "../core/session/hop-recovery.ts";
import { Link } from "../core/session/link.ts";
import type { Session } from "../core/session/session.ts";
import { TokenBucket } from "../core/session/token-bucket.ts";
import { DATAGRAM_PROBE } from "../core/wire/datagram.ts";
import type { Forwarder, ForwardSource } from "./forwarder.ts";
import { Padding } from "./padding.ts";
import { Shedding } from "./shedding.ts";
import type { Subscriber, Subscription } from "./subscription.ts";
import type { Audience, PublisherSignals, Track } from "./track.ts";

export interface MediaPortOptions {
  /** Of the participant, or id of the relay. */
  identity: string;
  session: Session;
  clock: Clock;
  random: Random;
  forwarder: Forwarder;
  /** All tracks of the room. */
  roomTracks: ReadonlyMap<number, Track>;
  /** Datagrams that are taken a second, and at once. */
  ingress: { perSecond: number; burst: number };
  /** Silence after which a probe is sent; undefined = as usual. */
  probeAfterUs?: number;
}

export abstract class MediaPort implements ForwardSource, Subscriber, PublisherSignals {
  readonly identity: string;
  readonly session: Session;
  readonly link: Link;
  readonly recovery: HopRecovery;
  /** Of the pictures that go out, where the network has set a limit. */
  readonly pacer: Pacer;
  readonly shedding: Shedding;
  readonly allowance: TokenBucket;
  /** Tracks whose datagrams are taken from this session. */
  readonly tracks = new Map<number, Track>();
  readonly roomTracks: ReadonlyMap<number, Track>;
  /** By `keyOf`. */
  readonly subscriptions = new Map<number, Subscription>();
  readonly #forwarder: Forwarder;

  constructor(options: MediaPortOptions) {
    const { session, clock, random, forwarder, ingress, probeAfterUs } = options;
    this.identity = options.identity;
    this.session = session;
    this.roomTracks = options.roomTracks;
    this.#forwarder = forwarder;
    this.allowance = new TokenBucket(ingress.perSecond, ingress.burst, clock.nowUs());
    const handlers = {
      onMedia: (datagram: Uint8Array, kind: number, arrivedUs: number) =>
        forwarder.take(this, datagram, kind, arrivedUs),
      onNack: (bytes: Uint8Array, offset: number, length: number, arrivedUs: number) => {
        this.recovery.onNack(bytes, offset, length, arrivedUs);
      },
      onReport: (report: Parameters<HopRecovery["onReport"]>[0], arrivedUs: number) => {
        this.recovery.onReport(report, arrivedUs);
        this.shedding.update(arrivedUs);
      },
      onOther: (datagram: Uint8Array, arrivedUs: number) => this.recovery.noteArrival(datagram, arrivedUs),
    };
    this.link = new Link(session, clock, Math.floor(random() * 0x10000), handlers, probeAfterUs);
    this.recovery = new HopRecovery(this.link, clock);
    const padding = new Padding(
      clock,
      () => this.recovery.probe(clock.nowUs()),
      (body) => void this.link.send(DATAGRAM_PROBE, body, 0, true),
    );
    const repairBytes = (): number => this.recovery.totals().repairBytes;
    this.shedding = new Shedding(this.link.bandwidth, this.subscriptions, padding, repairBytes);
    this.pacer = new Pacer(clock, () => this.shedding.paceBps);
  }

  abstract readonly isSession: boolean;
  /** What a subscription to this rendition is kept under. */
  abstract keyOf(trackId: number, rendition: number): number;
  abstract keyframeRequested(trackId: number, rendition: number): void;
  abstract trackWanted(trackId: number, wanted: boolean): void;
  abstract trackBudget(trackId: number, audience: Audience): void;
  abstract renditionLimit(trackId: number, rendition: number, limitBps: number | undefined): void;
  abstract renditionWanted(track: Track, rendition: number, wanted: boolean): void;

  /** Takes the datagrams of a track from here: restores what this link loses of it, and forwards the whole. */
  receive(track: Track): void {
    this.tracks.set(track.trackId, track);
    for (const rendition of track.renditions) {
      rendition.receiver = this.recovery.addReceiver(
        track.trackId,
        rendition.index,
        rendition.history,
        track.repairWithinMs,
        !track.isAudio,
        (datagram, nowUs) => this.#forwarder.forward(track, rendition, datagram, nowUs),
      );
    }
  }

  stopReceiving(track: Track): void {
    if (!this.tracks.delete(track.trackId)) return;
    for (const { index } of track.renditions) this.recovery.removeReceiver(track.trackId, index);
  }

  forget({ track, rendition }: Subscription): void {
    this.subscriptions.delete(this.keyOf(track.trackId, rendition));
  }

  endSubscriptions(): void {
    for (const subscription of this.subscriptions.values())
      subscription.track.removeSubscription(subscription);
    this.subscriptions.clear();
  }

  /** The session is over: nothing is sent any more. */
  end(): void {
    this.recovery.end();
    this.pacer.end();
    this.shedding.end();
  }
}
