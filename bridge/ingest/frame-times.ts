/** Tells when decoded samples were captured: frames go in with a time, samples come out in the same order some time later. */

/** Frames that wait to come out of a decoder; at more the oldest is forgotten, and times are told from the next one. */
const MAX_ANCHORS = 1_000;
/** Times that fit the ones before by so much are jitter of the sender's stamps. */
const JITTER_US = 5_000;

interface Anchor {
  /** Samples before it. */
  at: number;
  timeUs: number;
}

export class FrameTimes {
  readonly #rateHz: number;
  readonly #anchors: Anchor[] = [];
  #pushed = 0;

  /** Rate of what comes out. */
  constructor(rateHz: number) {
    this.#rateHz = rateHz;
  }

  /** A frame goes in whose first sample is captured at `timeUs` and that comes out as `samples`. */
  push(timeUs: number, samples: number): void {
    const last = this.#anchors.at(-1);
    const expectedUs = last === undefined ? undefined : this.#from(last, this.#pushed);
    if (expectedUs === undefined || Math.abs(timeUs - expectedUs) > JITTER_US)
      this.#anchors.push({ at: this.#pushed, timeUs });
    this.#pushed += samples;
    if (this.#anchors.length > MAX_ANCHORS) this.#anchors.shift();
  }

  /** When sample number `at` of what comes out was captured; asked in rising order. */
  timeOf(at: number): number | undefined {
    while (this.#anchors.length > 1 && this.#anchors[1]!.at <= at) this.#anchors.shift();
    const [anchor] = this.#anchors;
    return anchor === undefined ? undefined : this.#from(anchor, at);
  }

  #from({ at, timeUs }: Anchor, sample: number): number {
    return timeUs + ((sample - at) / this.#rateHz) * 1e6;
  }
}
