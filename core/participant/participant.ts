/**
 * A member of a room: joins one relay, publishes and subscribes. One object is one session; joining again after
 * its end is the owner's business (client/worker, bridge). Runtime-free: browser, Deno, simulation.
 */
import { every, type Timer } from "../clock.ts";
import type { AccessUnit } from "../delivery/access-unit.ts";
import { ControlChannel } from "../session/control-channel.ts";
import { Link, type LinkStats } from "../session/link.ts";
import { type Session, SessionClosedError } from "../session/session.ts";
import { CLOSE_CODES, type CloseReason, closeReasonOf, FINAL_CLOSE_REASONS } from "../wire/close-codes.ts";
import {
  type ClientMessageInput,
  type FailureCode,
  type RelayMessage,
  relayMessageSchema,
} from "../wire/control-messages.ts";
import { DATAGRAM_MEDIA, trackIdOf } from "../wire/datagram.ts";
import { HELLO_TIMEOUT_MS, PROTOCOL_VERSION } from "../wire/limits.ts";
import type { ParticipantInfo, TrackOffer } from "../wire/room-model.ts";
import { bytesOfBase64 } from "./base64.ts";
import type {
  JoinRelayOptions,
  Participant,
  PublishedTrack,
  SubscribeOptions,
  TrackCounters,
} from "./participant-api.ts";
import { LocalPublishedTrack } from "./published-track.ts";
import { RoomView } from "./room-view.ts";
import { SubscribedTrack } from "./subscribed-track.ts";

/** The relay refused a request; `code` says why, `message` in a sentence. */
export class RequestFailedError extends Error {
  override readonly name = "RequestFailedError";
  readonly code: FailureCode;
  constructor(code: FailureCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Joining did not work. `reason` is the close code's name; `final`: the same ticket or token cannot work. */
export class JoinFailedError extends Error {
  override readonly name = "JoinFailedError";
  readonly reason: CloseReason;
  readonly final: boolean;
  constructor(reason: CloseReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
    this.final = FINAL_CLOSE_REASONS.has(reason);
  }
}

type Welcome = Extract<RelayMessage, { type: "welcome" }>;
type Answer = { trackId: number | undefined };
type Request = ClientMessageInput extends infer M
  ? M extends { request: number }
    ? Omit<M, "request">
    : never
  : never;

interface Waiting {
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

/** Requests without an answer yet; the relay answers each, so more means that something is wrong. */
const MAX_WAITING_REQUESTS = 1_000;
/** Time between the end of the control stream and giving the session up. */
const CLOSE_GRACE_MS = 1_000;

/** Opens a session to `relay`, says hello and resolves when the relay has let us in. Rejects with JoinFailedError. */
export async function joinRelay(options: JoinRelayOptions): Promise<Participant> {
  const timeoutMs = options.timeoutMs ?? HELLO_TIMEOUT_MS;
  const { relay } = options;
  let session: Session;
  try {
    session = await options.connect(relay.url, {
      certificateHashes: relay.certificateHashes.map(bytesOfBase64),
      timeoutMs,
    });
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new JoinFailedError("lost", `the relay at ${relay.url} could not be reached: ${detail}`, { cause });
  }
  const member = new RelayParticipant(session, options);
  return await member.join(timeoutMs);
}

class RelayParticipant implements Participant {
  identity = "";
  room = "";
  relayId = "";
  clockOffsetUs = 0;
  readonly #options: JoinRelayOptions;
  readonly #session: Session;
  readonly #link: Link;
  readonly #subscribed = new Map<number, SubscribedTrack>();
  readonly #waiting = new Map<number, Waiting>();
  #view = new RoomView("", []);
  #control: ControlChannel<ClientMessageInput, typeof relayMessageSchema> | undefined;
  #ticker: Timer | undefined;
  #nextRequest = 1;
  #maxMediaDatagramBytes = 0;
  #welcomed: { resolve(): void; reject(error: Error): void } | undefined;
  #joined = false;
  #over = false;
  /** Set when we close the session ourselves because of a fault we found. */
  #ownClose: { reason: CloseReason; message: string } | undefined;
  /** Arrival time of the datagram being taken in, for the access units that it completes. */
  #arrivedUs = 0;

  constructor(session: Session, options: JoinRelayOptions) {
    this.#session = session;
    this.#options = options;
    const firstSequence = Math.floor(options.random() * 0x10000);
    this.#link = new Link(session, options.clock, firstSequence, {
      onMedia: (datagram, kind, nowUs) => this.#onMedia(datagram, kind, nowUs),
    });
  }

  get participants(): ReadonlyMap<string, ParticipantInfo> {
    return this.#view.participants;
  }

  async join(timeoutMs: number): Promise<Participant> {
    const { clock } = this.#options;
    const welcomed = new Promise<void>((resolve, reject) => {
      this.#welcomed = { resolve, reject };
    });
    const timer = clock.after(timeoutMs, () =>
      this.#fail("hello-timeout", "the relay did not answer in time"),
    );
    void this.#session.closed.then((close) => this.#onClosed(close.code, close.reason));
    this.#openControl().catch((cause: unknown) => {
      this.#fail("lost", `the control stream could not be opened: ${messageOf(cause)}`);
    });
    try {
      await welcomed;
    } finally {
      timer.cancel();
    }
    return this;
  }

  async #openControl(): Promise<void> {
    const { clock, relay, client } = this.#options;
    const stream = await this.#session.openStream();
    const control = new ControlChannel<ClientMessageInput, typeof relayMessageSchema>(
      stream,
      relayMessageSchema,
      clock,
      undefined,
      {
        onMessage: (message) => this.#onMessage(message),
        onEnd: (reason, message) => this.#onControlEnd(reason, message),
      },
    );
    this.#control = control;
    this.#send({
      type: "hello",
      version: PROTOCOL_VERSION,
      ticket: relay.ticket,
      client,
      sentAtUs: Math.round(clock.nowUs()),
    });
  }

  /** The stream often ends a moment before the session says why, so the session gets that moment. */
  #onControlEnd(reason: CloseReason, message: string): void {
    if (reason !== "lost" && reason !== "normal") return this.#fail(reason, message);
    this.#options.clock.after(CLOSE_GRACE_MS, () => this.#fail("lost", "the control stream ended"));
  }

  #send(message: ClientMessageInput): void {
    this.#control?.send(message);
  }

  #onMessage(message: RelayMessage): void {
    if (message.type === "welcome") return this.#onWelcome(message);
    if (!this.#joined) return this.#fail("protocol-error", "the relay spoke before it said welcome");
    const event = this.#view.apply(message);
    if (event !== undefined) {
      if (message.type === "track-unpublished") this.#subscribed.delete(message.trackId);
      return this.#options.onEvent(event);
    }
    switch (message.type) {
      case "published":
        return this.#answer(message.request, { trackId: message.trackId });
      case "done":
        return this.#answer(message.request, { trackId: undefined });
      case "failed":
        return this.#reject(message.request, new RequestFailedError(message.code, message.message));
      case "keyframe-requested":
      case "track-wanted":
      case "data":
      case "speakers":
      case "go-away":
        return this.#options.onEvent(message);
      default:
        return;
    }
  }

  #onWelcome(message: Welcome): void {
    if (this.#joined) return this.#fail("protocol-error", "the relay said welcome twice");
    const nowUs = this.#options.clock.nowUs();
    this.identity = message.identity;
    this.room = message.room;
    this.relayId = message.relayId;
    this.#maxMediaDatagramBytes = message.maxMediaDatagramBytes;
    this.clockOffsetUs = Math.round(
      (message.helloReceivedAtUs - message.helloSentAtUs + (message.welcomeSentAtUs - nowUs)) / 2,
    );
    this.#view = new RoomView(message.identity, message.participants);
    this.#joined = true;
    this.#ticker = every(this.#options.clock, message.reportIntervalMs, () => this.#link.tick());
    this.#welcomed?.resolve();
  }

  #onMedia(datagram: Uint8Array, kind: number, nowUs: number): void {
    if (kind !== DATAGRAM_MEDIA) return;
    const track = this.#subscribed.get(trackIdOf(datagram));
    if (track === undefined) return;
    this.#arrivedUs = nowUs;
    track.push(datagram);
  }

  publish(offer: TrackOffer): Promise<PublishedTrack> {
    return this.#request({ type: "publish", offer }).then(({ trackId }) => {
      if (trackId === undefined)
        throw new RequestFailedError("unavailable", "the relay gave the track no id");
      return new LocalPublishedTrack(trackId, offer, this.#link, this.#maxMediaDatagramBytes, {
        mute: (id, muted) => this.mute(id, muted),
        unpublish: async (id) => void (await this.#request({ type: "unpublish", trackId: id })),
      });
    });
  }

  async subscribe(trackId: number, options: SubscribeOptions = {}): Promise<void> {
    const track = this.#subscribed.get(trackId) ?? this.#openSubscription(trackId);
    track.waitingAnswers++;
    try {
      await this.#request({ type: "subscribe", trackId, ...options });
      track.accepted = true;
    } catch (error) {
      // A change that was refused leaves the subscription as it was, and a later answer may be better.
      const hopeless = !track.accepted && track.waitingAnswers === 1;
      if (hopeless && this.#subscribed.get(trackId) === track) this.#subscribed.delete(trackId);
      throw error;
    } finally {
      track.waitingAnswers--;
    }
  }

  #openSubscription(trackId: number): SubscribedTrack {
    const emit = (unit: AccessUnit): void => this.#options.onAccessUnit(trackId, unit, this.#arrivedUs);
    const track = new SubscribedTrack(trackId, emit);
    // Before the answer: media may overtake it.
    this.#subscribed.set(trackId, track);
    return track;
  }

  async unsubscribe(trackId: number): Promise<void> {
    this.#subscribed.delete(trackId);
    await this.#request({ type: "unsubscribe", trackId });
  }

  requestKeyframe(trackId: number, rendition: number): void {
    this.#send({ type: "request-keyframe", trackId, rendition });
  }

  async sendData(topic: string, payload: Uint8Array, to?: string[]): Promise<void> {
    await this.#request({ type: "send-data", topic, payload, ...(to === undefined ? {} : { to }) });
  }

  async mute(trackId: number, muted: boolean): Promise<void> {
    await this.#request({ type: "mute", trackId, muted });
  }

  async remove(identity: string): Promise<void> {
    await this.#request({ type: "remove", identity });
  }

  linkStats(): LinkStats {
    return this.#link.stats();
  }

  trackCounters(trackId: number): TrackCounters | undefined {
    return this.#subscribed.get(trackId)?.counters();
  }

  async leave(): Promise<void> {
    this.#send({ type: "leave" });
    this.#session.close(CLOSE_CODES.normal, "left");
    await this.#session.closed;
  }

  #request(message: Request): Promise<Answer> {
    if (this.#control === undefined || this.#waiting.size >= MAX_WAITING_REQUESTS) {
      return Promise.reject(new RequestFailedError("unavailable", "the session cannot take requests now"));
    }
    const request = this.#nextRequest;
    this.#nextRequest = (this.#nextRequest + 1) >>> 0;
    return new Promise((resolve, reject) => {
      this.#waiting.set(request, { resolve, reject });
      this.#send({ ...message, request } as ClientMessageInput);
    });
  }

  #answer(request: number, answer: Answer): void {
    this.#waiting.get(request)?.resolve(answer);
    this.#waiting.delete(request);
  }

  #reject(request: number, error: Error): void {
    this.#waiting.get(request)?.reject(error);
    this.#waiting.delete(request);
  }

  #fail(reason: CloseReason, message: string): void {
    if (this.#over) return;
    this.#ownClose ??= { reason, message };
    this.#session.close(CLOSE_CODES[reason], message);
  }

  #onClosed(code: number, text: string): void {
    const reason = this.#ownClose?.reason ?? closeReasonOf(code);
    const message = this.#ownClose?.message ?? text;
    this.#over = true;
    this.#ticker?.cancel();
    this.#control?.stop();
    this.#control = undefined;
    const gone = new SessionClosedError(`the session is over: ${message || reason}`);
    for (const waiting of this.#waiting.values()) waiting.reject(gone);
    this.#waiting.clear();
    if (!this.#joined) {
      this.#welcomed?.reject(
        new JoinFailedError(reason, message || `the relay closed the session: ${reason}`),
      );
      return;
    }
    this.#options.onEvent({ type: "closed", reason, message, final: FINAL_CLOSE_REASONS.has(reason) });
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
