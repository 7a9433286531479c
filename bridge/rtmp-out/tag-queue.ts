/**
 * What waits for one target, bounded. A target that is too slow loses whole pictures up to the next keyframe, never a part of what a
 * keyframe begins; sound stays as long as it fits. Begins with a keyframe, so that a target's first picture can be decoded.
 */
import type { FlvTag } from "./flv-tag.ts";
import { MAX_TARGET_QUEUE_BYTES, MAX_TARGET_QUEUE_MS, MAX_TARGET_QUEUE_TAGS } from "./limits.ts";

export class TagQueue {
  #tags: FlvTag[] = [];
  /** Taken off, and not yet cut away. */
  #head = 0;
  #bytes = 0;
  /** Nothing goes in before a keyframe. */
  #beginning = true;
  #needsKeyframe = true;
  #droppedPictures = 0;
  #droppedSounds = 0;

  get bytes(): number {
    return this.#bytes;
  }

  get length(): number {
    return this.#tags.length - this.#head;
  }

  /** Pictures are left out until the next keyframe. */
  get needsKeyframe(): boolean {
    return this.#needsKeyframe;
  }

  /** Pictures left out since the queue was made because it was full, and those that referred to them. */
  get droppedPictures(): number {
    return this.#droppedPictures;
  }

  /** Sound frames left out since the queue was made because it was full. */
  get droppedSounds(): number {
    return this.#droppedSounds;
  }

  push(tag: FlvTag): void {
    if (tag.kind === "picture") {
      if (tag.keyframe) this.#needsKeyframe = this.#beginning = false;
      if (this.#needsKeyframe) {
        if (!this.#beginning) this.#droppedPictures++;
        return;
      }
    } else if (this.#beginning) return;
    this.#tags.push(tag);
    this.#bytes += tag.body.length;
    if (this.#isFull()) this.#makeRoom();
  }

  shift(): FlvTag | undefined {
    const tag = this.#tags[this.#head];
    if (tag === undefined) return undefined;
    this.#head++;
    this.#bytes -= tag.body.length;
    // Cutting away in large pieces costs next to nothing a tag.
    if (this.#head === this.#tags.length || this.#head > MAX_TARGET_QUEUE_TAGS) this.#cut();
    return tag;
  }

  /** Empty, and to begin with a keyframe again. What was in it does not count as left out: nobody was there to take it. */
  clear(): void {
    this.#tags = [];
    this.#head = this.#bytes = 0;
    this.#beginning = this.#needsKeyframe = true;
  }

  /** There is no keyframe to wait for: begins with sound. */
  beginWithSound(): void {
    this.#beginning = false;
  }

  #cut(): void {
    this.#tags = this.#tags.slice(this.#head);
    this.#head = 0;
  }

  #isFull(): boolean {
    return this.#isTooMuch() || this.#isTooLong();
  }

  #isTooMuch(): boolean {
    return this.#bytes > MAX_TARGET_QUEUE_BYTES || this.length > MAX_TARGET_QUEUE_TAGS;
  }

  #isTooLong(): boolean {
    const [oldest, newest] = [this.#tags[this.#head], this.#tags.at(-1)];
    return newest !== undefined && newest.timestampMs - oldest!.timestampMs > MAX_TARGET_QUEUE_MS;
  }

  #makeRoom(): void {
    this.#cut();
    this.#dropPicturesBefore(this.#tags.findLastIndex((tag) => tag.keyframe));
    if (this.#isTooMuch()) this.#dropPicturesBefore(this.#tags.length);
    while (this.#isFull()) {
      if (this.#tags[this.#head]!.kind === "picture") {
        this.#cut();
        this.#dropPicturesBefore(this.#tags.length);
      } else {
        this.shift();
        this.#droppedSounds++;
      }
    }
  }

  #dropPicturesBefore(index: number): void {
    const kept = this.#tags.filter((tag, at) => tag.kind === "sound" || at >= index);
    const dropped = this.#tags.length - kept.length;
    if (dropped === 0) return;
    this.#droppedPictures += dropped;
    this.#tags = kept;
    this.#bytes = kept.reduce((sum, tag) => sum + tag.body.length, 0);
    if (!kept.some((tag) => tag.kind === "picture")) this.#needsKeyframe = true;
  }
}
