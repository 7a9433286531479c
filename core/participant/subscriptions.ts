/** The tracks that a participant subscribes to, over all sessions that it has: what it wishes of each, and what comes of them. */
import type { AccessUnit } from "../delivery/access-unit.ts";
import type { HopRecovery } from "../session/hop-recovery.ts";
import type { Resume } from "../wire/control-messages.ts";
import { trackIdOf } from "../wire/datagram.ts";
import { commonPool } from "./common-pool.ts";
import { SubscribedTrack } from "./subscribed-track.ts";

/** Where access units go. */
type EmitUnit = (trackId: number, unit: AccessUnit, arrivedUs: number) => void;

export class Subscriptions {
  readonly #tracks = new Map<number, SubscribedTrack>();
  readonly #emit: EmitUnit;
  /** Arrival time of the datagram being taken in, for the access units that it completes. */
  #arrivedUs = 0;

  constructor(emit: EmitUnit) {
    this.#emit = emit;
  }

  /** Takes a media or repair datagram of one hop. */
  take(hop: HopRecovery, datagram: Uint8Array, kind: number, nowUs: number): void {
    const track = this.#tracks.get(trackIdOf(datagram));
    if (track === undefined) return hop.noteArrival(datagram, nowUs);
    this.#arrivedUs = nowUs;
    track.take(hop, datagram, kind, nowUs);
  }

  get(trackId: number): SubscribedTrack | undefined {
    return this.#tracks.get(trackId);
  }

  open(trackId: number, isPicture: boolean): SubscribedTrack {
    const emit = (unit: AccessUnit): void => this.#emit(trackId, unit, this.#arrivedUs);
    const track = new SubscribedTrack(trackId, isPicture, emit, commonPool());
    this.#tracks.set(trackId, track);
    return track;
  }

  end(trackId: number): void {
    this.#tracks.get(trackId)?.end();
    this.#tracks.delete(trackId);
  }

  /** Ends those that `isThere` is false of, unless the relay has yet to answer. */
  endGone(isThere: (trackId: number) => boolean): void {
    for (const { trackId, waitingAnswers } of this.#tracks.values())
      if (waitingAnswers === 0 && !isThere(trackId)) this.end(trackId);
  }

  endAll(): void {
    for (const trackId of this.#tracks.keys()) this.end(trackId);
  }

  /** As a hello takes them along. */
  get wishes(): Resume["subscriptions"] {
    return [...this.#tracks.values()].map(({ trackId, wish }) => ({
      trackId,
      rendition: wish.rendition ?? 0,
      maxTemporalLayer: wish.maxTemporalLayer ?? 7,
      playoutDelayMs: wish.playoutDelayMs ?? 200,
    }));
  }

  /** A relay takes over; `knows` says of which tracks it has told. */
  moveTo(knows: (trackId: number) => boolean): void {
    for (const track of this.#tracks.values()) track.isUnknown = !knows(track.trackId);
  }

  /** Whether media of each track that has any comes on this hop is to be known from `isServed` from now on. */
  await(hop: HopRecovery, nowUs: number): void {
    for (const track of this.#tracks.values()) track.await(hop, nowUs);
  }

  get isServed(): boolean {
    for (const track of this.#tracks.values()) if (track.isAwaited) return false;
    return true;
  }

  leaveHop(hop: HopRecovery): void {
    for (const track of this.#tracks.values()) track.leaveHop(hop);
  }
}
