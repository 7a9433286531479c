import { describe, expect, it } from "vitest";
import {
  type Answer,
  aimedDelayMs,
  graceMs,
  type HopConditions,
  nackCopies,
  planAnswer,
  proactiveCount,
  roundsWithin,
  roundWaitMs,
} from "./protection-policy.ts";

const HOP: HopConditions = { loss: 0.1, burstMs: 0, rttMs: 80, reorderMs: 0 };

function answer(needed: number, windowMs: number, hop: HopConditions): Answer {
  const into: Answer = { symbols: 0, parts: 0, gapMs: 0 };
  planAnswer(needed, windowMs, "normal", hop, into);
  return into;
}

describe("rounds", () => {
  it("are as many as fit", () => {
    expect([10, 85, 90, 175, 10_000].map((leftMs) => roundsWithin(leftMs, HOP))).toEqual([0, 0, 1, 2, 4]);
  });
  it("take longer where datagrams are reordered", () => {
    expect(roundsWithin(90, { ...HOP, reorderMs: 10 })).toBe(0);
  });
});

describe("the aim", () => {
  it("leaves a picture time for one round at least, and for another that is late", () => {
    for (const rttMs of [5, 80, 300]) {
      const hop = { ...HOP, rttMs };
      expect(roundsWithin(aimedDelayMs(0, true, hop), hop)).toBeGreaterThanOrEqual(1);
      expect(roundsWithin(graceMs(true, hop), hop)).toBeGreaterThanOrEqual(1);
    }
  });
  it("is the playout where that is later, and for sound", () => {
    expect(aimedDelayMs(1_000, true, HOP)).toBe(1_000);
    expect(aimedDelayMs(60, false, HOP)).toBe(60);
    expect(graceMs(false, HOP)).toBe(0);
  });
});

describe("an answer", () => {
  it("is never less than what is needed", () => {
    for (const loss of [0, 0.001, 0.05, 0.2, 0.9]) {
      for (const burstMs of [0, 5, 100]) {
        for (const needed of [1, 2, 24, 25, 64]) {
          for (const windowMs of [0, 20, 200]) {
            const { symbols, parts, gapMs } = answer(needed, windowMs, { ...HOP, loss, burstMs });
            expect(symbols).toBeGreaterThanOrEqual(needed);
            expect((parts - 1) * gapMs).toBeLessThanOrEqual(Math.max(0, windowMs));
          }
        }
      }
    }
  });
  it("has more to spare when it is the last one, and when more is lost", () => {
    expect(answer(2, 200, HOP).symbols).toBeLessThan(answer(2, 20, HOP).symbols);
    expect(answer(2, 20, { ...HOP, loss: 0.01 }).symbols).toBeLessThan(answer(2, 20, HOP).symbols);
  });
  it("is spread where losses last", () => {
    expect(answer(3, 60, { ...HOP, burstMs: 15 }).parts).toBeGreaterThan(1);
    expect(answer(3, 60, HOP).parts).toBe(1);
  });
});

describe("repair unasked", () => {
  it("is none without loss, and where bursts can be answered", () => {
    expect(proactiveCount(16, 1, "normal", { ...HOP, loss: 0 })).toBe(0);
    expect(proactiveCount(16, 1, "normal", { ...HOP, burstMs: 20 })).toBe(0);
  });
  it("is the more the less rounds there are, at most half of the block", () => {
    const counts = [4, 2, 1, 0].map((rounds) => proactiveCount(16, rounds, "normal", HOP));
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
    expect(counts[3]).toBeGreaterThan(counts[0]!);
    expect(proactiveCount(64, 0, "key", { ...HOP, loss: 0.35 })).toBe(32);
  });
  it("is more where a picture would wait for a round that nobody waits for otherwise", () => {
    const counts = [0, 24, 84, 204].map((waitMs) => proactiveCount(4, 1, "normal", HOP, waitMs));
    expect(counts[0]).toBe(0);
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
    expect(new Set(counts).size).toBeGreaterThan(2);
    expect(proactiveCount(4, 1, "normal", { ...HOP, loss: 0.0001 }, 200)).toBe(0);
  });
  it("counts no waiting that the playout gives anyway", () => {
    expect(roundWaitMs(60, HOP)).toBeGreaterThan(HOP.rttMs);
    expect(roundWaitMs(200, HOP)).toBe(0);
  });
  it("is for keyframes first", () => {
    const of = (importance: "key" | "normal" | "discardable") => proactiveCount(32, 0, importance, HOP);
    expect(of("key")).toBeGreaterThan(of("normal"));
    expect(of("normal")).toBeGreaterThan(of("discardable"));
  });
});

it("NACKs are copied the more the more is lost", () => {
  const copies = [0, 0.03, 0.2].map((loss) => nackCopies(true, { ...HOP, loss }));
  expect(copies).toEqual([...new Set(copies)].sort((a, b) => a - b));
});
