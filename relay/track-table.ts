/** The tracks of a room by id, and the session that each comes from: its publisher's or a link to another relay, which may change. */
import type { Clock, Random } from "../core/clock.ts";
import type { TrackOffer } from "../core/wire/room-model.ts";
import type { MediaPort } from "./media-port.ts";
import { Track, type TrackMemory } from "./track.ts";

/** A track that comes another way is still taken from the way before for so long. */
const OVERLAP_MS = 1_500;

export class TrackTable {
  readonly byId = new Map<number, Track>();
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #memory: TrackMemory;

  constructor(clock: Clock, random: Random, memory: TrackMemory) {
    this.#clock = clock;
    this.#random = random;
    this.#memory = memory;
  }

  add(trackId: number, offer: TrackOffer, publisher: string, source: MediaPort): Track {
    const track = new Track(trackId, offer, publisher, this.#clock, this.#memory, source);
    this.byId.set(trackId, track);
    source.receive(track);
    return track;
  }

  /** Random rather than counted, so that two relays of one room hardly ever choose the same. */
  freeId(): number {
    for (;;) {
      const trackId = 1 + Math.floor(this.#random() * 0xffffffff);
      if (trackId <= 0xffffffff && !this.byId.has(trackId)) return trackId;
    }
  }

  /** The track comes from `source` from now on, which has to be told what it should know (`tellSource`). */
  move(track: Track, source: MediaPort): void {
    const before = track.source;
    source.receive(track);
    track.moveTo(source);
    // What comes from there must not go back there. But its publisher sends here alone until it has heard that it is let in there:
    // what is on its way is passed on for as long as it may come.
    const stop = (): void => {
      if (track.source !== source) return;
      for (const subscription of [...source.subscriptions.values()]) {
        if (subscription.track !== track) continue;
        source.forget(subscription);
        track.removeSubscription(subscription);
      }
    };
    if (!source.isSession) this.#clock.after(OVERLAP_MS, stop);
    else stop();
    // An older session of the publisher is listened to as long as it lasts.
    if (before.isSession) return;
    this.#clock.after(OVERLAP_MS, () => {
      if (track.source !== before) track.removeSource(before);
    });
  }

  end(track: Track): void {
    this.byId.delete(track.trackId);
    for (const { subscriptions } of track.renditions)
      for (const subscription of subscriptions) subscription.subscriber.forget(subscription);
    track.end();
  }
}
