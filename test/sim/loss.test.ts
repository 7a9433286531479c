/** Hop recovery against lossy networks: the rows of `bench -- loss`, shorter, over several seeds. LOSS_SEEDS=20 runs more. */
import { describe, expect, it } from "vitest";
import { LossyHops, type LossyResult, type LossyRun } from "./lossy-hops.ts";

const SEEDS = Array.from({ length: Number(process.env.LOSS_SEEDS ?? 2) }, (_, i) => i + 1);

async function run(options: Partial<LossyRun>): Promise<LossyResult> {
  let sum: LossyResult | undefined;
  for (const seed of SEEDS) {
    const result = await new LossyHops({
      seed,
      seconds: 40,
      warmUpSeconds: 5,
      hops: 1,
      rttMs: 80,
      budgetMs: 200,
      datagramsPerSecond: 250,
      picturesPerSecond: 250,
      network: {},
      steps: [],
      ...options,
    }).run();
    expect(result.wrong, `seed ${seed}: datagrams twice or changed`).toBe(0);
    expect(result.feedback, `seed ${seed}: feedback`).toBeLessThan(0.05);
    sum ??= { ...result, residual: 0, overhead: 0 };
    sum.residual += result.residual / SEEDS.length;
    sum.overhead += result.overhead / SEEDS.length;
  }
  return sum!;
}

describe("what is lost on a hop comes in time", () => {
  it.each([
    ["1 % random", 0.01, 0, 0.0008, 0.03],
    ["5 % random", 0.05, 0, 0.001, 0.12],
    ["10 % random", 0.1, 0, 0.0015, 0.22],
    ["20 % random", 0.2, 0, 0.004, 0.46],
    ["10 % in bursts of 16 ms", 0.1, 16, 0.012, 0.32],
  ])("%s", async (_, loss, lossBurstMs, residual, overhead) => {
    const result = await run({ network: { loss, lossBurstMs } });
    expect(result.residual).toBeLessThanOrEqual(residual);
    expect(result.overhead).toBeLessThanOrEqual(overhead);
  });

  it("over two hops, the relay between them restoring", async () => {
    const result = await run({ hops: 2, rttMs: 40, network: { loss: 0.05 } });
    expect(result.residual).toBeLessThanOrEqual(0.001);
    expect(result.overhead).toBeLessThanOrEqual(0.12);
  });

  it("with jitter that reorders", async () => {
    const result = await run({ network: { loss: 0.05, jitterMs: 20 } });
    expect(result.residual).toBeLessThanOrEqual(0.003);
    expect(result.overhead).toBeLessThanOrEqual(0.25);
  });

  it("in pictures that are sent at once", async () => {
    const result = await run({ picturesPerSecond: 30, network: { loss: 0.1 } });
    expect(result.residual).toBeLessThanOrEqual(0.002);
    expect(result.unitsComplete).toBeGreaterThan(0.99 * result.unitsSent - 10);
  });
});

it("without loss, nothing is spent", async () => {
  const result = await run({ seconds: 10 });
  expect(result.residual).toBe(0);
  expect(result.overhead).toBe(0);
});

it("after loss has ended, nothing is spent 5 s later", async () => {
  const steps = [{ atSeconds: -5, network: { loss: 0 } }];
  const result = await run({ seconds: 10, warmUpSeconds: 15, network: { loss: 0.1 }, steps });
  expect(result.residual).toBe(0);
  expect(result.overhead).toBeLessThan(0.02);
});
