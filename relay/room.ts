/**
 * A room on this relay: who is in it and which tracks there are, here and on the other relays of its tree. Keeps the rules of
 * membership (one session per identity, hidden members, removal) and tells members what changes. Requests: relay/room-requests.ts.
 */
import type { Clock, Random } from "../core/clock.ts";
import type { CloseReason } from "../core/wire/close-codes.ts";
import type { RelayMessageInput } from "../core/wire/control-messages.ts";
import { MAX_PARTICIPANTS_PER_ROOM, MAX_TRACKS_PER_PARTICIPANT } from "../core/wire/limits.ts";
import { frameMessage } from "../core/wire/message-framing.ts";
import { mayPublish, type ParticipantInfo, type TrackInfo } from "../core/wire/room-model.ts";
import type { TrackOffer } from "../core/wire/room-model.ts";
import type { ParticipantRecord } from "../core/wire/tree-messages.ts";
import { DecodableCodecs } from "./decodable-codecs.ts";
import type { ForwardCounters } from "./forward-counters.ts";
import type { GopReplays } from "./gop-replay.ts";
import type { MediaPort } from "./media-port.ts";
import type { Member } from "./member.ts";
import { Refusal } from "./refusal.ts";
import { RoomData } from "./room-data.ts";
import { RoomSpeakers } from "./room-speakers.ts";
import { Subscription, type SubscriptionWish } from "./subscription.ts";
import type { Track, TrackMemory } from "./track.ts";
import { TrackTable } from "./track-table.ts";
import type { RelayLink } from "./tree/relay-link.ts";
import { type RemoteParticipant, RemoteParticipants } from "./tree/remote-participants.ts";

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
  isBanned(room: string, token: string): boolean;
}

interface Visible {
  readonly identity: string;
  readonly info: ParticipantInfo;
  readonly joinedFrame: Uint8Array;
}

export class Room {
  readonly name: string;
  readonly relayId: string;
  readonly createdAtUs: number;
  /** With sessions on this relay. */
  readonly members = new Map<string, Member>();
  /** To the other relays of the tree that this one is linked to. */
  readonly links = new Set<RelayLink>();
  readonly remote: RemoteParticipants;
  readonly data: RoomData;
  readonly #table: TrackTable;
  readonly surroundings: RoomSurroundings;
  /** Sessions whose participants have gone on in another one. */
  readonly #superseded = new Set<Member>();
  readonly speakers = new RoomSpeakers();
  readonly decodable = new DecodableCodecs();
  /** Members are being told something: for whoever watches the room from outside. */
  onNews: () => void = () => {};

  constructor(name: string, relayId: string, surroundings: RoomSurroundings) {
    this.name = name;
    this.relayId = relayId;
    this.surroundings = surroundings;
    this.createdAtUs = surroundings.clock.nowUs();
    this.#table = new TrackTable(surroundings.clock, surroundings.random, surroundings);
    this.remote = new RemoteParticipants(this);
    this.data = new RoomData(this);
  }

  get tracks(): ReadonlyMap<number, Track> {
    return this.#table.byId;
  }

  /** Sessions here, those that have been gone on from too. */
  get sessions(): number {
    return this.members.size + this.#superseded.size;
  }

  /** Throws Refusal `room-full`. To be called before `join`, which cannot fail. */
  requireSpace(identity: string): void {
    const size = this.members.size + this.remote.byIdentity.size;
    const isKnown = this.members.has(identity) || this.remote.byIdentity.has(identity);
    if (size >= MAX_PARTICIPANTS_PER_ROOM && !isKnown) {
      throw new Refusal("room-full", `the room has ${MAX_PARTICIPANTS_PER_ROOM} participants, its maximum`);
    }
  }

  /** Takes a member in. An older session of the same identity is closed; others see it leave, then join. */
  join(member: Member): void {
    const { identity } = member;
    const older = this.members.get(identity);
    if (older !== undefined) {
      this.leave(older, "identity-taken-over");
      older.close("identity-taken-over", "the same identity joined again from elsewhere");
      member.stamp = Math.max(member.stamp, older.stamp + 1);
    }
    const elsewhere = this.#takeFromElsewhere(member);
    for (const { trackId } of elsewhere?.info.tracks ?? []) this.dropRemoteTrack(identity, trackId);
    if (elsewhere?.record.hidden === false)
      this.broadcast({ type: "participant-left", identity, reason: "identity-taken-over" });
    this.members.set(identity, member);
    if (!member.grants.hidden) this.broadcastFrame(member.joinedFrame, member);
    this.tellLinks(member);
  }

  /** A later session than any other of this identity in the room. */
  #takeFromElsewhere(member: Member): RemoteParticipant | undefined {
    member.stamp = Math.max(member.stamp, this.remote.lastStamp(member.identity) + 1);
    return this.remote.replace(member.identity);
  }

  /**
   * Takes a member in that goes on from an older session of its own, here or on another relay: its tracks keep their ids, and
   * others see nothing of it. The older session may listen, and be heard, a little longer. Returns the ids of the tracks that go on.
   */
  resume(member: Member, tracks: readonly TrackInfo[]): number[] {
    const { identity } = member;
    const older = this.members.get(identity);
    if (older !== undefined) member.stamp = Math.max(member.stamp, older.stamp + 1);
    const elsewhere = this.#takeFromElsewhere(member);
    const known = older?.info ?? elsewhere?.info;
    this.members.set(identity, member);
    const resumed = tracks.filter((info) => this.#resumeTrack(member, info)).map(({ trackId }) => trackId);
    const before = known?.tracks.map(({ trackId }) => trackId) ?? [];
    if (older !== undefined) this.#supersede(older);
    for (const trackId of before) if (!member.tracks.has(trackId)) this.endRemoteTrack(identity, trackId);
    if (known === undefined && !member.grants.hidden) this.broadcastFrame(member.joinedFrame, member);
    for (const { trackId, info } of known === undefined ? [] : member.tracks.values())
      if (!before.includes(trackId))
        this.broadcast({ type: "track-published", identity, track: info }, member);
    this.tellLinks(member);
    return resumed;
  }

  #resumeTrack(member: Member, { trackId, offer }: TrackInfo): boolean {
    const known = this.tracks.get(trackId);
    if (known !== undefined && known.publisher !== member.identity) return false;
    if (!mayPublish(member.grants, offer.source) || member.tracks.size >= MAX_TRACKS_PER_PARTICIPANT)
      return false;
    if (known === undefined) this.#table.add(trackId, offer, member.identity, member);
    else this.#table.move(known, member);
    member.infoChanged();
    return true;
  }

  #supersede(older: Member): void {
    this.#superseded.add(older);
    const text = "the same identity goes on in another session";
    this.surroundings.clock.after(SUPERSEDED_MS, () => {
      if (this.#superseded.has(older)) older.close("identity-taken-over", text);
    });
  }

  /** A member's identity has a later session with another relay. */
  yieldTo(member: Member, record: ParticipantRecord): void {
    if (!record.resumed) {
      this.leave(member, "identity-taken-over");
      return member.close("identity-taken-over", "the same identity joined again from elsewhere");
    }
    this.members.delete(member.identity);
    this.#supersede(member);
    const kept = new Set(record.participant.tracks.map(({ trackId }) => trackId));
    for (const trackId of [...member.tracks.keys()])
      if (!kept.has(trackId)) this.endRemoteTrack(member.identity, trackId);
  }

  /** Others than `member` who are to be seen. */
  othersOf(member: Member | undefined): Visible[] {
    const here = [...this.members.values()].filter((other) => other !== member && !other.grants.hidden);
    const elsewhere = [...this.remote.byIdentity.values()].filter(({ record }) => !record.hidden);
    return [...here, ...elsewhere];
  }

  /** Takes a member out and tells the others. Does nothing for one who is out already. */
  leave(member: Member, reason: CloseReason): void {
    if (this.#superseded.delete(member)) {
      for (const track of [...member.tracks.values()]) track.removeSource(member);
      return member.endSubscriptions();
    }
    const { identity } = member;
    if (this.members.get(identity) !== member) return;
    this.members.delete(identity);
    member.endSubscriptions();
    for (const track of [...member.tracks.values()]) this.#table.end(track);
    if (!member.grants.hidden) this.broadcast({ type: "participant-left", identity, reason });
    const { stamp } = member;
    for (const link of this.links) link.send({ type: "gone", identity, reason, stamp });
  }

  /** Closes a member's session with `removed` and bans the token it came with; asks its relay to where it is elsewhere. */
  remove(identity: string): { identity: string; token: string; tokenExp: number } | undefined {
    const member = this.members.get(identity);
    const elsewhere = this.remote.byIdentity.get(identity);
    const token = member?.ticket.token ?? elsewhere?.record.token;
    const tokenExp = member?.ticket.tokenExp ?? elsewhere?.record.tokenExp;
    if (token === undefined || tokenExp === undefined) return undefined;
    this.ban(token, tokenExp);
    if (member !== undefined) {
      this.leave(member, "removed");
      const text = "removed from the room by an admin";
      for (const session of [member, ...this.#superseded])
        if (session.identity === identity) session.close("removed", text);
    }
    elsewhere?.via?.send({ type: "remove", identity });
    return { identity, token, tokenExp };
  }

  /** Remembers that a join token may not be used any more, and tells the other relays. */
  ban(token: string, untilSeconds: number, from?: RelayLink): void {
    if (this.surroundings.isBanned(this.name, token)) return;
    this.surroundings.ban(this.name, token, untilSeconds);
    for (const link of this.links) if (link !== from) link.send({ type: "ban", token, untilSeconds });
  }

  publish(member: Member, offer: TrackOffer): Track {
    const track = this.#table.add(this.#table.freeId(), offer, member.identity, member);
    member.infoChanged();
    this.tellLinks(member);
    return track;
  }

  unpublish(member: Member, track: Track): void {
    this.#table.end(track);
    member.infoChanged();
    this.broadcast({ type: "track-unpublished", identity: member.identity, trackId: track.trackId }, member);
    this.tellLinks(member);
  }

  /** A remote participant publishes a track, or goes on publishing it from elsewhere. Returns whether the track is new here. */
  addRemoteTrack({ identity, via }: RemoteParticipant, { trackId, offer }: TrackInfo): boolean {
    const known = this.tracks.get(trackId);
    // Somebody else has the id: one chance in four thousand million for each pair of tracks.
    if (via === undefined || (known !== undefined && known.publisher !== identity)) return false;
    if (known === undefined) this.#table.add(trackId, offer, identity, via);
    else this.setSource(known, via);
    return known === undefined;
  }

  endRemoteTrack(identity: string, trackId: number): void {
    if (this.dropRemoteTrack(identity, trackId))
      this.broadcast({ type: "track-unpublished", identity, trackId });
  }

  /** The same, where its participant is told as gone too. */
  dropRemoteTrack(identity: string, trackId: number): boolean {
    const track = this.tracks.get(trackId);
    if (track?.publisher !== identity) return false;
    this.#table.end(track);
    return true;
  }

  /** The track comes from another session from now on. */
  setSource(track: Track, source: MediaPort): void {
    if (track.source !== source) this.#table.move(track, source);
    // Also where it is the same again: it may have had no use for what it was told.
    track.tellSource();
  }

  /** Starts or changes a subscription and sends what is cached, or asks for a keyframe. */
  subscribe(port: MediaPort, track: Track, wish: SubscriptionWish): Subscription {
    const key = port.keyOf(track.trackId, wish.rendition);
    const older = port.subscriptions.get(key);
    if (older !== undefined && older.rendition === wish.rendition) {
      older.change(wish);
      track.updateAudience();
      return older;
    }
    const subscription = new Subscription(track, wish, port, this.surroundings.forwarded);
    port.subscriptions.set(key, subscription);
    port.shedding.add(subscription);
    // The new one first, so that the publisher is not told "unwanted" in between.
    track.addSubscription(subscription);
    if (older !== undefined) track.removeSubscription(older);
    const { cache, subscriptions } = track.renditions[wish.rendition]!;
    if (cache === undefined) return subscription;
    const replayed = this.surroundings.replays.start(subscription, cache, subscriptions.length);
    if (!replayed || !cache.whole) track.requestKeyframe(wish.rendition);
    return subscription;
  }

  unsubscribe(port: MediaPort, subscription: Subscription): void {
    port.forget(subscription);
    subscription.track.removeSubscription(subscription);
  }

  /** Mutes or unmutes a track and tells everybody, its publisher included; a remote one is muted by its own relay. */
  setMuted(track: Track, muted: boolean, by: string): void {
    const publisher = this.members.get(track.publisher);
    if (publisher !== undefined) {
      if (!this.muteHere(track, muted, by)) return;
      publisher.infoChanged();
      return this.tellLinks(publisher, by);
    }
    this.remote.byIdentity.get(track.publisher)?.via?.send({ type: "mute", trackId: track.trackId, by });
  }

  muteHere(track: Track, muted: boolean, by: string): boolean {
    if (track.muted === muted) return false;
    track.setMuted(muted);
    this.broadcast({ type: "track-muted", identity: track.publisher, trackId: track.trackId, muted, by });
    return true;
  }

  /** Says on all links how a member is now. `by`: who muted, where that is what changed. */
  tellLinks(member: Member, by?: string): void {
    if (this.links.size === 0) return;
    const record = member.record(this.relayId);
    for (const link of this.links) link.send({ type: "record", record, ...(by === undefined ? {} : { by }) });
  }

  /** Sends to everybody here but `except`. */
  broadcast(message: RelayMessageInput, except?: Member): void {
    if (this.members.size > 0) return this.broadcastFrame(frameMessage(message), except);
    this.onNews();
  }

  broadcastFrame(frame: Uint8Array, except?: Member): void {
    for (const member of this.members.values()) if (member !== except) member.channel.sendFramed(frame);
    this.onNews();
  }

  /** Tells publishers what networks their tracks go to, when that is news. To be called now and then. */
  updateAudiences(): void {
    for (const track of this.tracks.values()) track.updateAudience();
  }

  /** To be called every SPEAKERS_INTERVAL_MS: who speaks, and which codecs everybody can decode. */
  updateNews(nowUs: number): void {
    this.speakers.update(this, nowUs);
    this.decodable.update(this);
  }

  /** Nobody is here any more. */
  end(): void {
    this.remote.end();
    for (const track of [...this.tracks.values()]) this.#table.end(track);
  }

  /** Everybody who is to be seen. */
  get participants(): ParticipantInfo[] {
    return this.othersOf(undefined).map(({ info }) => info);
  }
}
