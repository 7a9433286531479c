/**
 * Mixes all remote sounds into the speaker ring, driven by the worklet's reports: keeps as little in the ring
 * as this device gets by with.
 */
import { type PlayedReport, SAMPLE_RATE_HZ, SampleRing } from "../audio/speaker-ring.ts";
import type { AudioReceiver } from "./audio-receiver.ts";
import { workerClock } from "./worker-clock.ts";

const BLOCK_SAMPLES = 240;
/** Samples kept in the ring: between these, up when the worklet starved, down when there always was some to spare. */
const LEAST_FILL = 384;
const FIRST_FILL = 720;
const LARGEST_FILL = 3_840;
const FILL_STEP = 240;
/** How much should be left in the ring at its emptiest. */
const SPARE_SAMPLES = 192;
/** The emptiest moment is looked for over this many reports: about 2 s. */
const WATCHED_REPORTS = 375;
/** The worklet's clock against ours: reports arrive late by chance, so new ones count little. */
const SMOOTHING = 1 / 32;
const JUMP_US = 30_000;

export class Mixer {
  readonly #receivers = new Set<AudioReceiver>();
  readonly #block = new Float32Array(BLOCK_SAMPLES);
  readonly #joinCalledUs: number;
  #port: MessagePort | undefined;
  #ring: SampleRing | undefined;
  #shared = false;
  #targetFill = FIRST_FILL;
  #written = 0;
  #starved = 0;
  #lowest = LARGEST_FILL;
  #watched = 0;
  #outputLatencyUs = 0;
  /** Local time of the worklet's position 0, smoothed. */
  #originUs: number | undefined;
  /** Samples that starving added between ring position and time. */
  starvedSamples = 0;

  constructor(joinCalledUs: number) {
    this.#joinCalledUs = joinCalledUs;
  }

  /** From the worklet to the ear. */
  set outputLatencyUs(value: number) {
    this.#outputLatencyUs = value;
  }

  get fillMs(): number {
    return (this.#targetFill / SAMPLE_RATE_HZ) * 1000;
  }

  connect(port: MessagePort, shared: SharedArrayBuffer | undefined): void {
    this.#port = port;
    this.#shared = shared !== undefined;
    if (shared !== undefined) this.#ring = new SampleRing(shared);
    port.onmessage = (event: MessageEvent<PlayedReport>) => this.#onReport(event.data);
  }

  add(receiver: AudioReceiver): void {
    this.#receivers.add(receiver);
  }

  remove(receiver: AudioReceiver): void {
    this.#receivers.delete(receiver);
  }

  #onReport(report: PlayedReport): void {
    const nowUs = workerClock.nowUs();
    const readPosition = this.#ring?.readPosition ?? report.readPosition;
    this.#adapt(report.starvedSamples, (this.#written - readPosition) | 0);
    this.#learnTime(report, nowUs);
    this.#fill(readPosition, nowUs);
  }

  #adapt(starvedSamples: number, fill: number): void {
    const starved = starvedSamples > this.#starved;
    // Before the first block there was nothing to play.
    if (starved && this.#written > 0) {
      this.starvedSamples += starvedSamples - this.#starved;
      // Once per watch: a single hole empties the ring for several reports.
      if (this.#lowest > 0) this.#targetFill = Math.min(LARGEST_FILL, this.#targetFill + FILL_STEP);
    }
    this.#starved = starvedSamples;
    this.#lowest = starved ? 0 : Math.min(this.#lowest, fill);
    if (++this.#watched < WATCHED_REPORTS) return;
    const toSpare = this.#lowest - SPARE_SAMPLES;
    if (toSpare > 0) this.#targetFill = Math.max(LEAST_FILL, this.#targetFill - Math.ceil(toSpare / 2));
    this.#watched = 0;
    this.#lowest = LARGEST_FILL;
  }

  #learnTime(report: PlayedReport, nowUs: number): void {
    const playedUs = ((report.readPosition + report.starvedSamples) / SAMPLE_RATE_HZ) * 1e6;
    const originUs = nowUs - playedUs;
    const previous = this.#originUs;
    this.#originUs =
      previous === undefined || Math.abs(originUs - previous) > JUMP_US
        ? originUs
        : previous + (originUs - previous) * SMOOTHING;
    const heardUs = this.#originUs + playedUs + this.#outputLatencyUs;
    for (const receiver of this.#receivers) {
      receiver.played(report.readPosition, heardUs, this.#joinCalledUs);
    }
  }

  #fill(readPosition: number, nowUs: number): void {
    while (((this.#written - readPosition) | 0) < this.#targetFill) {
      this.#block.fill(0);
      for (const receiver of this.#receivers) receiver.mixInto(this.#block, this.#written >>> 0, nowUs);
      for (let i = 0; i < BLOCK_SAMPLES; i++) {
        this.#block[i] = Math.min(1, Math.max(-1, this.#block[i]!));
      }
      if (this.#shared) this.#ring?.write(this.#block);
      else this.#port?.postMessage(this.#block);
      this.#written = (this.#written + BLOCK_SAMPLES) >>> 0;
    }
  }
}
