import { expect, test } from "vitest";
import { RoundTrip } from "./round-trip.ts";

function after(...samplesMs: number[]): number | undefined {
  const roundTrip = new RoundTrip();
  for (const ms of samplesMs) roundTrip.push(ms * 1000);
  return roundTrip.ms;
}

test("nothing is known before the first sample", () => {
  expect(new RoundTrip().ms).toBeUndefined();
  expect(new RoundTrip().minMs).toBeUndefined();
});

test("one bad sample, even the first, is forgotten with the second", () => {
  expect(after(217)).toBe(217);
  expect(after(217, 82)).toBe(82);
  expect(after(82, 83, 84, 400, 85)).toBe(84);
});

test("a longer path counts once most of the last nine samples are of it", () => {
  const roundTrip = new RoundTrip();
  for (let i = 0; i < 20; i++) roundTrip.push(40_000);
  for (let i = 0; i < 4; i++) roundTrip.push(120_000);
  expect(roundTrip.ms).toBe(40);
  roundTrip.push(120_000);
  expect(roundTrip.ms).toBe(120);
  expect(roundTrip.minMs).toBe(40);
});
