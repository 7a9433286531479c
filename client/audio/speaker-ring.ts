/**
 * The ring of samples between the pipeline worker and the AudioWorklet: one writer, one reader, no locks. In
 * shared memory where the page is isolated; otherwise the same samples travel as messages.
 */

/** Samples that the ring holds at most, a power of two: 340 ms at 48 kHz. The writer writes no more. */
const RING_SAMPLES = 16_384;
export const SAMPLE_RATE_HZ = 48_000;
/** The worklet reports each time it has played about this many samples. */
export const REPORT_SAMPLES = 256;

const WRITTEN = 0;
const READ = 1;
const COUNTERS = 2;
const HEADER_BYTES = COUNTERS * 4;

/** Worklet -> worker. Positions count samples from the start, modulo 2^32. */
export interface PlayedReport {
  readPosition: number;
  /** Samples of silence played because the ring was empty, since the start. */
  starvedSamples: number;
}

/** Page -> worklet, once. */
export interface WorkletStart {
  port: MessagePort;
  shared: SharedArrayBuffer | undefined;
}

export function newSharedRing(): SharedArrayBuffer {
  return new SharedArrayBuffer(HEADER_BYTES + RING_SAMPLES * 4);
}

/** Both ends of a ring in memory, shared or not. */
export class SampleRing {
  readonly #counters: Int32Array;
  readonly #samples: Float32Array;

  constructor(memory: SharedArrayBuffer | ArrayBuffer) {
    this.#counters = new Int32Array(memory, 0, COUNTERS);
    this.#samples = new Float32Array(memory, HEADER_BYTES, RING_SAMPLES);
  }

  static own(): SampleRing {
    return new SampleRing(new ArrayBuffer(HEADER_BYTES + RING_SAMPLES * 4));
  }

  get readPosition(): number {
    return Atomics.load(this.#counters, READ) >>> 0;
  }

  /** Samples written and not read. */
  get fill(): number {
    return (Atomics.load(this.#counters, WRITTEN) - Atomics.load(this.#counters, READ)) >>> 0;
  }

  /** Writes all of `samples`, or nothing and returns false when they do not fit. */
  write(samples: Float32Array): boolean {
    if (this.fill + samples.length > RING_SAMPLES) return false;
    const written = Atomics.load(this.#counters, WRITTEN);
    const at = written & (RING_SAMPLES - 1);
    const first = Math.min(samples.length, RING_SAMPLES - at);
    this.#samples.set(samples.subarray(0, first), at);
    this.#samples.set(samples.subarray(first), 0);
    Atomics.store(this.#counters, WRITTEN, (written + samples.length) | 0);
    return true;
  }

  /** Fills `out` from its beginning; returns how many samples there were. */
  read(out: Float32Array): number {
    const count = Math.min(out.length, this.fill);
    const read = Atomics.load(this.#counters, READ);
    const at = read & (RING_SAMPLES - 1);
    const first = Math.min(count, RING_SAMPLES - at);
    out.set(this.#samples.subarray(at, at + first));
    out.set(this.#samples.subarray(0, count - first), first);
    Atomics.store(this.#counters, READ, (read + count) | 0);
    return count;
  }
}
