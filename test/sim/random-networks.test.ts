/** Twenty random networks; `npm run bench -- seeds` runs a thousand. */
import { expect, it } from "vitest";
import { runSeed } from "./random-networks.ts";

it.each(Array.from({ length: 20 }, (_, i) => i + 1))("random network of seed %i", async (seed) => {
  const { faults, datagrams } = await runSeed(seed);
  expect(datagrams).toBeGreaterThan(100);
  expect(faults).toEqual([]);
});
