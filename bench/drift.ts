/**
 * `npm run bench -- drift`: a microphone whose clock is wrong, in a bridge's mix, for a simulated day. How far its sound gets from where
 * it was captured, which is where pictures are, and how much of it is made up.
 *
 * The microphone's frames hold the time at which each sample was recorded, so the mix tells its own offset.
 */
import { BLOCK_SAMPLES, BLOCK_US } from "../bridge/programme/programme.ts";
import { SoundSource } from "../bridge/programme/sound-source.ts";
import type { SoundDecoder } from "../core/media/audio-playout.ts";
import { seededRandom } from "../test/sim/seeded-random.ts";
import { readOptions, reportRow } from "./report.ts";

const options = readOptions({
  hours: { default: 24, min: 0.1, max: 1_000, about: "simulated time of each row" },
  ppm: {
    default: 0,
    min: -1_000,
    max: 1_000,
    about: "how fast the microphone's clock is; 0 = 100, -100 and 300",
  },
  jitter: { default: 4, min: 0, max: 50, about: "spread of capture times, ms" },
  seed: { default: 1, min: 0, max: 0xffffffff, whole: true, about: "of the spread" },
});
/** Opus delays its input by this much; a unit says the time of what goes into it. */
const OPUS_DELAY_US = 6_500;
const PERIOD_US = 1_000_000;
const FRAMES_AHEAD = 25;

/** Samples are shares of a second: when they were recorded. */
function timeDecoder(stepUs: number): SoundDecoder {
  const samples = new Float32Array(2 * BLOCK_SAMPLES);
  return {
    decode(bytes) {
      const startUs = new Float64Array(bytes.buffer, bytes.byteOffset, 1)[0]!;
      for (let i = 0; i < BLOCK_SAMPLES; i++)
        samples[2 * i] = ((startUs + i * stepUs) % PERIOD_US) / PERIOD_US;
      return samples;
    },
    conceal: (count) => new Float32Array(2 * count),
    decodeFec: (_bytes, count) => new Float32Array(2 * count),
  };
}

function run(ppm: number): void {
  const random = seededRandom(options.seed);
  const frameUs = BLOCK_US * (1 + ppm / 1e6);
  const source = new SoundSource(timeDecoder(frameUs / BLOCK_SAMPLES), BLOCK_US);
  const left = new Float32Array(BLOCK_SAMPLES);
  const right = new Float32Array(BLOCK_SAMPLES);
  const blocks = Math.round((options.hours * 3_600e6) / BLOCK_US);
  let frame = 0;
  let worstUs = 0;
  for (let n = 0; n < blocks; n++) {
    const timeUs = n * BLOCK_US;
    for (; frame * frameUs < timeUs + FRAMES_AHEAD * BLOCK_US; frame++) {
      const recordedUs = frame * frameUs;
      source.push({
        frameId: frame >>> 0,
        captureTimeUs: recordedUs + OPUS_DELAY_US + (random() - 0.5) * options.jitter * 1_000,
        keyframe: true,
        discardable: false,
        temporalLayer: 0,
        reference: 0,
        rendition: 0,
        audioLevel: 30,
        voice: true,
        encrypted: false,
        bytes: new Uint8Array(new Float64Array([recordedUs]).buffer),
      });
    }
    left.fill(0);
    source.mixInto(timeUs, left, right, 1);
    const middle = BLOCK_SAMPLES / 2;
    // Where a second begins, interpolation goes through the jump.
    if (Math.abs(left[middle]! - left[middle - 2]!) > 0.01) continue;
    const behindUs = timeUs + BLOCK_US / 2 - left[middle]! * PERIOD_US;
    worstUs = Math.max(worstUs, Math.abs(behindUs - PERIOD_US * Math.round(behindUs / PERIOD_US)));
  }
  reportRow({
    bench: "drift",
    row: { ppm, hours: options.hours, jitterMs: options.jitter },
    figures: {
      worstOffsetMs: worstUs / 1_000,
      concealedFrames: source.concealedFrames,
      dropped: source.dropped.late + source.dropped.overflow,
    },
    target: { worstOffsetMs: "<= 10", concealedFrames: "<= 0", dropped: "<= 0" },
  });
}

for (const ppm of options.ppm === 0 ? [100, -100, 300] : [options.ppm]) run(ppm);
