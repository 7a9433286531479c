/**
 * Participants of a room whose sessions are with other relays. Each link offers those on its far side; of several offers for
 * one identity the best one makes the participant, its tracks come over that link, and all other links are offered it in turn. What comes
 * from above is never offered above, so a relay with two parents for a moment joins no loop. docs/wire.md, "Tree of relays".
 */
import type { Clock, Timer } from "../../core/clock.ts";
import type { RelayMessageInput } from "../../core/wire/control-messages.ts";
import { MAX_OFFERS_PER_LINK } from "../../core/wire/limits.ts";
import { frameMessage } from "../../core/wire/message-framing.ts";
import type { ParticipantInfo, TrackInfo } from "../../core/wire/room-model.ts";
import type { ParticipantRecord, TreeMessage } from "../../core/wire/tree-messages.ts";
import type { MediaPort } from "../media-port.ts";
import type { Member } from "../member.ts";
import type { Track } from "../track.ts";
import { EndedSessions } from "./ended-sessions.ts";
import type { Offer, RelayLink } from "./relay-link.ts";

type Gone = Extract<TreeMessage, { type: "gone" }>;

/** A participant that no link offers any more may be on its way to another relay. */
const GRACE_MS = 3_000;
/** Why a link is no longer offered a participant that others have. */
const MOVED = "moved";

export class RemoteParticipant {
  record: ParticipantRecord;
  /** The link that its tracks come over; undefined while none offers it. */
  via: RelayLink | undefined;
  fading: boolean;
  grace: Timer | undefined;
  #joinedFrame: Uint8Array | undefined;

  constructor(offer: Offer, via: RelayLink) {
    this.record = offer.record;
    this.fading = offer.fading;
    this.via = via;
  }

  get identity(): string {
    return this.record.participant.identity;
  }

  get info(): ParticipantInfo {
    return this.record.participant;
  }

  get joinedFrame(): Uint8Array {
    this.#joinedFrame ??= frameMessage({
      type: "participant-joined",
      participant: this.info,
    } satisfies RelayMessageInput);
    return this.#joinedFrame;
  }

  set(record: ParticipantRecord): void {
    this.record = record;
    this.#joinedFrame = undefined;
  }
}

/** What of its room this needs. */
interface RemotesRoom {
  readonly relayId: string;
  readonly surroundings: { clock: Clock };
  readonly members: ReadonlyMap<string, Member>;
  readonly tracks: ReadonlyMap<number, Track>;
  readonly links: Iterable<RelayLink>;
  /** A member here has a later session elsewhere. */
  yieldTo(member: Member, record: ParticipantRecord): void;
  /** Returns whether the track is new here. */
  addRemoteTrack(remote: RemoteParticipant, info: TrackInfo): boolean;
  /** Ends a track and tells members; `drop` does not. */
  endRemoteTrack(identity: string, trackId: number): void;
  dropRemoteTrack(identity: string, trackId: number): void;
  muteHere(track: Track, muted: boolean, by: string): void;
  setSource(track: Track, source: MediaPort): void;
  broadcast(message: RelayMessageInput): void;
  broadcastFrame(frame: Uint8Array): void;
}

/** Whether record `a` is of a later session than `b`. */
function isLater(a: ParticipantRecord, b: { stamp: number; relayId: string }): boolean {
  return a.stamp > b.stamp || (a.stamp === b.stamp && a.relayId > b.relayId);
}

export class RemoteParticipants {
  readonly byIdentity = new Map<string, RemoteParticipant>();
  readonly #room: RemotesRoom;
  readonly #ended = new EndedSessions();

  constructor(room: RemotesRoom) {
    this.#room = room;
  }

  /** A link offers a participant, or says that something about it has changed. */
  offer(link: RelayLink, offer: Offer, by?: string): void {
    const { identity } = offer.record.participant;
    const known = this.byIdentity.get(identity);
    // Of a session that has been gone on from: its relay will hear of it.
    const isPast = known !== undefined && isLater(known.record, offer.record);
    if (isPast || this.#ended.includes(offer.record)) return void link.offers.delete(identity);
    if (link.offers.size >= MAX_OFFERS_PER_LINK && !link.offers.has(identity))
      return link.close("protocol-error", `a link may offer ${MAX_OFFERS_PER_LINK} participants at most`);
    link.offers.set(identity, offer);
    const own = this.#room.members.get(identity);
    if (own === undefined) return this.#choose(identity, by);
    if (!isLater(offer.record, { stamp: own.stamp, relayId: this.#room.relayId })) return;
    this.#room.yieldTo(own, offer.record);
    this.#add(new RemoteParticipant(offer, link), offer.record.resumed);
    link.send({ type: "gone", identity, reason: MOVED });
  }

  withdraw(link: RelayLink, { identity, reason, stamp }: Gone): void {
    if (stamp !== undefined) return this.#end(link, identity, reason, stamp);
    if (!link.offers.delete(identity)) return;
    const remote = this.byIdentity.get(identity);
    if (remote?.via !== link) return;
    // Its relay said that it is gone, and nobody else has it.
    if (reason !== MOVED && this.#best(identity, undefined) === undefined) this.#remove(remote, reason);
    else this.#choose(identity);
  }

  /** A session is over, whoever still offers it; that is passed on to everybody. */
  #end(from: RelayLink, identity: string, reason: string, stamp: number): void {
    if (!this.#ended.add(identity, stamp, this.#room.surroundings.clock.nowUs())) return;
    for (const { offers } of this.#room.links)
      if ((offers.get(identity)?.record.stamp ?? Number.POSITIVE_INFINITY) <= stamp) offers.delete(identity);
    for (const link of this.#room.links)
      if (link !== from && !(link.isUp && from.isUp)) link.send({ type: "gone", identity, reason, stamp });
    const remote = this.byIdentity.get(identity);
    if (remote !== undefined && remote.record.stamp <= stamp) this.#remove(remote, reason);
  }

  /** The link's offers are worth less, or something, again. */
  reconsider(link: RelayLink): void {
    for (const identity of [...link.offers.keys()]) this.#choose(identity);
  }

  /** The link is over: what it offered is to be had elsewhere, or may soon be. */
  linkEnded(link: RelayLink): void {
    const identities = [...link.offers.keys()];
    link.offers.clear();
    for (const identity of identities)
      if (this.byIdentity.get(identity)?.via === link) this.#choose(identity);
  }

  /** Of its latest session elsewhere that is known of, over or not; 0 = none. */
  lastStamp(identity: string): number {
    return Math.max(this.byIdentity.get(identity)?.record.stamp ?? 0, this.#ended.stampOf(identity));
  }

  /** Somebody joined this relay under this identity: it is no longer remote. Its tracks are the caller's. */
  replace(identity: string): RemoteParticipant | undefined {
    const remote = this.byIdentity.get(identity);
    remote?.grace?.cancel();
    this.byIdentity.delete(identity);
    return remote;
  }

  /** Everybody on this side of a link, for the far side of a new one. */
  tellAll(link: RelayLink): void {
    for (const remote of this.byIdentity.values()) this.#tell(remote, link);
  }

  end(): void {
    for (const { grace } of this.byIdentity.values()) grace?.cancel();
  }

  #choose(identity: string, by?: string): void {
    if (this.#room.members.has(identity)) return;
    const known = this.byIdentity.get(identity);
    const link = this.#best(identity, known?.via);
    if (link === undefined) {
      if (known !== undefined) this.#lose(known);
      return;
    }
    const offer = link.offers.get(identity)!;
    if (known === undefined) return this.#add(new RemoteParticipant(offer, link), false);
    const before = known.via;
    const fading = offer.fading || link.isFading;
    const { record } = offer;
    const isChanged = known.record.stamp !== record.stamp || known.record.revision !== record.revision;
    const isNews = isChanged || before !== link || known.fading !== fading;
    if (!isNews) return;
    known.grace?.cancel();
    known.grace = undefined;
    known.via = link;
    known.fading = fading;
    this.#change(known, offer.record, by);
    if (before !== link) {
      for (const trackId of known.record.participant.tracks.map((info) => info.trackId)) {
        const track = this.#room.tracks.get(trackId);
        if (track !== undefined) this.#room.setSource(track, link);
      }
      this.#withdrawWhereNoLonger(known, before);
    }
    for (const other of this.#room.links) this.#tell(known, other, by);
  }

  /** Of the latest session, over a link that stays rather than one that goes, over the link that has it now. */
  #best(identity: string, now: RelayLink | undefined): RelayLink | undefined {
    let best: RelayLink | undefined;
    const record = this.byIdentity.get(identity)?.record;
    for (const link of this.#room.links) {
      const offer = link.offers.get(identity);
      if (offer === undefined || (record !== undefined && isLater(record, offer.record))) continue;
      if (best === undefined || this.#isBetter(link, best, identity, now)) best = link;
    }
    return best;
  }

  #isBetter(link: RelayLink, than: RelayLink, identity: string, now: RelayLink | undefined): boolean {
    const a = link.offers.get(identity)!;
    const b = than.offers.get(identity)!;
    if (isLater(a.record, b.record)) return true;
    if (isLater(b.record, a.record)) return false;
    const aFades = a.fading || link.isFading;
    const bFades = b.fading || than.isFading;
    if (aFades !== bFades) return bFades;
    return link === now;
  }

  /** `isKnown`: it was in the room, on this relay. */
  #add(remote: RemoteParticipant, isKnown: boolean): void {
    const room = this.#room;
    const { identity } = remote;
    this.byIdentity.set(identity, remote);
    for (const info of remote.info.tracks) {
      const isNew = room.addRemoteTrack(remote, info);
      if (isKnown && isNew) room.broadcast({ type: "track-published", identity, track: info });
    }
    if (!isKnown && !remote.record.hidden) room.broadcastFrame(remote.joinedFrame);
    for (const link of room.links) this.#tell(remote, link);
  }

  #change(remote: RemoteParticipant, next: ParticipantRecord, by: string | undefined): void {
    const room = this.#room;
    const { record } = remote;
    // An older state of the same session, by a longer way.
    if (next === record || (next.stamp === record.stamp && next.revision < record.revision)) return;
    remote.set(next);
    const { identity, tracks } = next.participant;
    const kept = new Set(tracks.map(({ trackId }) => trackId));
    for (const { trackId } of record.participant.tracks) {
      if (kept.has(trackId)) continue;
      room.endRemoteTrack(identity, trackId);
    }
    for (const info of tracks) {
      const track = room.tracks.get(info.trackId);
      if (track === undefined) {
        room.addRemoteTrack(remote, info);
        room.broadcast({ type: "track-published", identity, track: info });
      } else if (track.publisher === identity && track.muted !== info.offer.muted) {
        room.muteHere(track, info.offer.muted, by ?? identity);
      }
    }
  }

  /** Nobody offers it any more: it may be on its way to another relay. Others are not offered what we do not have. */
  #lose(remote: RemoteParticipant): void {
    if (remote.via === undefined) return;
    this.#withdrawFromAll(remote, MOVED);
    remote.via = undefined;
    remote.grace = this.#room.surroundings.clock.after(GRACE_MS, () => {
      if (remote.via === undefined) this.#remove(remote, "lost");
    });
  }

  #remove(remote: RemoteParticipant, reason: string): void {
    const { identity, record } = remote;
    if (this.byIdentity.get(identity) !== remote) return;
    remote.grace?.cancel();
    this.byIdentity.delete(identity);
    for (const link of this.#room.links) link.offers.delete(identity);
    for (const { trackId } of record.participant.tracks) this.#room.dropRemoteTrack(identity, trackId);
    if (!record.hidden) this.#room.broadcast({ type: "participant-left", identity, reason });
    if (remote.via !== undefined) this.#withdrawFromAll(remote, reason);
  }

  #withdrawFromAll(remote: RemoteParticipant, reason: string): void {
    for (const link of this.#room.links)
      if (isFor(link, remote.via)) link.send({ type: "gone", identity: remote.identity, reason });
  }

  /** It comes another way now, and is not offered to some links that it was offered to before. */
  #withdrawWhereNoLonger(remote: RemoteParticipant, before: RelayLink | undefined): void {
    const { identity } = remote;
    for (const link of this.#room.links)
      if (isFor(link, before) && !isFor(link, remote.via))
        link.send({ type: "gone", identity, reason: MOVED });
  }

  /** Offers a participant to a link where it is of use. */
  #tell(remote: RemoteParticipant, link: RelayLink, by?: string): void {
    if (remote.via === undefined || !isFor(link, remote.via)) return;
    const { record, fading } = remote;
    link.send({ type: "record", record, fading, ...(by === undefined ? {} : { by }) });
  }
}

/** Whether what comes via one link is offered on another. Two relays may have two links for a moment, one each way. */
function isFor(link: RelayLink, via: RelayLink | undefined): boolean {
  return link.relay.id !== via?.relay.id && !(link.isUp && via?.isUp === true);
}
