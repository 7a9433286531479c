/** The tracks that a participant publishes, over all sessions that it has: what a hello takes along, and what becomes of it. */
import type { TrackInfo } from "../wire/room-model.ts";
import type { LocalPublishedTrack } from "./published-track.ts";
import type { Road } from "./road.ts";

export class OwnTracks {
  readonly #tracks = new Map<number, LocalPublishedTrack>();

  [Symbol.iterator](): Iterator<LocalPublishedTrack> {
    return this.#tracks.values();
  }

  get(trackId: number): LocalPublishedTrack | undefined {
    return this.#tracks.get(trackId);
  }

  add(track: LocalPublishedTrack): void {
    this.#tracks.set(track.trackId, track);
  }

  end(track: LocalPublishedTrack): void {
    track.end();
    this.#tracks.delete(track.trackId);
  }

  endAll(): void {
    for (const track of this.#tracks.values()) this.end(track);
  }

  /** As a hello takes them along. */
  get infos(): TrackInfo[] {
    return [...this.#tracks.values()].filter(({ isEnding }) => !isEnding).map(({ info }) => info);
  }

  /** Sends the tracks that a relay has let go on over its road too. Returns those that must be published anew. */
  moveTo(road: Road, resumed: readonly number[], isGap: boolean): LocalPublishedTrack[] {
    const others: LocalPublishedTrack[] = [];
    for (const track of this.#tracks.values()) {
      if (resumed.includes(track.trackId)) track.openRoad(road, isGap);
      else if (!track.isEnding) others.push(track);
    }
    return others;
  }

  /** The track has been published anew, on `road`. */
  renumber(track: LocalPublishedTrack, trackId: number, road: Road): void {
    this.#tracks.delete(track.trackId);
    track.renumber(trackId);
    this.#tracks.set(trackId, track);
    track.openRoad(road, true);
  }

  closeRoad(road: Road): void {
    for (const track of this.#tracks.values()) track.closeRoad(road);
  }
}
