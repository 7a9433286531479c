/** Two calls in one household: each has its part of the uplink, whoever began first. */
import { describe, expect, it } from "vitest";
import { runSharedBottleneck } from "./shared-bottleneck.ts";

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

describe("two publishers behind one bottleneck", () => {
  it.each([
    { rateBps: 1_000_000, queueMs: 400, laterS: 0 },
    { rateBps: 1_000_000, queueMs: 400, laterS: 10 },
    { rateBps: 2_000_000, queueMs: 200, laterS: 10 },
  ])("share it 40 to 60 or better, and keep their sound: %o", async ({ rateBps, queueMs, laterS }) => {
    const { sentBps, soundShare, queuesMs } = await runSharedBottleneck({
      seed: 5,
      fullBps: [1_500_000, 1_500_000],
      startS: [0, laterS],
      rttMs: 40,
      network: { rateBps, queueMs },
      seconds: 75,
    });
    // Each one's seconds count from its own start.
    const [first, second] = [sum(sentBps[0]!.slice(45)), sum(sentBps[1]!.slice(45 - laterS))];
    expect(first / (first + second)).toBeGreaterThan(0.4);
    expect(first / (first + second)).toBeLessThan(0.6);
    expect(first + second).toBeGreaterThan(0.6 * rateBps * 29);
    expect(soundShare).toBeGreaterThan(0.995);
    const waited = queuesMs
      .slice(5)
      .flat()
      .sort((a, b) => a - b);
    expect(waited[Math.floor(waited.length * 0.95)]).toBeLessThan(150);
  });
});
