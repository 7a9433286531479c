/** Twenty random networks, and those that found something; `npm run bench -- seeds` runs a thousand. */
import { expect, it } from "vitest";
import { runSeed } from "./random-networks.ts";

/** 106: NACKs of a tenth of the media. The others: an old keyframe decoded behind a later one. */
const FOUND = [106, 154, 359, 677, 846, 884];

it.each([...Array.from({ length: 20 }, (_, i) => i + 1), ...FOUND])(
  "random network of seed %i",
  async (seed) => {
    const { faults, datagrams } = await runSeed(seed);
    expect(datagrams).toBeGreaterThan(100);
    expect(faults).toEqual([]);
  },
);
