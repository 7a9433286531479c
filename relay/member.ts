/** The relay's side of one participant: its session, link, control channel, tracks and subscriptions. */
import type { Clock, Random } from "../core/clock.ts";
import type { ControlChannel } from "../core/session/control-channel.ts";
import type { Session } from "../core/session/session.ts";
import { TokenBucket } from "../core/session/token-bucket.ts";
import { CLOSE_CODES, type CloseReason } from "../core/wire/close-codes.ts";
import type {
  ClientMessage,
  clientMessageSchema,
  FailureCode,
  RelayMessageInput,
} from "../core/wire/control-messages.ts";
import {
  MAX_DATA_BURST_BYTES,
  MAX_DATA_BYTES_PER_SECOND,
  MAX_INGRESS_DATAGRAM_BURST,
  MAX_INGRESS_DATAGRAMS_PER_SECOND,
} from "../core/wire/limits.ts";
import { frameMessage } from "../core/wire/message-framing.ts";
import type { Grants, ParticipantInfo } from "../core/wire/room-model.ts";
import type { TicketHolder } from "../core/wire/tokens.ts";
import type { ParticipantRecord } from "../core/wire/tree-messages.ts";
import type { Forwarder } from "./forwarder.ts";
import { MediaPort } from "./media-port.ts";
import type { ArrivalTicket } from "./arrival-ticket.ts";
import type { Audience, Track } from "./track.ts";

export type RelayChannel = ControlChannel<RelayMessageInput, typeof clientMessageSchema>;

export interface MemberOptions {
  session: Session;
  channel: RelayChannel;
  ticket: ArrivalTicket;
  /** With `resume` it continues a session of its own. */
  hello: Pick<Extract<ClientMessage, { type: "hello" }>, "resume" | "decodes">;
  clock: Clock;
  random: Random;
  forwarder: Forwarder;
  /** All tracks of the room. */
  roomTracks: ReadonlyMap<number, Track>;
}

const INGRESS = { perSecond: MAX_INGRESS_DATAGRAMS_PER_SECOND, burst: MAX_INGRESS_DATAGRAM_BURST };

export class Member extends MediaPort {
  readonly isSession = true;
  readonly name: string;
  readonly grants: Grants;
  readonly ticket: TicketHolder;
  readonly resumed: boolean;
  /** Picture codecs that it can decode; none where it receives nothing. */
  readonly decodes: readonly string[] | undefined;
  readonly channel: RelayChannel;
  readonly dataAllowance: TokenBucket;
  /** When it joined; larger than that of any record of the same identity that was known then. */
  stamp: number;
  #revision = 0;
  #joinedFrame: Uint8Array | undefined;

  constructor(options: MemberOptions) {
    const { ticket, clock } = options;
    super({ ...options, identity: ticket.sub, ingress: INGRESS });
    this.channel = options.channel;
    this.ticket = ticket;
    this.resumed = options.hello.resume !== undefined;
    this.name = ticket.name;
    this.grants = ticket.grants;
    this.decodes = ticket.grants.subscribe ? options.hello.decodes : [];
    const nowUs = clock.nowUs();
    this.stamp = ticket.nextStamp ?? Math.round(nowUs);
    this.dataAllowance = new TokenBucket(MAX_DATA_BYTES_PER_SECOND, MAX_DATA_BURST_BYTES, nowUs);
  }

  keyOf(trackId: number): number {
    return trackId;
  }

  /** How other relays know this member. */
  record(relayId: string): ParticipantRecord {
    const { ticket, stamp, resumed, decodes } = this;
    return {
      participant: this.info,
      hidden: this.grants.hidden,
      relayId,
      stamp,
      revision: this.#revision,
      resumed,
      ...(decodes === undefined ? {} : { decodes: [...decodes] }),
      token: ticket.token,
      tokenExp: ticket.tokenExp,
    };
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
    this.#revision++;
  }

  override end(): void {
    this.channel.stop();
    super.end();
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

  renditionWanted(): void {
    // Publishers send every rendition while anybody wants the track.
  }

  /** Ends the session from the relay's side. */
  close(reason: CloseReason, message: string): void {
    this.channel.stop();
    this.session.close(CLOSE_CODES[reason], message);
  }
}
