/** What a member of a room without a screen can do; implemented by participant.ts, used by client and bridge. */

import type { Clock, Random } from "../clock.ts";
import type { AccessUnit } from "../delivery/access-unit.ts";
import type { DepacketizerDrop } from "../delivery/depacketizer.ts";
import type { LinkStats } from "../session/link-stats.ts";
import type { Connect } from "../session/session.ts";
import type { ParticipantInfo, TrackOffer } from "../wire/room-model.ts";
import type { ParticipantEvent } from "./events.ts";

/** One relay of the gateway's answer to join. */
export interface RelayCandidate {
  /** WebTransport over UDP; "" = it has none. */
  url: string;
  /** Sessions over TCP, for networks without UDP; "" = it has none. */
  fallbackUrl: string;
  relayId: string;
  /** SHA-256 of DER, base64. */
  certificateHashes: string[];
  ticket: string;
}

export interface JoinRelayOptions {
  connect: Connect;
  clock: Clock;
  random: Random;
  relay: RelayCandidate;
  /** Name and version of the software, for the relay's logs. */
  client: string;
  /** Picture codecs that this participant can decode ("h264"); without it the room takes H.264 for granted. */
  decodes?: readonly string[];
  /** Room events, in order; the first ones come after join resolved. */
  onEvent(event: ParticipantEvent): void;
  /** Each complete access unit of a subscribed track, in arrival order; `arrivedUs` on the local clock. */
  onAccessUnit(trackId: number, unit: AccessUnit, arrivedUs: number): void;
  timeoutMs?: number;
}

/** Counters of a track in one direction. */
export interface TrackCounters {
  bytes: number;
  datagrams: number;
  /** Inbound: datagrams that the track's own numbering shows missing. Outbound: not taken by the link. */
  datagramsLost: number;
  datagramsRecovered: number;
  accessUnits: number;
  dropped: Readonly<Record<DepacketizerDrop, number>> | undefined;
}

export interface PublishedTrack {
  /** Changes when a relay does not let it go on (event `republished`). */
  readonly trackId: number;
  readonly offer: TrackOffer;
  /**
   * Sends one unit now. Fills in nothing: frameId must grow by one per rendition. Returns false when the
   * encoder should make a keyframe: once after something was dropped, and not before the link takes datagrams again. While no session
   * is open units are dropped and counted.
   */
  send(unit: AccessUnit): boolean;
  setMuted(muted: boolean): Promise<void>;
  unpublish(): Promise<void>;
  counters(): TrackCounters;
}

export interface SubscribeOptions {
  rendition?: number;
  maxTemporalLayer?: number;
  playoutDelayMs?: number;
}

export interface MoveOptions {
  /** For each of: opening the session, and the relay's answer to hello. */
  timeoutMs?: number;
  /** Asked when the session is open, before anything is said on it; false calls the move off. After hello there is no way back. */
  isWanted?(): boolean;
  /** Nothing is said on the session before this is settled; it must not reject. */
  turn?: Promise<unknown>;
  /** Opens the session in place of what the participant joined with. */
  connect?: Connect;
}

/** A member of a room, for as long as it is one: over several sessions, with one relay or another. */
export interface Participant {
  readonly identity: string;
  readonly room: string;
  /** Of the newest session. */
  readonly relayId: string;
  /** The relay as we were told of it, with the ticket that was used. */
  readonly relay: RelayCandidate;
  /** That session is one over TCP: nothing is lost, but late, and one over UDP would be better. */
  readonly isOverTcp: boolean;
  /** That session is open; false = interrupted, or over. */
  readonly isOpen: boolean;
  /** Everybody else, by identity, kept up to date before each event is handed out. */
  readonly participants: ReadonlyMap<string, ParticipantInfo>;
  /** Picture codecs that everybody in the room can decode; H.264 until the relay says otherwise. */
  readonly decodable: readonly string[];
  /**
   * Room clock minus local clock, microseconds, measured at join; capture times are on the room clock. It stays the same after a
   * move: relays' clocks agree to a few milliseconds (NTP), and a jump would be heard and seen. It is measured anew only where our
   * clock has stood still, as that of a machine that slept.
   */
  readonly clockOffsetUs: number;
  /**
   * The relay that we are with, or were with last, with a ticket that it has given us: good once, there and at other relays of its
   * cluster, for some minutes, to go on without asking the gateway. Undefined while there is none.
   */
  readonly resumeAt: RelayCandidate | undefined;
  /**
   * Goes on in another session, with this relay or another one: tracks and subscriptions are taken along, others see nothing of it.
   * An older session that is open is left when nothing comes on it alone any more. Resolves when the relay has let us in; rejects
   * with JoinFailedError, then nothing has changed.
   */
  moveTo(relay: RelayCandidate, options?: MoveOptions): Promise<void>;
  /**
   * Rejects with RequestFailedError. What changes tracks and subscriptions waits while no session is open, and is asked anew where
   * a session ends before its answer; `sendData` and `remove` reject.
   */
  publish(offer: TrackOffer): Promise<PublishedTrack>;
  subscribe(trackId: number, options?: SubscribeOptions): Promise<void>;
  unsubscribe(trackId: number): Promise<void>;
  requestKeyframe(trackId: number, rendition: number): void;
  sendData(topic: string, payload: Uint8Array, to?: string[]): Promise<void>;
  /** Own tracks, or anybody's for admins (mute only). */
  mute(trackId: number, muted: boolean): Promise<void>;
  /** Admins only. */
  remove(identity: string): Promise<void>;
  /** Of the newest session. */
  linkStats(): LinkStats;
  /** Counters of a subscribed track; undefined when it is not subscribed. */
  trackCounters(trackId: number): TrackCounters | undefined;
  /** Says goodbye and closes; resolves when the session is over. */
  leave(): Promise<void>;
}
