/**
 * A programme put together of a room's tracks: sounds into one mix, pictures into one sequence. Of everybody, or of one participant alone;
 * several of one room are fed by the same member of it (room-programme.ts), so they lie on the same timeline.
 */
import type { AccessUnit } from "../../core/delivery/access-unit.ts";
import type { ParticipantInfo, TrackOffer } from "../../core/wire/room-model.ts";
import type { HeldTracks } from "./held-tracks.ts";
import type { Programme, ProgrammeSink, Speaker } from "./programme.ts";
import type { PictureRequests, RoomPictures } from "./room-pictures.ts";
import { SinkList } from "./sink-list.ts";
import { type FreeableDecoder, SoundMix } from "./sound-mix.ts";

export interface CompositionOptions {
  room: string;
  delayMs: number;
  keyframeLeadMs: number;
  openPictures(requests: PictureRequests): RoomPictures;
  /** A camera that has not shown anything yet counts as a picture, so that a file begins with what it is about. */
  waitsForPicture?: boolean;
  gainsDb: Readonly<Record<string, number>>;
  /** Which of the sounds that can be mixed are. */
  hears(identity: string, offer: TrackOffer): boolean;
  participants(): readonly Speaker[];
  tracks: HeldTracks;
  /** Asks a publisher for a keyframe. */
  requestKeyframe(trackId: number, rendition: number): void;
  openDecoder(): FreeableDecoder;
  nowUs(): number;
}

export class Composition implements Programme {
  readonly room: string;
  readonly delayMs: number;
  readonly keyframeLeadMs: number;
  readonly sinks = new SinkList();
  readonly #options: CompositionOptions;
  readonly #mix: SoundMix;
  readonly #pictures: RoomPictures;
  /** Picture tracks that are subscribed to. */
  readonly #heldPictures = new Set<number>();

  constructor(options: CompositionOptions) {
    const { room, delayMs, keyframeLeadMs, gainsDb, openDecoder } = options;
    this.room = room;
    this.delayMs = delayMs;
    this.keyframeLeadMs = keyframeLeadMs;
    this.#options = options;
    this.#mix = new SoundMix(openDecoder, gainsDb);
    this.#pictures = options.openPictures({
      subscribe: (trackId, rendition) => this.#holdPicture(trackId, rendition),
      unsubscribe: (trackId) => this.#releasePicture(trackId),
      requestKeyframe: options.requestKeyframe,
    });
  }

  #holdPicture(trackId: number, rendition: number): void {
    const { tracks } = this.#options;
    if (this.#heldPictures.has(trackId)) return tracks.change(trackId, rendition);
    this.#heldPictures.add(trackId);
    tracks.hold(trackId, rendition);
  }

  #releasePicture(trackId: number): void {
    if (this.#heldPictures.delete(trackId)) this.#options.tracks.release(trackId);
  }

  get hasPicture(): boolean {
    const { isShowing, isExpecting } = this.#pictures;
    return this.#options.waitsForPicture === true ? isExpecting : isShowing;
  }

  get problem(): string {
    return this.#pictures.problem;
  }

  get participants(): readonly Speaker[] {
    return this.#options.participants();
  }

  add(sink: ProgrammeSink): () => void {
    this.#pictures.requestKeyframe();
    return this.sinks.add(sink);
  }

  requestKeyframe(): void {
    this.#pictures.requestKeyframe(this.#options.nowUs());
  }

  /** The room was entered, maybe anew: tracks of before are none of it. */
  reset(): void {
    this.#mix.closeAll();
    this.#heldPictures.clear();
    this.#pictures.reset();
  }

  /** Takes what of somebody's sounds it does not have yet. */
  openSounds({ identity, tracks }: ParticipantInfo): void {
    for (const { trackId, offer } of tracks) {
      if (!canBeMixed(offer) || this.#mix.has(trackId) || !this.#options.hears(identity, offer)) continue;
      if (this.#mix.open(trackId, identity, offer.frameDurationUs)) this.#options.tracks.hold(trackId, 0);
    }
  }

  /** Lets go of sounds that are over. */
  closeGone(there: ReadonlySet<number>): void {
    for (const trackId of [...this.#mix.trackIds]) if (!there.has(trackId)) this.#closeSound(trackId);
  }

  choose(people: Iterable<ParticipantInfo>, speakers: readonly string[]): void {
    this.#pictures.choose(people, speakers, this.#options.nowUs());
  }

  push(trackId: number, unit: AccessUnit): void {
    if (!this.#mix.push(trackId, unit)) this.#pictures.push(trackId, unit, this.#options.nowUs());
  }

  /** Gives out the block that begins at `timeUs`. */
  emit(timeUs: number): void {
    const block = this.#mix.next(timeUs);
    if (block !== undefined) this.sinks.onSound(block);
    this.#pictures.emit(timeUs, this.#options.nowUs(), (unit) => this.sinks.onPicture(unit));
  }

  /** Sound that was not mixed so far, by reason. */
  get left(): SoundMix["left"] {
    return this.#mix.left;
  }

  /** Nothing comes of it any more. Says what was left out of it. */
  end(): string {
    for (const trackId of [...this.#mix.trackIds]) this.#closeSound(trackId);
    this.#pictures.close();
    this.sinks.onEnd();
    const { late, overflow, undecodable, "too-many": tooMany } = this.left;
    return `sounds left out ${tooMany}, units late ${late}, too many ${overflow}, not decodable ${undecodable}${this.#pictures.summary}`;
  }

  #closeSound(trackId: number): void {
    this.#mix.close(trackId);
    this.#options.tracks.release(trackId);
  }
}

type MixedOffer = Extract<TrackOffer, { kind: "audio" }>;

export function canBeMixed(offer: TrackOffer): offer is MixedOffer {
  return offer.kind === "audio" && !offer.encrypted && offer.codec === "opus";
}
