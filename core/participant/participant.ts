/**
 * A member of a room: joins one relay, publishes and subscribes. One object is one session; joining again after
 * its end is the owner's business (client/worker, bridge). Runtime-free: browser, Deno, simulation.
 */
import { every, type Timer } from "../clock.ts";
import type { AccessUnit } from "../delivery/access-unit.ts";
import { Pacer } from "../delivery/congestion/pacer.ts";
import { ControlChannel } from "../session/control-channel.ts";
import { HopRecovery } from "../session/hop-recovery.ts";
import { Link, type LinkStats } from "../session/link.ts";
import type { Session } from "../session/session.ts";
import { bytesOfBase64 } from "../wire/base64.ts";
import { CLOSE_CODES, type CloseReason, closeReasonOf, FINAL_CLOSE_REASONS } from "../wire/close-codes.ts";
import { type ClientMessageInput, type RelayMessage, relayMessageSchema } from "../wire/control-messages.ts";
import { trackIdOf } from "../wire/datagram.ts";
import { HELLO_TIMEOUT_MS, PROTOCOL_VERSION } from "../wire/limits.ts";
import type { ParticipantInfo, TrackOffer } from "../wire/room-model.ts";
import { commonPool } from "./common-pool.ts";
import { JoinFailedError } from "./join-failed-error.ts";
import type {
  JoinRelayOptions,
  Participant,
  PublishedTrack,
  SubscribeOptions,
  TrackCounters,
} from "./participant-api.ts";
import { LocalPublishedTrack, type TrackRoad } from "./published-track.ts";
import { type Answer, RequestFailedError, RequestTable } from "./request-table.ts";
import { RoomView } from "./room-view.ts";
import { SendRate } from "./send-rate.ts";
import { SubscribedTrack } from "./subscribed-track.ts";

export { JoinFailedError } from "./join-failed-error.ts";
export { RequestFailedError } from "./request-table.ts";

type Welcome = Extract<RelayMessage, { type: "welcome" }>;
type Request = ClientMessageInput extends infer M
  ? M extends { request: number }
    ? Omit<M, "request">
    : never
  : never;

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
  readonly #recovery: HopRecovery;
  readonly #published = new Map<number, LocalPublishedTrack>();
  readonly #subscribed = new Map<number, SubscribedTrack>();
  readonly #requests = new RequestTable();
  readonly #sendRate = new SendRate(() => this.#published.values());
  readonly #pacer: Pacer;
  #view = new RoomView("", []);
  #control: ControlChannel<ClientMessageInput, typeof relayMessageSchema> | undefined;
  #ticker: Timer | undefined;
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
      onNack: (bytes, offset, length, nowUs) => {
        this.#recovery.onNack(bytes, offset, length, nowUs);
      },
      onReport: (report, nowUs) => this.#recovery.onReport(report, nowUs),
      onOther: (datagram, nowUs) => this.#recovery.noteArrival(datagram, nowUs),
    });
    this.#recovery = new HopRecovery(this.#link, options.clock);
    this.#pacer = new Pacer(options.clock, () => this.#sendRate.besideSound(this.#link.bandwidth.rateBps));
  }

  get #road(): TrackRoad {
    return { link: this.#link, recovery: this.#recovery, pool: commonPool(), pacer: this.#pacer };
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
    const { laneKey } = this.#session;
    const stream = await this.#session.openStream();
    this.#control = new ControlChannel(stream, relayMessageSchema, clock, undefined, {
      onMessage: (message) => this.#onMessage(message),
      onEnd: (reason, message) => this.#onControlEnd(reason, message),
    });
    this.#send({
      type: "hello",
      version: PROTOCOL_VERSION,
      ticket: relay.ticket,
      client,
      ...(laneKey === undefined ? {} : { laneKey }),
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
      if (message.type === "track-unpublished") this.#endSubscription(message.trackId);
      if (message.type === "track-muted") this.#published.get(message.trackId)?.forget();
      return this.#options.onEvent(event);
    }
    switch (message.type) {
      case "published":
        return this.#requests.answer(message.request, { trackId: message.trackId });
      case "done":
        return this.#requests.answer(message.request, { trackId: undefined });
      case "failed":
        return this.#requests.reject(message.request, new RequestFailedError(message.code, message.message));
      case "track-budget":
        return this.#published.get(message.trackId)?.setAudience(message);
      case "rendition-limit":
        return this.#published.get(message.trackId)?.setLimit(message);
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
    this.#session.allowLanes?.(message.maxLanes);
    this.clockOffsetUs = Math.round(
      (message.helloReceivedAtUs - message.helloSentAtUs + (message.welcomeSentAtUs - nowUs)) / 2,
    );
    this.#view = new RoomView(message.identity, message.participants);
    this.#joined = true;
    this.#ticker = every(this.#options.clock, message.reportIntervalMs, () => this.#tick());
    this.#welcomed?.resolve();
  }

  #tick(): void {
    this.#link.tick();
    const { rateBps } = this.#link.bandwidth;
    const { repairBytes } = this.#recovery.totals();
    this.#sendRate.update(rateBps, repairBytes, this.#link.nowUs(), this.#options.onEvent);
  }

  #onMedia(datagram: Uint8Array, kind: number, nowUs: number): void {
    const track = this.#subscribed.get(trackIdOf(datagram));
    if (track === undefined) return this.#recovery.noteArrival(datagram, nowUs);
    this.#arrivedUs = nowUs;
    track.take(datagram, kind, nowUs);
  }

  publish(offer: TrackOffer): Promise<PublishedTrack> {
    return this.#request({ type: "publish", offer }).then(({ trackId }) => {
      if (trackId === undefined)
        throw new RequestFailedError("unavailable", "the relay gave the track no id");
      const limit = this.#maxMediaDatagramBytes;
      const track = new LocalPublishedTrack(trackId, offer, this.#road, limit, {
        mute: (id, muted) => this.mute(id, muted),
        unpublish: (id) => this.#unpublish(id),
      });
      this.#published.set(trackId, track);
      return track;
    });
  }

  async #unpublish(trackId: number): Promise<void> {
    await this.#request({ type: "unpublish", trackId });
    this.#published.get(trackId)?.end();
    this.#published.delete(trackId);
  }

  async subscribe(trackId: number, options: SubscribeOptions = {}): Promise<void> {
    const track = this.#subscribed.get(trackId) ?? this.#openSubscription(trackId);
    track.waitingAnswers++;
    if (options.playoutDelayMs !== undefined) track.playoutDelayMs = options.playoutDelayMs;
    try {
      await this.#request({ type: "subscribe", trackId, ...options });
      track.accepted = true;
    } catch (error) {
      // A change that was refused leaves the subscription as it was, and a later answer may be better.
      const hopeless = !track.accepted && track.waitingAnswers === 1;
      if (hopeless && this.#subscribed.get(trackId) === track) this.#endSubscription(trackId);
      throw error;
    } finally {
      track.waitingAnswers--;
    }
  }

  #openSubscription(trackId: number): SubscribedTrack {
    const emit = (unit: AccessUnit): void => this.#options.onAccessUnit(trackId, unit, this.#arrivedUs);
    const repair = { hop: this.#recovery, pool: commonPool() };
    const track = new SubscribedTrack(trackId, this.#view.isPicture(trackId), emit, repair);
    // Before the answer: media may overtake it.
    this.#subscribed.set(trackId, track);
    return track;
  }

  async unsubscribe(trackId: number): Promise<void> {
    this.#endSubscription(trackId);
    await this.#request({ type: "unsubscribe", trackId });
  }

  #endSubscription(trackId: number): void {
    this.#subscribed.get(trackId)?.end();
    this.#subscribed.delete(trackId);
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
    if (this.#control === undefined) {
      return Promise.reject(new RequestFailedError("unavailable", "the session cannot take requests now"));
    }
    return this.#requests.open((request) => this.#send({ ...message, request } as ClientMessageInput));
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
    this.#recovery.end();
    this.#pacer.end();
    for (const track of this.#subscribed.values()) track.end();
    for (const track of this.#published.values()) track.end();
    this.#control?.stop();
    this.#control = undefined;
    this.#requests.end(message || reason);
    if (!this.#joined) {
      const why = message || `the relay closed the session: ${reason}`;
      this.#welcomed?.reject(new JoinFailedError(reason, why));
      return;
    }
    this.#options.onEvent({ type: "closed", reason, message, final: FINAL_CLOSE_REASONS.has(reason) });
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
