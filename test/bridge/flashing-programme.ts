/**
 * A programme that plays by itself, in real time: clips of one second, over two steady tones (left 440 Hz, right 660 Hz) with a beep of 3 kHz
 * while a clip is white.
 */

import {
  BLOCK_SAMPLES,
  BLOCK_US,
  type Programme,
  type ProgrammeSink,
  SAMPLE_RATE_HZ,
} from "../../bridge/programme/programme.ts";
import type { Clock, Timer } from "../../core/clock.ts";
import { CLIP_FPS, type ClipPicture } from "./flash-clip.ts";

export const LEFT_HZ = 440;
export const RIGHT_HZ = 660;
export const BEEP_HZ = 3_000;
const BEEP_SECONDS = 0.1;
const TONE_LEVEL = 0.15;
const BEEP_LEVEL = 0.3;
const PLAY_EVERY_MS = 10;

export class FlashingProgramme implements Programme {
  readonly room = "test";
  readonly participants = [];
  readonly delayMs = 0;
  readonly keyframeLeadMs = 0;
  readonly problem = "";
  keyframesAsked = 0;
  readonly #clock: Clock;
  readonly #startUs: number;
  readonly #sinks = new Set<ProgrammeSink>();
  #blocks = 0;
  #pictures = 0;
  #clip: readonly ClipPicture[] | undefined;
  #next: readonly ClipPicture[] | undefined;
  #isSwitching = false;
  #timer: Timer | undefined;

  constructor(clock: Clock, clip?: readonly ClipPicture[]) {
    this.#clock = clock;
    this.#startUs = clock.nowUs();
    this.#next = clip;
    this.#play();
  }

  get hasPicture(): boolean {
    return this.#clip !== undefined;
  }

  add(sink: ProgrammeSink): () => void {
    this.#sinks.add(sink);
    return () => this.#sinks.delete(sink);
  }

  requestKeyframe(): void {
    this.keyframesAsked++;
  }

  /** From the next whole second on; undefined = no picture. */
  show(clip: readonly ClipPicture[] | undefined): void {
    this.#next = clip;
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #play(): void {
    const soFarUs = this.#clock.nowUs() - this.#startUs;
    while (this.#blocks * BLOCK_US <= soFarUs || (this.#pictures / CLIP_FPS) * 1e6 <= soFarUs) {
      if (this.#blocks * BLOCK_US <= (this.#pictures / CLIP_FPS) * 1e6) this.#playBlock();
      else this.#playPicture();
    }
    this.#timer = this.#clock.after(PLAY_EVERY_MS, () => this.#play());
  }

  #playBlock(): void {
    const left = new Float32Array(BLOCK_SAMPLES);
    const right = new Float32Array(BLOCK_SAMPLES);
    for (let i = 0; i < BLOCK_SAMPLES; i++) {
      const seconds = (this.#blocks * BLOCK_SAMPLES + i) / SAMPLE_RATE_HZ;
      const beep = seconds % 1 < BEEP_SECONDS ? BEEP_LEVEL * Math.sin(2 * Math.PI * BEEP_HZ * seconds) : 0;
      left[i] = TONE_LEVEL * Math.sin(2 * Math.PI * LEFT_HZ * seconds) + beep;
      right[i] = TONE_LEVEL * Math.sin(2 * Math.PI * RIGHT_HZ * seconds) + beep;
    }
    const timeUs = this.#startUs + this.#blocks * BLOCK_US;
    this.#blocks++;
    for (const sink of this.#sinks) sink.onSound({ timeUs, left, right });
  }

  #playPicture(): void {
    const index = this.#pictures % CLIP_FPS;
    if (index === 0 && this.#clip !== this.#next) {
      this.#clip = this.#next;
      this.#isSwitching = true;
    }
    const timeUs = this.#startUs + Math.round((this.#pictures / CLIP_FPS) * 1e6);
    this.#pictures++;
    const picture = this.#clip?.[index];
    if (picture === undefined) return;
    const switched = this.#isSwitching;
    this.#isSwitching = false;
    for (const sink of this.#sinks) sink.onPicture({ timeUs, decodeTimeUs: timeUs, switched, ...picture });
  }
}
