/**
 * A room on this relay: who is in it and which tracks there are. Keeps the rules of membership (one session per
 * identity, hidden members, removal) and tells members what changes. Requests: relay/room-requests.ts.
 */
import type { Clock, Random } from "../core/clock.ts";
import type { CloseReason } from "../core/wire/close-codes.ts";
import type { RelayMessageInput } from "../core/wire/control-messages.ts";
import { MAX_PARTICIPANTS_PER_ROOM, MAX_TRACKS_PER_PARTICIPANT } from "../core/wire/limits.ts";
import { frameMessage } from "../core/wire/message-framing.ts";
import {
  mayPublish,
  type ParticipantInfo,
  type TrackInfo,
  type TrackOffer,
} from "../core/wire/room-model.ts";
import { ActiveSpeakers } from "./active-speakers.ts";
import type { ForwardCounters } from "./forward-counters.ts";
import type { GopReplays } from "./gop-replay.ts";
import type { Member } from "./member.ts";
import { Refusal } from "./refusal.ts";
import { Subscription, type SubscriptionWish } from "./subscription.ts";
import { Track, type TrackMemory } from "./track.ts";

/** A session that was gone on from is closed by then. */
const SUPERSEDED_MS = 5_000;

/** What all rooms of a relay share. */
export interface RoomSurroundings extends TrackMemory {
  clock: Clock;
  random: Random;
  replays: GopReplays;
  forwarded: ForwardCounters;
  /** A removed member's token must not come back. */
  ban(room: string, token: string, untilSeconds: number): void;
}

export class Room {
  readonly name: string;
  readonly createdAtUs: number;
  readonly members = new Map<string, Member>();
  readonly tracks = new Map<number, Track>();
  readonly surroundings: RoomSurroundings;
  /** Sessions whose participants have gone on in another one. */
  readonly #superseded = new Set<Member>();
  readonly #speakers = new ActiveSpeakers();

  constructor(name: string, surroundings: RoomSurroundings) {
    this.name = name;
    this.surroundings = surroundings;
    this.createdAtUs = surroundings.clock.nowUs();
  }

  /** Throws Refusal `room-full`. To be called before `join`, which cannot fail. */
  requireSpace(identity: string): void {
    if (this.members.size >= MAX_PARTICIPANTS_PER_ROOM && !this.members.has(identity)) {
      throw new Refusal("room-full", `the room has ${MAX_PARTICIPANTS_PER_ROOM} participants, its maximum`);
    }
  }

  /** Takes a member in. An older session of the same identity is closed; others see it leave, then join. */
  join(member: Member): void {
    const older = this.members.get(member.identity);
    if (older !== undefined) {
      this.leave(older, "identity-taken-over");
      older.close("identity-taken-over", "the same identity joined again from elsewhere");
    }
    this.members.set(member.identity, member);
    if (!member.grants.hidden) this.broadcastFrame(member.joinedFrame, member);
  }

  /**
   * Takes a member in that goes on from an older session of its own: its tracks keep their ids, and others see nothing of it. The
   * older session may listen, and be heard, a little longer. Returns the ids of the tracks that go on.
   */
  resume(member: Member, tracks: readonly TrackInfo[]): number[] {
    const older = this.members.get(member.identity);
    this.members.set(member.identity, member);
    const resumed = tracks.filter((info) => this.#resumeTrack(member, info)).map(({ trackId }) => trackId);
    if (older !== undefined) this.#supersede(older, member);
    else if (!member.grants.hidden) this.broadcastFrame(member.joinedFrame, member);
    return resumed;
  }

  #resumeTrack(member: Member, { trackId, offer }: TrackInfo): boolean {
    const { clock } = this.surroundings;
    const known = this.tracks.get(trackId);
    if (known !== undefined && known.publisher !== member.identity) return false;
    if (!mayPublish(member.grants, offer.source) || member.tracks.size >= MAX_TRACKS_PER_PARTICIPANT)
      return false;
    const track = known ?? new Track(trackId, offer, member.identity, clock, this.surroundings, member);
    this.tracks.set(trackId, track);
    member.tracks.set(trackId, track);
    member.receive(track);
    member.infoChanged();
    return true;
  }

  #supersede(older: Member, member: Member): void {
    this.#superseded.add(older);
    for (const { trackId, info } of member.tracks.values()) {
      if (older.tracks.has(trackId)) continue;
      this.broadcast({ type: "track-published", identity: member.identity, track: info }, member);
    }
    for (const track of older.tracks.values()) {
      if (member.tracks.has(track.trackId)) continue;
      this.#endTrack(track);
      this.broadcast(
        { type: "track-unpublished", identity: member.identity, trackId: track.trackId },
        member,
      );
    }
    const text = "the same identity goes on in another session";
    this.surroundings.clock.after(SUPERSEDED_MS, () => {
      if (this.#superseded.has(older)) older.close("identity-taken-over", text);
    });
  }

  /** Others than `member` who are to be seen. */
  othersOf(member: Member): Member[] {
    return [...this.members.values()].filter((other) => other !== member && !other.grants.hidden);
  }

  /** Takes a member out and tells the others. Does nothing for one who is out already. */
  leave(member: Member, reason: CloseReason): void {
    if (this.#superseded.delete(member)) return this.#endSubscriptions(member);
    if (this.members.get(member.identity) !== member) return;
    this.members.delete(member.identity);
    this.#endSubscriptions(member);
    for (const track of member.tracks.values()) this.#endTrack(track);
    member.tracks.clear();
    if (!member.grants.hidden) {
      this.broadcast({ type: "participant-left", identity: member.identity, reason });
    }
  }

  #endSubscriptions(member: Member): void {
    for (const subscription of member.subscriptions.values())
      subscription.track.removeSubscription(subscription);
    member.subscriptions.clear();
  }

  /** Closes a member's session with `removed` and bans the token it came with. */
  remove(identity: string): Member | undefined {
    const member = this.members.get(identity);
    if (member === undefined) return undefined;
    this.surroundings.ban(this.name, member.ticket.token, member.ticket.tokenExp);
    this.leave(member, "removed");
    const text = "removed from the room by an admin";
    member.close("removed", text);
    for (const older of this.#superseded) if (older.identity === identity) older.close("removed", text);
    return member;
  }

  publish(member: Member, offer: TrackOffer): Track {
    const { clock } = this.surroundings;
    const track = new Track(this.#freeTrackId(), offer, member.identity, clock, this.surroundings, member);
    this.tracks.set(track.trackId, track);
    member.tracks.set(track.trackId, track);
    member.receive(track);
    member.infoChanged();
    return track;
  }

  unpublish(member: Member, track: Track): void {
    this.#endTrack(track);
    member.stopReceiving(track);
    member.tracks.delete(track.trackId);
    member.infoChanged();
    this.broadcast({ type: "track-unpublished", identity: member.identity, trackId: track.trackId }, member);
  }

  #endTrack(track: Track): void {
    this.tracks.delete(track.trackId);
    for (const older of this.#superseded) if (older.tracks.delete(track.trackId)) older.stopReceiving(track);
    for (const { subscriptions } of track.renditions)
      for (const subscription of subscriptions) subscription.subscriber.forget(subscription);
    track.end();
  }

  /** Random rather than counted, so that two relays of one room hardly ever choose the same. */
  #freeTrackId(): number {
    for (;;) {
      const trackId = 1 + Math.floor(this.surroundings.random() * 0xffffffff);
      if (trackId <= 0xffffffff && !this.tracks.has(trackId)) return trackId;
    }
  }

  /** Starts or changes a subscription and sends what is cached, or asks for a keyframe. */
  subscribe(member: Member, track: Track, wish: SubscriptionWish): void {
    const older = member.subscriptions.get(track.trackId);
    if (older !== undefined && older.rendition === wish.rendition) {
      older.change(wish);
      track.updateAudience();
      return;
    }
    const subscription = new Subscription(track, wish, member, this.surroundings.forwarded);
    member.subscriptions.set(track.trackId, subscription);
    member.shedding.add(subscription);
    // The new one first, so that the publisher is not told "unwanted" in between.
    track.addSubscription(subscription);
    if (older !== undefined) track.removeSubscription(older);
    const { cache } = track.renditions[wish.rendition]!;
    if (cache === undefined) return;
    const { length } = track.renditions[wish.rendition]!.subscriptions;
    const replayed = this.surroundings.replays.start(subscription, cache, length);
    if (!replayed || !cache.whole) track.requestKeyframe(wish.rendition);
  }

  unsubscribe(member: Member, subscription: Subscription): void {
    member.subscriptions.delete(subscription.track.trackId);
    subscription.track.removeSubscription(subscription);
  }

  /** Mutes or unmutes a track and tells everybody, its publisher included. */
  setMuted(track: Track, muted: boolean, by: string): void {
    if (track.muted === muted) return;
    track.setMuted(muted);
    const publisher = this.members.get(track.publisher);
    publisher?.infoChanged();
    this.broadcast({ type: "track-muted", identity: track.publisher, trackId: track.trackId, muted, by });
  }

  /** Sends to everybody but `except`. */
  broadcast(message: RelayMessageInput, except?: Member): void {
    if (this.members.size > (except === undefined ? 0 : 1))
      this.broadcastFrame(frameMessage(message), except);
  }

  broadcastFrame(frame: Uint8Array, except?: Member): void {
    for (const member of this.members.values()) {
      if (member !== except) member.channel.sendFramed(frame);
    }
  }

  /** Tells publishers what networks their tracks go to, when that is news. To be called now and then. */
  updateAudiences(): void {
    for (const track of this.tracks.values()) track.updateAudience();
  }

  /** Tells who speaks, when that is news. To be called every SPEAKERS_INTERVAL_MS. */
  updateSpeakers(nowUs: number): void {
    const levels = new Map<string, number>();
    for (const track of this.tracks.values()) {
      if (!track.isAudio || track.muted || track.offer.source !== "microphone") continue;
      const level = track.activity.level(nowUs);
      levels.set(track.publisher, Math.min(level, levels.get(track.publisher) ?? level));
    }
    const speakers = this.#speakers.update(levels, nowUs);
    if (speakers !== undefined) this.broadcast({ type: "speakers", speakers });
  }

  /** Everybody who is to be seen. */
  get participants(): ParticipantInfo[] {
    return [...this.members.values()].filter((m) => !m.grants.hidden).map((m) => m.info);
  }
}
