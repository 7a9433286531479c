/**
 * Makes mono sound a few milliseconds shorter or longer without changing its pitch, and joins two pieces of it where
 * they fit best (WSOLA): looks for the lag at which the signal is most like itself within a window of 30 ms, cuts that
 * much out or plays it twice, and cross-fades.
 */

/** Lags that are tried, samples at 48 kHz: 2.5 to 15 ms. */
const LEAST_LAG = 120;
const LARGEST_LAG = 720;
/** Samples that are compared at each lag (10 ms); every fourth is enough to find the pitch. */
const COMPARED = 480;
const STEP = 4;
const LAG_STEP = 2;
/** Longest cross-fade of a join, 5 ms. */
const JOIN_SAMPLES = 240;

/** Samples of the past that `longer` looks back to. */
export const HISTORY_SAMPLES = LARGEST_LAG;
/** With so many it finds every pitch. */
export const WHOLE_WINDOW = LARGEST_LAG + COMPARED;

export interface StretchLimits {
  /** Most samples to cut out or put in. */
  most: number;
  /** Correlation below which a change would be heard, 0..1. */
  leastLikeness: number;
  /** Mean square below which the sound is background and may be changed anyhow. */
  quietPower: number;
}

/** A shorter version, or undefined where no cut would go unnoticed. It begins and ends as `samples` does. */
export function shorter(samples: Float32Array, limits: StretchLimits): Float32Array | undefined {
  const most = Math.min(LARGEST_LAG, limits.most, samples.length - COMPARED);
  const lag = bestLag(samples, 0, 1, most, limits);
  if (lag === undefined) return undefined;
  const out = samples.slice(lag);
  const fade = Math.min(lag, COMPARED);
  for (let i = 0; i < fade; i++) {
    const share = i / fade;
    out[i] = samples[i]! * (1 - share) + samples[i + lag]! * share;
  }
  return out;
}

/**
 * A longer version that follows on `history` (HISTORY_SAMPLES played before; zeros at the start), or undefined where no
 * repetition would go unnoticed.
 */
export function longer(
  history: Float32Array,
  samples: Float32Array,
  limits: StretchLimits,
): Float32Array | undefined {
  if (samples.length < COMPARED) return undefined;
  const both = new Float32Array(history.length + samples.length);
  both.set(history);
  both.set(samples, history.length);
  const lag = bestLag(both, history.length, -1, Math.min(history.length, limits.most), limits);
  if (lag === undefined) return undefined;
  // One lag back in time, faded into from where the sound would have gone on.
  const out = both.slice(history.length - lag);
  const fade = Math.min(lag, COMPARED);
  for (let i = 0; i < fade; i++) {
    const share = i / fade;
    out[i] = samples[i]! * (1 - share) + out[i]! * share;
  }
  return out;
}

/**
 * `samples` behind `ongoing`, what would have followed if they had not come: leaves out up to `most` samples at the
 * beginning, so many that the two fit best, and cross-fades.
 */
export function join(ongoing: Float32Array, samples: Float32Array, most: number): Float32Array {
  const length = Math.min(JOIN_SAMPLES, ongoing.length, samples.length);
  let best = Number.NEGATIVE_INFINITY;
  let cut = 0;
  for (let at = 0; at <= Math.min(most, samples.length - length); at += LAG_STEP) {
    const likeness = likenessOf(ongoing, 0, samples, at, length);
    if (likeness > best) {
      best = likeness;
      cut = at;
    }
  }
  const out = samples.slice(cut);
  for (let i = 0; i < length; i++) {
    const share = i / length;
    out[i] = ongoing[i]! * (1 - share) + out[i]! * share;
  }
  return out;
}

/** Lag at which what begins at `at` is most like what lies the lag later (direction 1) or earlier (-1). */
function bestLag(
  signal: Float32Array,
  at: number,
  direction: 1 | -1,
  most: number,
  limits: StretchLimits,
): number | undefined {
  if (most < LEAST_LAG) return undefined;
  let power = 0;
  for (let i = 0; i < COMPARED; i += STEP) power += signal[at + i]! * signal[at + i]!;
  // Background is cut wherever it fits best, speech only where it repeats itself.
  let best = (power * STEP) / COMPARED < limits.quietPower ? -1 : limits.leastLikeness;
  let found: number | undefined;
  for (let lag = LEAST_LAG; lag <= most; lag += LAG_STEP) {
    const likeness = likenessOf(signal, at, signal, at + direction * lag, COMPARED);
    if (likeness > best) {
      best = likeness;
      found = lag;
    }
  }
  return found;
}

/** Normalised correlation of two stretches, -1..1. */
function likenessOf(a: Float32Array, atA: number, b: Float32Array, atB: number, length: number): number {
  let product = 0;
  let powerA = 1e-12;
  let powerB = 1e-12;
  for (let i = 0; i < length; i += STEP) {
    const x = a[atA + i]!;
    const y = b[atB + i]!;
    product += x * y;
    powerA += x * x;
    powerB += y * y;
  }
  return product / Math.sqrt(powerA * powerB);
}
