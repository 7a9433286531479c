/**
 * Decoded sound at the pace of the clock. Senders send in lumps (an Ogg page a second), ahead of time (a file) or a little too fast: blocks wait
 * for their turn, too many make the decoder wait, and a cushion that is never needed is worn down. Times are those of the turns.
 */
import type { Clock, Timer } from "../../core/clock.ts";
import { BLOCK_SAMPLES, BLOCK_US, type SoundBlock } from "../programme/programme.ts";
import { FIRST_CUSHION_BLOCKS, MAX_CUSHION_BLOCKS, MAX_WAITING_BLOCKS } from "./limits.ts";

/** The decoder goes on when so few wait. */
const RESUME_BLOCKS = 200;
/** How long the smallest cushion is looked at: longer than any lump. */
const WINDOW_BLOCKS = 500;
/** Of the cushion, so much may go unused. */
const SPARE_BLOCKS = 5;
/** Between two blocks that are skipped: a second. */
const SKIP_EVERY_BLOCKS = 50;

interface Samples {
  left: Float32Array;
  right: Float32Array;
}

export interface PacedSoundOptions {
  clock: Clock;
  onBlock(block: SoundBlock): void;
  /** No more room; `resume` follows. */
  pause(): void;
  resume(): void;
}

export class PacedSound {
  readonly #options: PacedSoundOptions;
  readonly #waiting: Samples[] = [];
  /** The block that is being filled. */
  #filling: Samples = emptyBlock();
  #filled = 0;
  #cushion = FIRST_CUSHION_BLOCKS;
  /** When the next block has its turn; undefined while the cushion is filled. */
  #nextUs: number | undefined;
  #timer: Timer | undefined;
  #paused = false;
  #finished: (() => void) | undefined;
  #closed = false;
  /** Of this window. */
  #blocksInWindow = 0;
  #leastWaiting = Number.POSITIVE_INFINITY;
  #wasPaused = false;
  #toSkip = 0;
  blocks = 0;
  gaps = 0;
  skippedBlocks = 0;

  constructor(options: PacedSoundOptions) {
    this.#options = options;
  }

  get waitingMs(): number {
    return (this.#waiting.length * BLOCK_US) / 1000;
  }

  push(left: Float32Array, right: Float32Array): void {
    if (this.#closed) return;
    for (let at = 0; at < left.length; ) {
      const count = Math.min(BLOCK_SAMPLES - this.#filled, left.length - at);
      this.#filling.left.set(left.subarray(at, at + count), this.#filled);
      this.#filling.right.set(right.subarray(at, at + count), this.#filled);
      this.#filled += count;
      at += count;
      if (this.#filled === BLOCK_SAMPLES) this.#completeBlock();
    }
    if (!this.#paused && this.#waiting.length >= MAX_WAITING_BLOCKS) {
      this.#paused = true;
      this.#wasPaused = true;
      this.#options.pause();
    }
    this.#begin();
  }

  /** Nothing more is pushed; resolves when all has had its turn, the last block filled with silence. */
  async finish(): Promise<void> {
    if (this.#closed) return;
    if (this.#filled > 0) this.#completeBlock();
    await new Promise<void>((resolve) => {
      this.#finished = resolve;
      if (this.#nextUs === undefined && this.#waiting.length === 0) this.close();
      else this.#begin();
    });
  }

  /** What waits is left out. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#waiting.length = 0;
    this.#finished?.();
  }

  #completeBlock(): void {
    this.#waiting.push(this.#filling);
    this.#filling = emptyBlock();
    this.#filled = 0;
  }

  #begin(): void {
    if (this.#nextUs !== undefined || this.#waiting.length === 0) return;
    if (this.#finished === undefined && this.#waiting.length < this.#cushion) return;
    this.#nextUs = this.#options.clock.nowUs();
    this.#turn();
  }

  #turn(): void {
    const nowUs = this.#options.clock.nowUs();
    while (this.#nextUs !== undefined && this.#nextUs <= nowUs) {
      const samples = this.#take();
      if (samples === undefined) return this.#ranDry();
      const timeUs = this.#nextUs;
      this.#nextUs += BLOCK_US;
      this.blocks += 1;
      this.#options.onBlock({ timeUs, ...samples });
      if (this.#closed) return;
    }
    if (this.#nextUs === undefined) return;
    this.#timer = this.#options.clock.after((this.#nextUs - nowUs) / 1000, () => this.#turn());
  }

  #ranDry(): void {
    this.#nextUs = undefined;
    if (this.#finished !== undefined) return this.close();
    this.gaps += 1;
    this.#cushion = Math.min(MAX_CUSHION_BLOCKS, this.#cushion * 2);
    this.#restartWindow();
  }

  #take(): Samples | undefined {
    let samples = this.#waiting.shift();
    if (samples === undefined) return undefined;
    this.#blocksInWindow += 1;
    const next = this.#waiting[0];
    if (this.#toSkip > 0 && next !== undefined && this.#blocksInWindow % SKIP_EVERY_BLOCKS === 0) {
      this.#toSkip -= 1;
      this.skippedBlocks += 1;
      this.#waiting.shift();
      samples = { left: faded(samples.left, next.left), right: faded(samples.right, next.right) };
    }
    this.#leastWaiting = Math.min(this.#leastWaiting, this.#waiting.length);
    if (this.#blocksInWindow >= WINDOW_BLOCKS) {
      // A sender that we make wait is ahead because it can be, and takes its time from us.
      this.#toSkip = this.#wasPaused ? 0 : Math.max(0, this.#leastWaiting - SPARE_BLOCKS);
      this.#restartWindow();
    }
    if (this.#paused && this.#waiting.length <= RESUME_BLOCKS) {
      this.#paused = false;
      this.#options.resume();
    }
    return samples;
  }

  #restartWindow(): void {
    this.#blocksInWindow = 0;
    this.#leastWaiting = Number.POSITIVE_INFINITY;
    this.#wasPaused = this.#paused;
  }
}

function emptyBlock(): Samples {
  return { left: new Float32Array(BLOCK_SAMPLES), right: new Float32Array(BLOCK_SAMPLES) };
}

/** Begins as `a` and ends as `b`. */
function faded(a: Float32Array, b: Float32Array): Float32Array {
  return a.map((value, i) => value + ((b[i]! - value) * i) / a.length);
}
