/** What is in a sound: the strength of a tone (Goertzel), and when short beeps begin. */

/** Amplitude of a sine of `hz` in the samples, 0..1. */
export function toneLevel(samples: Float32Array, hz: number, rateHz: number): number {
  const turn = 2 * Math.cos((2 * Math.PI * hz) / rateHz);
  let last = 0;
  let before = 0;
  for (const sample of samples) {
    const now = sample + turn * last - before;
    before = last;
    last = now;
  }
  const power = last * last + before * before - turn * last * before;
  return (2 * Math.sqrt(Math.max(0, power))) / samples.length;
}

/** Times, in seconds since the first sample, at which a tone of `hz` passes half of `level`, found in steps of a millisecond. */
export function beepStarts(samples: Float32Array, hz: number, rateHz: number, level: number): number[] {
  const step = rateHz / 1000;
  // A window as long as some periods; it is half full of beep where the beep begins in its middle.
  const window = Math.round(rateHz / 100);
  const starts: number[] = [];
  let wasOn = true;
  for (let at = 0; at + window <= samples.length; at += step) {
    const isOn = toneLevel(samples.subarray(at, at + window), hz, rateHz) > level / 2;
    if (isOn && !wasOn) starts.push((at + window / 2) / rateHz);
    wasOn = isOn;
  }
  return starts;
}
