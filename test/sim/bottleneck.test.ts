/** The publisher keeps to what its road carries, and takes loss by chance for what it is. */
import { describe, expect, it } from "vitest";
import { type BottleneckSecond, runBottleneck } from "./bottleneck.ts";

const FULL_BPS = 1_000_000;
const LIFTED_S = 25;

function worst(seconds: readonly BottleneckSecond[], read: (second: BottleneckSecond) => number): number {
  return Math.max(...seconds.map(read));
}

describe("a publisher behind a bottleneck", () => {
  it.each([500_000, 1_000_000])(
    "of %d bits a second keeps below it, and goes on when it is gone",
    async (rateBps) => {
      const seconds = await runBottleneck({
        seed: 3,
        rttMs: 40,
        fullBps: FULL_BPS,
        network: { rateBps, queueMs: 400 },
        steps: [{ atSeconds: LIFTED_S, network: { rateBps: 0 } }],
        seconds: LIFTED_S + 16,
      });
      const settled = seconds.slice(5, LIFTED_S);
      expect(worst(settled, ({ videoBps }) => videoBps)).toBeLessThan(rateBps);
      const queuesMs = settled.flatMap((second) => second.queuesMs).sort((a, b) => a - b);
      expect(queuesMs[Math.floor(queuesMs.length * 0.95)]).toBeLessThan(150);
      for (const { soundArrived, soundSent } of settled) expect(soundArrived).toBe(soundSent);
      expect(seconds.at(-1)!.videoBps).toBe(FULL_BPS);
    },
  );
});

describe("a publisher whose datagrams are lost by chance", () => {
  it.each([{ loss: 0.1 }, { loss: 0.1, lossBurstMs: 60 }, { loss: 0.2, jitterMs: 20 }, { jitterMs: 60 }])(
    "keeps its rate: %o",
    async (network) => {
      const seconds = await runBottleneck({
        seed: 4,
        rttMs: 40,
        fullBps: FULL_BPS,
        network,
        steps: [],
        seconds: 25,
      });
      const full = seconds.slice(8).filter(({ videoBps }) => videoBps === FULL_BPS).length;
      expect(full / (seconds.length - 8)).toBeGreaterThan(0.7);
    },
  );
});
