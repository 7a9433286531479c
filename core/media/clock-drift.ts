/**
 * How fast one clock runs against another, by linear regression over the last half minute: a source's samples against
 * arrival, the speaker's samples against our clock. Facts of A/V sync: 10 to 30 s, at most 0.5 %.
 */

/** The least delayed reading of each stretch of this length counts, so that jitter does not. */
const WINDOW_US = 1_000_000;
const MAX_WINDOWS = 30;
const LEAST_WINDOWS = 10;
/** Windows that lie further than this from the line say that it is no line: a changed path, a stalled device. */
const MAX_RESIDUAL_US = 3_000;
/** Faster than this is no drift. */
const MAX_RATE = 0.005;
/** So many times its own standard error a rate must be, to be told from noise and from a single step; and this much, to matter. */
const LEAST_ERRORS = 10;
const LEAST_RATE = 10e-6;

export class ClockDrift {
  /** Two entries a window: media time, clock minus media time. */
  readonly #windows: number[] = [];
  #endsUs = Number.NEGATIVE_INFINITY;

  /** At `clockUs` the other clock stood at `mediaUs`; both in microseconds from any origin. */
  push(mediaUs: number, clockUs: number): void {
    const windows = this.#windows;
    const lateUs = clockUs - mediaUs;
    if (mediaUs >= this.#endsUs) {
      this.#endsUs = mediaUs + WINDOW_US;
      windows.push(mediaUs, lateUs);
      if (windows.length > 2 * MAX_WINDOWS) windows.splice(0, 2);
    } else if (lateUs < windows.at(-1)!) {
      windows[windows.length - 2] = mediaUs;
      windows[windows.length - 1] = lateUs;
    }
  }

  /** After a gap the earlier readings say nothing. */
  reset(): void {
    this.#windows.length = 0;
    this.#endsUs = Number.NEGATIVE_INFINITY;
  }

  /** Clock microseconds that pass more than media microseconds, per media microsecond; 0 while unknown. */
  get rate(): number {
    const windows = this.#windows;
    // The newest window is not over.
    const count = windows.length / 2 - 1;
    if (count < LEAST_WINDOWS) return 0;
    let meanX = 0;
    let meanY = 0;
    for (let i = 0; i < count; i++) {
      meanX += (windows[2 * i]! - windows[0]!) / count;
      meanY += (windows[2 * i + 1]! - windows[1]!) / count;
    }
    let xx = 0;
    let xy = 0;
    let yy = 0;
    for (let i = 0; i < count; i++) {
      const x = windows[2 * i]! - windows[0]! - meanX;
      const y = windows[2 * i + 1]! - windows[1]! - meanY;
      xx += x * x;
      xy += x * y;
      yy += y * y;
    }
    const rate = xy / xx;
    const residualUs = Math.sqrt(Math.max(0, yy - rate * xy) / count);
    const leastRate = Math.max(LEAST_RATE, (LEAST_ERRORS * residualUs) / Math.sqrt(xx));
    if (residualUs > MAX_RESIDUAL_US || Math.abs(rate) < leastRate) return 0;
    return Math.min(MAX_RATE, Math.max(-MAX_RATE, rate));
  }
}
