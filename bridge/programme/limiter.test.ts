/** Nothing leaves above the ceiling, and quiet sound is left alone. */
import { expect, it } from "vitest";
import { seededRandom } from "../../test/sim/seeded-random.ts";
import { Limiter } from "./limiter.ts";
import { BLOCK_SAMPLES } from "./programme.ts";

it("never lets a sample through above 0.95, whatever comes", () => {
  const random = seededRandom(4);
  const limiter = new Limiter();
  let loudest = 0;
  for (let n = 0; n < 2_000; n++) {
    const level = random() < 0.3 ? 20 * random() : random();
    const left = Float32Array.from({ length: BLOCK_SAMPLES }, () => level * (2 * random() - 1));
    const right = Float32Array.from({ length: BLOCK_SAMPLES }, () => level * (2 * random() - 1));
    limiter.push(left, right);
    for (const sample of [...left, ...right]) loudest = Math.max(loudest, Math.abs(sample));
  }
  expect(loudest).toBeLessThanOrEqual(0.95);
  expect(loudest).toBeGreaterThan(0.8);
});

it("gives quiet sound back as it was, a block later", () => {
  const limiter = new Limiter();
  const samples = Float32Array.from({ length: BLOCK_SAMPLES }, (_, i) => 0.5 * Math.sin(i / 7));
  limiter.push(samples.slice(), samples.slice());
  const next = new Float32Array(BLOCK_SAMPLES);
  limiter.push(next, new Float32Array(BLOCK_SAMPLES));
  expect([...next]).toEqual([...samples]);
});
