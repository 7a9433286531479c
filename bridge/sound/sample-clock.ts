/** From sample numbers at 48 kHz to capture times, exact to the microsecond for as long as blocks follow each other, and through gaps. */
import { SAMPLE_RATE_HZ } from "../programme/programme.ts";

/** A block whose time is this near to where the one before ended goes on from it, so that rounding of times never makes a gap. */
const SAME_US = 2_000;

interface Mark {
  sample: number;
  timeUs: number;
}

export class SampleClock {
  /** By sample; the first is the one in force. Others are of blocks that have not come out yet, so as many at most as wait. */
  readonly #marks: Mark[] = [];

  /** Says when the sample was captured. Samples must not decrease. */
  mark(sample: number, timeUs: number): void {
    const newest = this.#marks.at(-1);
    if (newest !== undefined && Math.abs(at(newest, sample) - timeUs) <= SAME_US) return;
    this.#marks.push({ sample, timeUs });
  }

  /** Capture time of a sample; those asked for must not decrease. Undefined before the first mark. */
  timeOf(sample: number): number | undefined {
    while (this.#marks.length > 1 && this.#marks[1]!.sample <= sample) this.#marks.shift();
    const mark = this.#marks[0];
    return mark === undefined || mark.sample > sample ? undefined : at(mark, sample);
  }
}

function at(mark: Mark, sample: number): number {
  return mark.timeUs + Math.round(((sample - mark.sample) * 1e6) / SAMPLE_RATE_HZ);
}
