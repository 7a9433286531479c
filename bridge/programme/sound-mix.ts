/** The sound of a programme: all microphones and screens' sounds of a room, decoded, laid on one timeline, and added up below full scale. */
import type { AccessUnit } from "../../core/delivery/access-unit.ts";
import type { SoundDecoder } from "../../core/media/audio-playout.ts";
import { Limiter } from "./limiter.ts";
import { BLOCK_SAMPLES, BLOCK_US, type SoundBlock } from "./programme.ts";
import { type SoundDrop, SoundSource } from "./sound-source.ts";

/** Sounds that are mixed at once; further tracks are left out and counted. */
const MAX_MIXED_SOUNDS = 200;

interface MixedTrack {
  identity: string;
  gain: number;
  source: SoundSource;
  decoder: FreeableDecoder;
}

/** Gives interleaved stereo at 48 kHz. */
export interface FreeableDecoder extends SoundDecoder {
  free(): void;
}

const REASONS = ["late", "overflow", "undecodable"] as const;

export class SoundMix {
  /** Tracks that were not mixed since too many were. */
  leftOut = 0;
  /** Units that were not mixed, by reason, of sounds that are over too. */
  readonly dropped: Record<SoundDrop, number> = { late: 0, overflow: 0, undecodable: 0 };
  readonly #tracks = new Map<number, MixedTrack>();
  readonly #openDecoder: () => FreeableDecoder;
  readonly #gainsDb: Readonly<Record<string, number>>;
  readonly #limiter = new Limiter();
  /** Of the block that the limiter holds back. */
  #heldUs: number | undefined;

  constructor(openDecoder: () => FreeableDecoder, gainsDb: Readonly<Record<string, number>>) {
    this.#openDecoder = openDecoder;
    this.#gainsDb = gainsDb;
  }

  /** Units that were not mixed so far, by reason, and tracks. */
  get left(): Record<SoundDrop | "too-many", number> {
    const sum = { ...this.dropped, "too-many": this.leftOut };
    for (const { source } of this.#tracks.values())
      for (const reason of REASONS) sum[reason] += source.dropped[reason];
    return sum;
  }

  get trackIds(): Iterable<number> {
    return this.#tracks.keys();
  }

  has(trackId: number): boolean {
    return this.#tracks.has(trackId);
  }

  open(trackId: number, identity: string, frameDurationUs: number): boolean {
    if (this.#tracks.size >= MAX_MIXED_SOUNDS) {
      this.leftOut++;
      return false;
    }
    const decoder = this.#openDecoder();
    const gain = 10 ** ((this.#gainsDb[identity] ?? 0) / 20);
    this.#tracks.set(trackId, { identity, gain, decoder, source: new SoundSource(decoder, frameDurationUs) });
    return true;
  }

  close(trackId: number): void {
    const track = this.#tracks.get(trackId);
    if (track === undefined) return;
    for (const reason of REASONS) this.dropped[reason] += track.source.dropped[reason];
    track.decoder.free();
    this.#tracks.delete(trackId);
  }

  /** False: no such sound is mixed. */
  push(trackId: number, unit: AccessUnit): boolean {
    const track = this.#tracks.get(trackId);
    track?.source.push(unit);
    return track !== undefined;
  }

  /** Mixes what was captured from `timeUs` on; gives the block before that, which the limiter had held back. */
  next(timeUs: number): SoundBlock | undefined {
    const left = new Float32Array(BLOCK_SAMPLES);
    const right = new Float32Array(BLOCK_SAMPLES);
    for (const { source, gain } of this.#tracks.values()) source.mixInto(timeUs, left, right, gain);
    this.#limiter.push(left, right);
    const heldUs = this.#heldUs;
    this.#heldUs = timeUs;
    // After a jump of the timeline what was held back belongs to nowhere.
    return heldUs === timeUs - BLOCK_US ? { timeUs: heldUs, left, right } : undefined;
  }

  closeAll(): void {
    for (const trackId of [...this.#tracks.keys()]) this.close(trackId);
  }
}
