/** ICECAST_FUZZ_INPUTS=1000000 runs as many of each; ICECAST_FUZZ_SEED begins elsewhere. */
import { describe, expect, it } from "vitest";
import { hostileBytes } from "../../test/fuzz/mutation.ts";
import { seededRandom } from "../../test/sim/seeded-random.ts";
import { VirtualClock } from "../../test/sim/virtual-clock.ts";
import { memorySocketPair } from "../net/memory-socket.ts";
import { SourceServer } from "./source-server.ts";
import { fuzzChunks, fuzzHeads, HEADS } from "./testing/fuzz.ts";
import { openPlainDecoder } from "./testing/plain-decoder.ts";

const INPUTS = Number(process.env.ICECAST_FUZZ_INPUTS ?? 5_000);
const SEED = Number(process.env.ICECAST_FUZZ_SEED ?? 20_261_128);
const PATIENCE_MS = 30_000 + INPUTS;

describe("hostile bytes", () => {
  it.each([
    ["heads", fuzzHeads],
    ["chunks", fuzzChunks],
  ])(
    "%s",
    (_name, fuzz) => {
      const { accepted, refused } = fuzz(SEED, INPUTS);
      expect(accepted + refused).toBe(INPUTS);
      expect(accepted).toBeGreaterThan(INPUTS / 100);
      expect(refused).toBeGreaterThan(INPUTS / 100);
    },
    PATIENCE_MS,
  );

  it(
    "whole connections: each ends, and the server keeps nothing of it",
    async () => {
      const random = seededRandom(SEED);
      const clock = new VirtualClock();
      let begun = 0;
      let ended = 0;
      const server = new SourceServer({
        clock,
        openDecoder: openPlainDecoder,
        authorise: async ({ mount }) => ({
          granted: true,
          publication: mount,
          open() {
            begun += 1;
            return {
              onSound: () => undefined,
              onTitle: () => undefined,
              onEnd: () => {
                ended += 1;
              },
            };
          },
        }),
        log: () => undefined,
      });
      for (let i = 0; i < Math.ceil(INPUTS / 20); i++) {
        const [near, far] = memorySocketPair([`192.0.2.${i % 250}:1`, "198.51.100.1:8000"], 10_000_000);
        const running = server.accept(far);
        await near.write(hostileBytes(random, HEADS));
        await near.write(hostileBytes(random, HEADS));
        near.finish();
        await clock.advance(3_000);
        await running;
      }
      expect([server.connections, server.sources]).toEqual([0, 0]);
      expect(begun).toBeGreaterThan(0);
      expect(ended).toBe(begun);
    },
    PATIENCE_MS,
  );
});
