/** The relay's side of one participant: its session, link, control channel, tracks and subscriptions. */
import type { Clock, Random } from "../core/clock.ts";
import { Pacer } from "../core/delivery/congestion/pacer.ts";
import type { ControlChannel } from "../core/session/control-channel.ts";
import { HopRecovery } from "../core/session/hop-recovery.ts";
import { Link } from "../core/session/link.ts";
import type { Session } from "../core/session/session.ts";
import { TokenBucket } from "../core/session/token-bucket.ts";
import { CLOSE_CODES, type CloseReason } from "../core/wire/close-codes.ts";
import type { clientMessageSchema, FailureCode, RelayMessageInput } from "../core/wire/control-messages.ts";
import { DATAGRAM_PROBE } from "../core/wire/datagram.ts";
import {
  MAX_DATA_BURST_BYTES,
  MAX_DATA_BYTES_PER_SECOND,
  MAX_INGRESS_DATAGRAM_BURST,
  MAX_INGRESS_DATAGRAMS_PER_SECOND,
} from "../core/wire/limits.ts";
import { frameMessage } from "../core/wire/message-framing.ts";
import type { Grants, ParticipantInfo } from "../core/wire/room-model.ts";
import type { RelayTicket } from "../core/wire/tokens.ts";
import type { Forwarder, ForwardSource } from "./forwarder.ts";
import { Padding } from "./padding.ts";
import { Shedding } from "./shedding.ts";
import type { Subscriber, Subscription } from "./subscription.ts";
import type { Audience, PublisherSignals, Track } from "./track.ts";

export type RelayChannel = ControlChannel<RelayMessageInput, typeof clientMessageSchema>;

export interface MemberOptions {
  session: Session;
  channel: RelayChannel;
  ticket: RelayTicket;
  clock: Clock;
  random: Random;
  forwarder: Forwarder;
  /** All tracks of the room. */
  roomTracks: ReadonlyMap<number, Track>;
}

export class Member implements ForwardSource, PublisherSignals, Subscriber {
  readonly identity: string;
  readonly name: string;
  readonly grants: Grants;
  readonly ticket: RelayTicket;
  readonly session: Session;
  readonly channel: RelayChannel;
  readonly link: Link;
  readonly recovery: HopRecovery;
  /** Of the pictures that this member receives, where its network has set a limit. */
  readonly pacer: Pacer;
  readonly shedding: Shedding;
  readonly #forwarder: Forwarder;
  readonly allowance: TokenBucket;
  readonly dataAllowance: TokenBucket;
  readonly tracks = new Map<number, Track>();
  readonly roomTracks: ReadonlyMap<number, Track>;
  readonly subscriptions = new Map<number, Subscription>();
  #joinedFrame: Uint8Array | undefined;

  constructor(options: MemberOptions) {
    const { session, ticket, clock, random, forwarder } = options;
    this.session = session;
    this.channel = options.channel;
    this.ticket = ticket;
    this.identity = ticket.sub;
    this.name = ticket.name;
    this.grants = ticket.grants;
    this.roomTracks = options.roomTracks;
    const nowUs = clock.nowUs();
    this.allowance = new TokenBucket(MAX_INGRESS_DATAGRAMS_PER_SECOND, MAX_INGRESS_DATAGRAM_BURST, nowUs);
    this.dataAllowance = new TokenBucket(MAX_DATA_BYTES_PER_SECOND, MAX_DATA_BURST_BYTES, nowUs);
    this.link = new Link(session, clock, Math.floor(random() * 0x10000), {
      onMedia: (datagram, kind, arrivedUs) => forwarder.take(this, datagram, kind, arrivedUs),
      onNack: (bytes, offset, length, arrivedUs) => {
        this.recovery.onNack(bytes, offset, length, arrivedUs);
      },
      onReport: (report, arrivedUs) => {
        this.recovery.onReport(report, arrivedUs);
        this.shedding.update(arrivedUs);
      },
      onOther: (datagram, arrivedUs) => this.recovery.noteArrival(datagram, arrivedUs),
    });
    this.recovery = new HopRecovery(this.link, clock);
    const padding = new Padding(
      clock,
      () => this.recovery.probe(clock.nowUs()),
      (body) => void this.link.send(DATAGRAM_PROBE, body, 0, true),
    );
    const repairBytes = (): number => this.recovery.totals().repairBytes;
    this.shedding = new Shedding(this.link.bandwidth, this.subscriptions, padding, repairBytes);
    this.pacer = new Pacer(clock, () => this.shedding.paceBps);
    this.#forwarder = forwarder;
  }

  /** Restores what this member's link loses of a track that it publishes, and forwards the whole. */
  receive(track: Track): void {
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
    for (const { index } of track.renditions) this.recovery.removeReceiver(track.trackId, index);
  }

  /** How others see this member. */
  get info(): ParticipantInfo {
    return {
      identity: this.identity,
      name: this.name,
      admin: this.grants.admin,
      tracks: [...this.tracks.values()].map((track) => track.info),
    };
  }

  /** The message that tells others of this member, made once for many of them. */
  get joinedFrame(): Uint8Array {
    this.#joinedFrame ??= frameMessage({
      type: "participant-joined",
      participant: this.info,
    } satisfies RelayMessageInput);
    return this.#joinedFrame;
  }

  /** To be called when anything in `info` has changed. */
  infoChanged(): void {
    this.#joinedFrame = undefined;
  }

  /** The session is over: nothing is sent any more. */
  end(): void {
    this.channel.stop();
    this.recovery.end();
    this.pacer.end();
    this.shedding.end();
  }

  forget({ track }: Subscription): void {
    this.subscriptions.delete(track.trackId);
  }

  send(message: RelayMessageInput): void {
    this.channel.send(message);
  }

  fail(request: number, code: FailureCode, message: string): void {
    this.send({ type: "failed", request, code, message });
  }

  keyframeRequested(trackId: number, rendition: number): void {
    this.send({ type: "keyframe-requested", trackId, rendition });
  }

  trackBudget(trackId: number, audience: Audience): void {
    this.send({ type: "track-budget", trackId, ...audience });
  }

  renditionLimit(trackId: number, rendition: number, limitBps: number | undefined): void {
    this.send({ type: "rendition-limit", trackId, rendition, limitBps: limitBps ?? null });
  }

  trackWanted(trackId: number, wanted: boolean): void {
    this.send({ type: "track-wanted", trackId, wanted });
  }

  /** Ends the session from the relay's side. */
  close(reason: CloseReason, message: string): void {
    this.channel.stop();
    this.session.close(CLOSE_CODES[reason], message);
  }
}
