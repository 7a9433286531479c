/**
 * The datagrams of one track rendition since its last keyframe, so that a late joiner has a picture at once.
 * Bounded by MAX_GOP_CACHE_*; kept in one growing piece of memory, so that caching allocates nothing per datagram.
 */
import { FLAG_KEYFRAME, mediaFlagsOf, mediaFragmentCountOf, mediaFrameIdOf } from "../core/wire/datagram.ts";
import { MAX_GOP_CACHE_BYTES, MAX_GOP_CACHE_DATAGRAMS } from "../core/wire/limits.ts";

const FIRST_BYTES = 64 * 1024;

/** Memory that many caches share; a cache that cannot take more is emptied. */
export class CacheBudget {
  readonly #maxBytes: number;
  #takenBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get takenBytes(): number {
    return this.#takenBytes;
  }

  take(bytes: number): boolean {
    if (this.#takenBytes + bytes > this.#maxBytes) return false;
    this.#takenBytes += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#takenBytes -= bytes;
  }
}

export class GopCache {
  readonly #budget: CacheBudget;
  #bytes = new Uint8Array(0);
  /** Datagram i lies at ends[i - 1] .. ends[i]. */
  readonly #ends: number[] = [];
  #keyframeId: number | undefined;
  #generation = 0;
  #newestFrameId = 0;
  #frames = 0;
  #expected = 0;

  constructor(budget: CacheBudget) {
    this.#budget = budget;
  }

  /** Datagrams held, the keyframe's first. */
  get count(): number {
    return this.#ends.length;
  }

  get byteLength(): number {
    return this.#ends.at(-1) ?? 0;
  }

  /** Grows each time the cache starts anew: positions of an older generation mean nothing. */
  get generation(): number {
    return this.#generation;
  }

  /** True when nothing since the keyframe is missing, so that a decoder can show all of it. */
  get whole(): boolean {
    const span = this.#keyframeId === undefined ? 0 : ((this.#newestFrameId - this.#keyframeId) >>> 0) + 1;
    return this.count > 0 && this.count >= this.#expected && this.#frames === span;
  }

  /** Takes a media datagram of this rendition (hop header included). Returns false when it is not part of the GOP. */
  push(datagram: Uint8Array): boolean {
    const frameId = mediaFrameIdOf(datagram);
    const keyframe = (mediaFlagsOf(datagram) & FLAG_KEYFRAME) !== 0;
    const first = this.#keyframeId;
    if (keyframe && frameId !== first && (first === undefined || (frameId - first) >> 0 > 0)) {
      this.clear();
      this.#keyframeId = frameId;
      this.#newestFrameId = (frameId - 1) >>> 0;
    } else if (first === undefined || (frameId - first) >> 0 < 0) {
      return false;
    }
    if (!this.#append(datagram)) {
      this.clear();
      return false;
    }
    this.#account(datagram, frameId);
    return true;
  }

  #account(datagram: Uint8Array, frameId: number): void {
    if ((frameId - this.#newestFrameId) >> 0 <= 0) return;
    // Each unit is counted when its first datagram comes; an older unit that was skipped leaves a hole for good.
    this.#newestFrameId = frameId;
    this.#frames++;
    this.#expected += mediaFragmentCountOf(datagram);
  }

  #append(datagram: Uint8Array): boolean {
    const start = this.byteLength;
    const end = start + datagram.length;
    if (end > MAX_GOP_CACHE_BYTES || this.count >= MAX_GOP_CACHE_DATAGRAMS) return false;
    if (end > this.#bytes.length && !this.#grow(end)) return false;
    this.#bytes.set(datagram, start);
    this.#ends.push(end);
    return true;
  }

  #grow(needed: number): boolean {
    const size = Math.min(MAX_GOP_CACHE_BYTES, Math.max(FIRST_BYTES, 2 * this.#bytes.length, needed));
    if (!this.#budget.take(size - this.#bytes.length)) return false;
    const grown = new Uint8Array(size);
    grown.set(this.#bytes);
    this.#bytes = grown;
    return true;
  }

  /** Datagram `index` with the hop header that it came with: a view that is valid until the next push. */
  datagram(index: number): Uint8Array {
    return this.#bytes.subarray(index === 0 ? 0 : this.#ends[index - 1]!, this.#ends[index]!);
  }

  /** Forgets everything, until the next keyframe. */
  clear(): void {
    this.#ends.length = 0;
    this.#keyframeId = undefined;
    this.#generation++;
    this.#frames = 0;
    this.#expected = 0;
  }

  /** Gives the memory back; the cache is not used after that. */
  end(): void {
    this.clear();
    this.#budget.give(this.#bytes.length);
    this.#bytes = new Uint8Array(0);
  }
}
