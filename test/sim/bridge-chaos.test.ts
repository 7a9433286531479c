/** More seeds: BRIDGE_CHAOS_SEEDS=200 npx vitest run test/sim/bridge-chaos.test.ts */
import process from "node:process";
import { describe, expect, test } from "vitest";
import { bridgeChaos } from "./bridge-chaos.ts";
import { TTL_MS } from "./bridge-cluster.ts";

const seeds = Number(process.env.BRIDGE_CHAOS_SEEDS ?? 8);

describe("three bridges, fifty jobs, and everything that goes wrong", () => {
  test.each(Array.from({ length: seeds }, (_, index) => index + 1))(
    "seed %i: no job runs twice for longer than the lease, and in the end each runs once",
    async (seed) => {
      const { overlapMs, wanted, running, happened } = await bridgeChaos({
        seed,
        bridges: 3,
        jobs: 50,
        steps: 120,
      });
      const said = `seed ${seed}: ${JSON.stringify(happened)}`;
      expect(Object.keys(happened).length, said).toBeGreaterThanOrEqual(6);
      expect(overlapMs, said).toBeLessThanOrEqual(TTL_MS);
      expect(running, said).toEqual(wanted);
    },
  );
});
