/** Where a microphone's samples land on the timeline: with drifting clocks, lost and late units, pauses. */
import { expect, it } from "vitest";
import type { AccessUnit } from "../../core/delivery/access-unit.ts";
import type { SoundDecoder } from "../../core/media/audio-playout.ts";
import { seededRandom } from "../../test/sim/seeded-random.ts";
import { BLOCK_SAMPLES, BLOCK_US } from "./programme.ts";
import { SoundSource } from "./sound-source.ts";

const OPUS_DELAY_US = 6_500;
const PERIOD_US = 1_000_000;

/** Bytes hold a time; samples say the microsecond (of a second) at which they were captured, as a share of a second. Silence is 0. */
const timeDecoder = (stepUs: number): SoundDecoder & { concealed: number } => ({
  concealed: 0,
  decode(bytes) {
    const startUs = Number(new TextDecoder().decode(bytes));
    const samples = new Float32Array(2 * BLOCK_SAMPLES);
    for (let i = 0; i < BLOCK_SAMPLES; i++) {
      samples[2 * i] = ((startUs + i * stepUs) % PERIOD_US) / PERIOD_US;
      samples[2 * i + 1] = 0.25;
    }
    return samples;
  },
  conceal(count) {
    this.concealed++;
    return new Float32Array(2 * count).fill(-1);
  },
  decodeFec: () => expect.unreachable(),
});

function unit(frameId: number, captureTimeUs: number, trueUs = captureTimeUs): AccessUnit {
  return {
    frameId,
    captureTimeUs: captureTimeUs + OPUS_DELAY_US,
    keyframe: true,
    discardable: false,
    temporalLayer: 0,
    reference: 0,
    rendition: 0,
    audioLevel: 30,
    voice: true,
    encrypted: false,
    bytes: new TextEncoder().encode(String(trueUs)),
  };
}

function block(source: SoundSource, timeUs: number): { left: Float32Array; right: Float32Array } {
  const left = new Float32Array(BLOCK_SAMPLES);
  const right = new Float32Array(BLOCK_SAMPLES);
  source.mixInto(timeUs, left, right, 1);
  return { left, right };
}

it("lays samples where they were captured, to the sample, when clocks agree", () => {
  const decoder = timeDecoder(1e6 / 48_000);
  const source = new SoundSource(decoder, BLOCK_US);
  for (let i = 0; i < 20; i++) source.push(unit(i, 7_000 + i * BLOCK_US));
  const first = block(source, 0).left;
  expect([...first.slice(0, 336)].every((sample) => sample === 0)).toBe(true);
  expect(first[336]! * PERIOD_US).toBeCloseTo(7_000, -1);
  for (let i = 1; i < 19; i++)
    expect(block(source, i * BLOCK_US).left[0]! * PERIOD_US).toBeCloseTo(i * BLOCK_US, -2);
});

for (const ppm of [300, -100]) {
  it(`follows a microphone that is ${ppm} ppm off within 4 ms for ten minutes`, () => {
    const random = seededRandom(ppm + 1_000);
    const frameUs = BLOCK_US * (1 + ppm / 1e6);
    const source = new SoundSource(timeDecoder(frameUs / BLOCK_SAMPLES), BLOCK_US);
    let pushed = 0;
    let worstUs = 0;
    for (let n = 0; n < 50 * 600; n++) {
      const timeUs = n * BLOCK_US;
      while (pushed * frameUs < timeUs + 500_000) {
        const trueUs = pushed * frameUs;
        source.push(unit(pushed++, trueUs + (random() - 0.5) * 4_000, trueUs));
      }
      const { left, right } = block(source, timeUs);
      expect(right[480]).toBeCloseTo(0.25, 5);
      const behindUs = timeUs + 10_000 - left[480]! * PERIOD_US;
      const wrapped = ((((behindUs + PERIOD_US / 2) % PERIOD_US) + PERIOD_US) % PERIOD_US) - PERIOD_US / 2;
      // Where the second wraps around, the interpolation goes through the jump.
      if (Math.abs(left[480]! - left[478]!) < 0.01) worstUs = Math.max(worstUs, Math.abs(wrapped));
    }
    expect(worstUs).toBeLessThan(4_000);
    expect(source.concealedFrames).toBe(0);
  });
}

it("conceals a lost unit, counts a late one, and goes on in place", () => {
  const decoder = timeDecoder(1e6 / 48_000);
  const source = new SoundSource(decoder, BLOCK_US);
  for (const i of [0, 1, 3, 4, 5]) source.push(unit(i, i * BLOCK_US));
  for (let i = 0; i < 4; i++) block(source, i * BLOCK_US);
  source.push(unit(2, 2 * BLOCK_US));
  expect(source.dropped.late).toBe(1);
  expect(source.concealedFrames).toBe(1);
  expect(block(source, 4 * BLOCK_US).left[0]! * PERIOD_US).toBeCloseTo(4 * BLOCK_US, -2);
});

it("is silent through a pause and starts again at the right place", () => {
  const source = new SoundSource(timeDecoder(1e6 / 48_000), BLOCK_US);
  for (let i = 0; i < 5; i++) source.push(unit(i, i * BLOCK_US));
  for (let i = 0; i < 5; i++) source.push(unit(5 + i, 500_000 + i * BLOCK_US));
  const heard: number[] = [];
  for (let n = 0; n < 30; n++) if (block(source, n * BLOCK_US).right[900]! === 0.25) heard.push(n);
  expect(heard).toEqual([0, 1, 2, 3, 4, 25, 26, 27, 28, 29]);
});

it("bounds what waits, and takes bytes that are no frame", () => {
  const decoder = timeDecoder(1e6 / 48_000);
  const source = new SoundSource(
    {
      ...decoder,
      decode: () => {
        throw new Error("no frame");
      },
    },
    BLOCK_US,
  );
  for (let i = 0; i < 500; i++) source.push(unit(i, i * BLOCK_US));
  expect(source.dropped.overflow).toBe(400);
  for (let n = 398; n < 410; n++) block(source, n * BLOCK_US);
  expect(source.dropped.undecodable).toBeGreaterThan(5);
});
