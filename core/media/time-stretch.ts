/**
 * Makes a stretch of mono speech or music a few milliseconds shorter or longer without changing its pitch: cuts
 * out, or plays twice, the lag at which the signal is most like itself, and cross-fades (WSOLA).
 */

/** Lags that are tried, samples at 48 kHz: 2.5 to 8 ms. */
const LEAST_LAG = 120;
const LARGEST_LAG = 384;
/** Samples that are compared at each lag; every fourth is enough to find the pitch. */
const COMPARED = 384;
const STEP = 4;
/** Below this likeness a cut would be heard; silence may always be cut. */
const LEAST_LIKENESS = 0.8;
const SILENT_ENERGY = 1e-6 * (COMPARED / STEP);

/** Fewest samples that `shorter` and `longer` take. */
const STRETCH_SAMPLES = COMPARED + LARGEST_LAG;

/** A shorter version, or undefined where no cut would go unnoticed. `samples` has at least STRETCH_SAMPLES. */
export function shorter(samples: Float32Array): Float32Array | undefined {
  const lag = bestLag(samples);
  if (lag === undefined) return undefined;
  const out = new Float32Array(samples.length - lag);
  // Fade from the beginning to what lies one lag later, over one lag; the rest follows as it is.
  for (let i = 0; i < lag; i++) {
    const share = i / lag;
    out[i] = samples[i]! * (1 - share) + samples[i + lag]! * share;
  }
  out.set(samples.subarray(2 * lag), lag);
  return out;
}

/** A longer version, or undefined where no repetition would go unnoticed. `samples` has at least STRETCH_SAMPLES. */
export function longer(samples: Float32Array): Float32Array | undefined {
  const lag = bestLag(samples);
  if (lag === undefined) return undefined;
  const out = new Float32Array(samples.length + lag);
  out.set(samples.subarray(0, lag));
  // Fade back from the second period to the first, then go on with the second.
  for (let i = 0; i < lag; i++) {
    const share = i / lag;
    out[lag + i] = samples[lag + i]! * (1 - share) + samples[i]! * share;
  }
  out.set(samples.subarray(lag), 2 * lag);
  return out;
}

function bestLag(samples: Float32Array): number | undefined {
  if (samples.length < STRETCH_SAMPLES) return undefined;
  let energy = 0;
  for (let i = 0; i < COMPARED; i += STEP) energy += samples[i]! * samples[i]!;
  if (energy < SILENT_ENERGY) return LARGEST_LAG;
  let best = LEAST_LIKENESS;
  let found: number | undefined;
  for (let lag = LEAST_LAG; lag <= LARGEST_LAG; lag += 2) {
    let product = 0;
    let other = 0;
    for (let i = 0; i < COMPARED; i += STEP) {
      product += samples[i]! * samples[i + lag]!;
      other += samples[i + lag]! * samples[i + lag]!;
    }
    const likeness = product / Math.sqrt(energy * other + 1e-12);
    if (likeness > best) {
      best = likeness;
      found = lag;
    }
  }
  return found;
}
