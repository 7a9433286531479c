/**
 * A member of a room: publishes and subscribes, over one session after another (attachment.ts), of which the newest is the main
 * one. Runtime-free: browser, Deno, simulation. docs/wire.md, section 6.
 */
import type { Timer } from "../clock.ts";
import type { LinkStats } from "../session/link-stats.ts";
import { type CloseReason, FINAL_CLOSE_REASONS } from "../wire/close-codes.ts";
import type { RelayMessage } from "../wire/control-messages.ts";
import { HELLO_TIMEOUT_MS, MAX_SILENCE_MS } from "../wire/limits.ts";
import { type ParticipantInfo, type TrackInfo, type TrackOffer, UNSAID_CODECS } from "../wire/room-model.ts";
import type { Attachment, AttachmentOwner, Request, Welcome } from "./attachment.ts";
import type { ParticipantEvent } from "./events.ts";
import { HandOver } from "./hand-over.ts";
import { HeardData } from "./heard-data.ts";
import { JoinFailedError } from "./join-failed-error.ts";
import { OwnTracks } from "./own-tracks.ts";
import type {
  JoinRelayOptions,
  MoveOptions,
  Participant,
  PublishedTrack,
  RelayCandidate,
  SubscribeOptions,
  TrackCounters,
} from "./participant-api.ts";
import { LocalPublishedTrack } from "./published-track.ts";
import { RequestFailedError } from "./request-table.ts";
import { RoomClock } from "./room-clock.ts";
import { RoomView } from "./room-view.ts";
import { SendRate } from "./send-rate.ts";
import { Sessions } from "./sessions.ts";
import { Subscriptions } from "./subscriptions.ts";

export { JoinFailedError } from "./join-failed-error.ts";
export { RequestFailedError } from "./request-table.ts";

/** Who was there before a move and is not afterwards may have lost the same relay: such people have so long to come. */
const MISSED_GRACE_MS = 5_000;

/** Opens a session to `relay`, says hello and resolves when the relay has let us in. Rejects with JoinFailedError. */
export async function joinRelay(options: JoinRelayOptions): Promise<Participant> {
  const participant = new RelayParticipant(options);
  await participant.moveTo(options.relay, { timeoutMs: options.timeoutMs ?? HELLO_TIMEOUT_MS });
  return participant;
}

class RelayParticipant implements Participant, AttachmentOwner {
  identity = "";
  room = "";
  decodable = UNSAID_CODECS;
  readonly #options: JoinRelayOptions;
  readonly #own = new OwnTracks();
  readonly #subscriptions: Subscriptions;
  readonly #view = new RoomView();
  readonly #roomClock = new RoomClock();
  readonly #heardData = new HeardData();
  readonly #sendRate = new SendRate(() => this.#own);
  readonly #sessions: Sessions;
  /** Sessions that are being left. */
  readonly #handOvers = new Map<Attachment, HandOver>();
  #missedTimer: Timer | undefined;
  #leaving = false;
  #over = false;

  constructor(options: JoinRelayOptions) {
    this.#options = options;
    this.#sessions = new Sessions(options, this);
    this.#subscriptions = new Subscriptions(options.onAccessUnit);
  }

  get #main(): Attachment | undefined {
    return this.#sessions.main;
  }

  get clockOffsetUs(): number {
    return this.#roomClock.offsetUs;
  }

  get relayId(): string {
    return this.#main?.relayId ?? "";
  }

  get relay(): RelayCandidate {
    return this.#main?.relay ?? this.#options.relay;
  }

  get isOverTcp(): boolean {
    return this.#main?.recovery.isReliable === true;
  }

  get isOpen(): boolean {
    return this.#main?.isOpen === true;
  }

  get resumeAt(): RelayCandidate | undefined {
    return this.#sessions.resumeAt;
  }

  get participants(): ReadonlyMap<string, ParticipantInfo> {
    return this.#view.participants;
  }

  async moveTo(relay: RelayCandidate, options: MoveOptions = {}): Promise<void> {
    await this.#sessions.open(relay, options, () => {
      if (this.#main === undefined) return undefined;
      return { tracks: this.#own.infos, subscriptions: this.#subscriptions.wishes };
    });
    if (this.#over) throw new JoinFailedError("normal", "the participant has left");
  }

  onWelcome(attachment: Attachment, welcome: Welcome): void {
    if (this.#leaving || this.#over) return void attachment.leave();
    const before = this.#sessions.enter(attachment);
    const differences = this.#view.replace(welcome.identity, welcome.participants);
    this.#roomClock.learn(welcome, this.#options.clock.nowUs());
    this.identity = welcome.identity;
    this.room = welcome.room;
    if (before !== undefined) this.#goOn(before, attachment, welcome.resumedTracks ?? [], differences);
  }

  #goOn(before: Attachment, now: Attachment, resumed: number[], differences: ParticipantEvent[]): void {
    const { clock } = this.#options;
    const nowUs = clock.nowUs();
    const isGap = !before.isOpen || nowUs - before.link.lastHeardUs > MAX_SILENCE_MS * 1000;
    for (const track of this.#own.moveTo(now, resumed, isGap)) void this.#publishAnew(track, now);
    for (const trackId of resumed) if (this.#own.get(trackId) === undefined) this.#disown(trackId, now);
    this.#subscriptions.moveTo((trackId) => this.#view.has(trackId));
    this.#tell(differences);
    this.#missedTimer?.cancel();
    this.#missedTimer = clock.after(MISSED_GRACE_MS, () => this.#tell(this.#view.giveUpMissed()));
    if (!before.isOpen) return;
    this.#subscriptions.await(now.recovery, nowUs);
    const isServed = (): boolean => this.#subscriptions.isServed;
    this.#handOvers.set(before, new HandOver(clock, before.link, isServed, () => void before.leave()));
  }

  /** A track that the relay has not let go on. When the session ends before the answer, the next one sees to it. */
  async #publishAnew(track: LocalPublishedTrack, via: Attachment): Promise<void> {
    const { trackId: was, isMuted } = track;
    try {
      const { trackId } = await via.request({ type: "publish", offer: track.info.offer });
      if (trackId === undefined || via !== this.#main) return;
      if (track.isEnding) return this.#disown(trackId, via);
      this.#own.renumber(track, trackId, via);
      if (track.isMuted !== isMuted) await this.#muteOwn(track, track.isMuted);
      this.#options.onEvent({ type: "republished", was, trackId });
    } catch (error) {
      if (!(error instanceof RequestFailedError) || error.code === "superseded") return;
      this.#own.end(track);
      this.#options.onEvent({ type: "unpublished", trackId: was, code: error.code, message: error.message });
    }
  }

  /** A track has ended, or got another id, since the hello that took it along. */
  #disown(trackId: number, via: Attachment): void {
    via.request({ type: "unpublish", trackId }).catch(() => undefined);
  }

  onMessage(attachment: Attachment, message: RelayMessage): void {
    const { onEvent } = this.#options;
    if (message.type === "data")
      return this.#heardData.isNew(message, attachment) ? onEvent(message) : undefined;
    if (message.type === "keyframe-requested") return onEvent(message);
    // About the room, the relay that we have moved to is the one who knows.
    if (attachment !== this.#main) return;
    this.#tell(this.#view.apply(message));
    switch (message.type) {
      case "participant-joined":
        return this.#subscribeAgain(message.participant.tracks);
      case "track-published":
        return this.#subscribeAgain([message.track]);
      case "track-budget":
        return this.#own.get(message.trackId)?.setAudience(message);
      case "rendition-limit":
        return this.#own.get(message.trackId)?.setLimit(message);
      case "decodable":
        this.decodable = message.codecs;
        return onEvent(message);
      case "track-wanted":
      case "speakers":
      case "go-away":
        return onEvent(message);
      default:
        return;
    }
  }

  #tell(events: readonly ParticipantEvent[]): void {
    for (const event of events) {
      if (event.type === "track-unpublished") this.#subscriptions.end(event.trackId);
      if (event.type === "participant-left")
        this.#subscriptions.endGone((trackId) => this.#view.mayHave(trackId));
      if (event.type === "track-muted") this.#own.get(event.trackId)?.noteMuted(event.muted);
      this.#options.onEvent(event);
    }
  }

  /** Tracks that the relay we have moved to had not known. */
  #subscribeAgain(tracks: readonly TrackInfo[]): void {
    for (const { trackId } of tracks) {
      const track = this.#subscriptions.get(trackId);
      if (track?.isUnknown !== true) continue;
      track.isUnknown = false;
      this.subscribe(trackId, track.wish).catch(() => undefined);
    }
  }

  onMedia(attachment: Attachment, datagram: Uint8Array, kind: number, nowUs: number): void {
    this.#subscriptions.take(attachment.recovery, datagram, kind, nowUs);
  }

  onTick({ link, recovery }: Attachment): void {
    if (link !== this.#main?.link) return;
    const { repairBytes } = recovery.totals();
    this.#sendRate.update(link.bandwidth.rateBps, repairBytes, link.nowUs(), this.#options.onEvent);
  }

  paceBps(rateBps: number | undefined): number | undefined {
    return this.#sendRate.besideSound(rateBps);
  }

  async publish(offer: TrackOffer): Promise<PublishedTrack> {
    for (;;) {
      const { trackId, via } = await this.#sessions.ask(() => ({ type: "publish", offer }), true);
      if (trackId === undefined)
        throw new RequestFailedError("unavailable", "the relay gave the track no id");
      // What was published in a session that we have moved on from ended there.
      if (via !== this.#main) continue;
      const track: LocalPublishedTrack = new LocalPublishedTrack(trackId, offer, {
        mute: (muted) => this.#muteOwn(track, muted),
        unpublish: () => this.#unpublish(track),
      });
      this.#own.add(track);
      if (via.isOpen) track.openRoad(via, false);
      return track;
    }
  }

  async #unpublish(track: LocalPublishedTrack): Promise<void> {
    track.isEnding = true;
    await this.#sessions.askToEnd(() => ({ type: "unpublish", trackId: track.trackId }));
    this.#own.end(track);
  }

  async subscribe(trackId: number, options: SubscribeOptions = {}): Promise<void> {
    const track =
      this.#subscriptions.get(trackId) ?? this.#subscriptions.open(trackId, this.#view.isPicture(trackId));
    const wishBefore = track.wish;
    track.ask(options);
    try {
      // What was asked for last, where this has to be asked again.
      const isWanted = (): boolean => this.#subscriptions.get(trackId) === track;
      const wish = (): Request | undefined =>
        isWanted() ? { type: "subscribe", trackId, ...track.wish } : undefined;
      await this.#sessions.ask(wish, true);
      track.accepted = true;
    } catch (error) {
      // Its publisher is perhaps on the way to the same relay.
      const isMissed = this.#view.mayHave(trackId) && !this.#view.has(trackId);
      track.isUnknown = isMissed;
      if (isMissed) return;
      // A change that was refused leaves the subscription as it was, and a later answer may be better.
      track.wish = wishBefore;
      const hopeless = !track.accepted && track.waitingAnswers === 1;
      if (hopeless && this.#subscriptions.get(trackId) === track) this.#subscriptions.end(trackId);
      throw error;
    } finally {
      track.waitingAnswers--;
    }
  }

  async unsubscribe(trackId: number): Promise<void> {
    this.#subscriptions.end(trackId);
    await this.#sessions.askToEnd(() =>
      this.#subscriptions.get(trackId) === undefined ? { type: "unsubscribe", trackId } : undefined,
    );
  }

  requestKeyframe(trackId: number, rendition: number): void {
    this.#main?.send({ type: "request-keyframe", trackId, rendition });
  }

  async sendData(topic: string, payload: Uint8Array, to?: string[]): Promise<void> {
    const message = { type: "send-data" as const, topic, payload, ...(to === undefined ? {} : { to }) };
    await this.#sessions.ask(() => message, false);
  }

  async mute(trackId: number, muted: boolean): Promise<void> {
    const own = this.#own.get(trackId);
    if (own !== undefined) return this.#muteOwn(own, muted);
    await this.#sessions.ask(() => ({ type: "mute", trackId, muted }), true);
  }

  async #muteOwn(track: LocalPublishedTrack, muted: boolean): Promise<void> {
    track.wishMuted(muted);
    try {
      // What was wished last, where this has to be asked again.
      await this.#sessions.ask(() => ({ type: "mute", trackId: track.trackId, muted: track.isMuted }), true);
      // Where the relay had done it before, it says nothing of it again.
      track.offer.muted = track.isMuted;
    } finally {
      track.endWish();
    }
  }

  async remove(identity: string): Promise<void> {
    await this.#sessions.ask(() => ({ type: "remove", identity }), false);
  }

  linkStats(): LinkStats {
    return this.#main!.link.stats();
  }

  trackCounters(trackId: number): TrackCounters | undefined {
    return this.#subscriptions.get(trackId)?.counters();
  }

  async leave(): Promise<void> {
    this.#leaving = true;
    const open = [...this.#handOvers.keys(), this.#main!].filter(({ isOpen }) => isOpen);
    await Promise.all(open.map((attachment) => attachment.leave()));
    this.#end("normal", "left");
  }

  onEnd(attachment: Attachment, reason: CloseReason, message: string): void {
    this.#own.closeRoad(attachment);
    this.#subscriptions.leaveHop(attachment.recovery);
    this.#handOvers.get(attachment)?.end();
    this.#handOvers.delete(attachment);
    if (attachment !== this.#main || this.#over) return;
    const byUs = reason === "identity-taken-over" && this.#sessions.mayHaveMoved;
    if (this.#leaving || (FINAL_CLOSE_REASONS.has(reason) && !byUs)) return this.#end(reason, message);
    this.#options.onEvent({ type: "interrupted", reason, message });
  }

  #end(reason: CloseReason, message: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#missedTimer?.cancel();
    for (const older of this.#handOvers.keys()) void older.leave();
    this.#subscriptions.endAll();
    this.#own.endAll();
    this.#sessions.end();
    const final = FINAL_CLOSE_REASONS.has(reason);
    this.#options.onEvent({ type: "closed", reason, message, final });
  }
}
