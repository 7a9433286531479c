/**
 * One session of a participant with one relay: hello and welcome, requests and their answers, link, recovery and pacer, until it
 * ends. A participant may have more than one; which of them counts is participant.ts's to say. docs/wire.md, section 6.
 */
import { type Clock, every, type Random, type Timer } from "../clock.ts";
import { Pacer } from "../delivery/congestion/pacer.ts";
import { ControlChannel } from "../session/control-channel.ts";
import { HopRecovery } from "../session/hop-recovery.ts";
import { Link } from "../session/link.ts";
import { type Connect, type Session, SessionClosedError } from "../session/session.ts";
import { bytesOfBase64 } from "../wire/base64.ts";
import { CLOSE_CODES, type CloseReason, closeReasonOf } from "../wire/close-codes.ts";
import {
  type ClientMessageInput,
  type RelayMessage,
  type Resume,
  relayMessageSchema,
} from "../wire/control-messages.ts";
import { MAX_MEDIA_DATAGRAM_BYTES, PROTOCOL_VERSION } from "../wire/limits.ts";
import { JoinFailedError } from "./join-failed-error.ts";
import type { RelayCandidate } from "./participant-api.ts";
import { type Answer, RequestFailedError, RequestTable } from "./request-table.ts";
import type { Road } from "./road.ts";

export type Welcome = Extract<RelayMessage, { type: "welcome" }>;
/** What the relay answers; the number is filled in. */
export type Request = ClientMessageInput extends infer M
  ? M extends { request: number }
    ? Omit<M, "request">
    : never
  : never;

/** Time between the end of the control stream and giving the session up. */
const CLOSE_GRACE_MS = 1_000;

export interface AttachmentOptions {
  connect: Connect;
  clock: Clock;
  random: Random;
  relay: RelayCandidate;
  client: string;
  decodes?: readonly string[];
  timeoutMs: number;
}

/** Whose session it is. Media may overtake the welcome; messages come behind it. */
export interface AttachmentOwner {
  onWelcome(attachment: Attachment, welcome: Welcome): void;
  /** What is no answer to a request. */
  onMessage(attachment: Attachment, message: RelayMessage): void;
  /** A media or repair datagram; valid until the call returns. */
  onMedia(attachment: Attachment, datagram: Uint8Array, kind: number, nowUs: number): void;
  /** Every report interval. */
  onTick(attachment: Attachment): void;
  /** Once, last. */
  onEnd(attachment: Attachment, reason: CloseReason, message: string): void;
  /** What pictures may use of the link's rate. */
  paceBps(rateBps: number | undefined): number | undefined;
}

interface Greeting {
  resolve(): void;
  reject(error: Error): void;
}

export class Attachment implements Road {
  relayId = "";
  readonly link: Link;
  readonly recovery: HopRecovery;
  readonly pacer: Pacer;
  readonly #session: Session;
  readonly #options: AttachmentOptions;
  readonly #owner: AttachmentOwner;
  readonly #requests = new RequestTable();
  #control: ControlChannel<ClientMessageInput, typeof relayMessageSchema> | undefined;
  #greeting: Greeting | undefined;
  #roomLimitBytes = MAX_MEDIA_DATAGRAM_BYTES;
  #ticker: Timer | undefined;
  /** The newest that the relay has given us. */
  #resumeTicket: string | undefined;
  #welcomed = false;
  #ended: { reason: CloseReason; message: string } | undefined;
  /** Set when we close the session ourselves because of a fault we found. */
  #ownClose: { reason: CloseReason; message: string } | undefined;

  /** Opens a session; nothing is said on it before `greet`. Rejects with JoinFailedError. */
  static async open(options: AttachmentOptions, owner: AttachmentOwner): Promise<Attachment> {
    const { relay, timeoutMs } = options;
    const certificateHashes = relay.certificateHashes.map(bytesOfBase64);
    let session: Session;
    try {
      session = await options.connect(relay.url, {
        certificateHashes,
        timeoutMs,
        fallbackUrl: relay.fallbackUrl,
      });
    } catch (cause) {
      const text = `the relay at ${relay.url} could not be reached: ${messageOf(cause)}`;
      throw new JoinFailedError("lost", text, { cause });
    }
    return new Attachment(session, options, owner);
  }

  private constructor(session: Session, options: AttachmentOptions, owner: AttachmentOwner) {
    const { clock, random } = options;
    this.#session = session;
    this.#options = options;
    this.#owner = owner;
    this.link = new Link(session, clock, Math.floor(random() * 0x10000), {
      onMedia: (datagram, kind, nowUs) => owner.onMedia(this, datagram, kind, nowUs),
      onNack: (bytes, offset, length, nowUs) => {
        this.recovery.onNack(bytes, offset, length, nowUs);
      },
      onReport: (report, nowUs) => this.recovery.onReport(report, nowUs),
      onOther: (datagram, nowUs) => this.recovery.noteArrival(datagram, nowUs),
    });
    this.recovery = new HopRecovery(this.link, clock);
    this.pacer = new Pacer(clock, () => owner.paceBps(this.link.bandwidth.rateBps));
    void session.closed.then((close) => this.#onClosed(close.code, close.reason));
  }

  get relay(): RelayCandidate {
    return this.#options.relay;
  }

  /** Welcomed, and not over. */
  get isOpen(): boolean {
    return this.#welcomed && this.#ended === undefined;
  }

  /** Its relay, with a ticket that lets another session go on from this one, there or at another relay. */
  get resumeAt(): RelayCandidate | undefined {
    const ticket = this.#resumeTicket;
    return ticket === undefined ? undefined : { ...this.#options.relay, ticket };
  }

  get maxDatagramBytes(): number {
    return Math.min(this.#roomLimitBytes, this.#session.maxDatagramBytes);
  }

  /** Says hello; resolves when the relay has let us in, behind `onWelcome`. Rejects with JoinFailedError. */
  async greet(resume: Resume | undefined): Promise<void> {
    if (this.#ended !== undefined) throw refusal(this.#ended);
    const welcomed = new Promise<void>((resolve, reject) => {
      this.#greeting = { resolve, reject };
    });
    const { clock, timeoutMs } = this.#options;
    const timer = clock.after(timeoutMs, () =>
      this.#fail("hello-timeout", "the relay did not answer in time"),
    );
    this.#openControl(resume).catch((cause: unknown) => {
      this.#fail("lost", `the control stream could not be opened: ${messageOf(cause)}`);
    });
    try {
      await welcomed;
    } finally {
      timer.cancel();
    }
  }

  async #openControl(resume: Resume | undefined): Promise<void> {
    const { clock, relay, client, decodes } = this.#options;
    const { laneKey } = this.#session;
    const stream = await this.#session.openStream();
    this.#control = new ControlChannel(stream, relayMessageSchema, clock, undefined, {
      onMessage: (message) => this.#onMessage(message),
      onEnd: (reason, message) => this.#onControlEnd(reason, message),
    });
    this.send({
      type: "hello",
      version: PROTOCOL_VERSION,
      ticket: relay.ticket,
      client,
      ...(laneKey === undefined ? {} : { laneKey }),
      ...(decodes === undefined ? {} : { decodes: [...decodes] }),
      ...(resume === undefined ? {} : { resume }),
      resumable: true,
      sentAtUs: Math.round(clock.nowUs()),
    });
  }

  /** The stream often ends a moment before the session says why, so the session gets that moment. */
  #onControlEnd(reason: CloseReason, message: string): void {
    if (reason !== "lost" && reason !== "normal") return this.#fail(reason, message);
    this.#options.clock.after(CLOSE_GRACE_MS, () => this.#fail("lost", "the control stream ended"));
  }

  send(message: ClientMessageInput): void {
    this.#control?.send(message);
  }

  /** Rejects with RequestFailedError, or with SessionClosedError when the session ends before the answer. */
  request(message: Request): Promise<Answer> {
    if (!this.isOpen) return Promise.reject(new SessionClosedError("the session is over"));
    return this.#requests.open((request) => this.send({ ...message, request } as ClientMessageInput));
  }

  #onMessage(message: RelayMessage): void {
    if (message.type === "welcome") return this.#onWelcome(message);
    if (!this.#welcomed) return this.#fail("protocol-error", "the relay spoke before it said welcome");
    switch (message.type) {
      case "resume-ticket":
        this.#resumeTicket = message.ticket;
        return;
      case "published":
        return this.#requests.answer(message.request, { trackId: message.trackId });
      case "done":
        return this.#requests.answer(message.request, { trackId: undefined });
      case "failed":
        return this.#requests.reject(message.request, new RequestFailedError(message.code, message.message));
      default:
        return this.#owner.onMessage(this, message);
    }
  }

  #onWelcome(message: Welcome): void {
    if (this.#welcomed) return this.#fail("protocol-error", "the relay said welcome twice");
    this.#welcomed = true;
    this.relayId = message.relayId;
    this.#roomLimitBytes = message.maxMediaDatagramBytes;
    this.#session.allowLanes?.(message.maxLanes);
    this.#ticker = every(this.#options.clock, message.reportIntervalMs, () => {
      this.link.tick();
      this.#owner.onTick(this);
    });
    this.#owner.onWelcome(this, message);
    this.#greeting?.resolve();
  }

  /** Says goodbye and closes; resolves when the session is over. */
  async leave(): Promise<void> {
    this.send({ type: "leave" });
    this.#session.close(CLOSE_CODES.normal, "left");
    await this.#session.closed;
  }

  #fail(reason: CloseReason, message: string): void {
    if (this.#ended !== undefined) return;
    this.#ownClose ??= { reason, message };
    this.#session.close(CLOSE_CODES[reason], message);
  }

  #onClosed(code: number, text: string): void {
    const reason = this.#ownClose?.reason ?? closeReasonOf(code);
    const message = this.#ownClose?.message ?? text;
    this.#ended = { reason, message };
    this.#ticker?.cancel();
    this.recovery.end();
    this.pacer.end();
    this.#control?.stop();
    this.#control = undefined;
    this.#requests.end(message || reason);
    this.#owner.onEnd(this, reason, message);
    this.#greeting?.reject(refusal(this.#ended));
  }
}

function refusal({ reason, message }: { reason: CloseReason; message: string }): JoinFailedError {
  return new JoinFailedError(reason, message || `the relay closed the session: ${reason}`);
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
