/** Findings of figures that no simulated network gives by itself. */
import { expect, it } from "vitest";
import { CheckBoard } from "./check-board.ts";
import { notePath } from "./path-findings.ts";
import type { DirectionFigures, PathFigures } from "./path-measurement.ts";
import { verdictOf } from "./verdict.ts";

const GOOD: DirectionFigures = {
  loss: 0,
  jitterMs: 4,
  throughputBps: 3_900_000,
  isLimited: false,
  queueMs: 3,
};

function boardOf(change: Partial<PathFigures>): CheckBoard {
  const board = new CheckBoard(() => undefined);
  const path: PathFigures = {
    relayId: "relay1",
    maxDatagramBytes: 1200,
    admittedMs: 30,
    rttMs: { min: 18, p50: 20, p95: 25 },
    echoesSent: 260,
    echoesReceived: 260,
    deviceLateMs: 1,
    up: GOOD,
    down: GOOD,
    timeline: [],
    ...change,
  };
  notePath(board, path, false);
  return board;
}

it("jitter is laid to the device where its own timers are late, and to the network where they are not", () => {
  const up = { ...GOOD, jitterMs: 140 };
  expect(boardOf({ up, deviceLateMs: 90 }).get("jitter")).toMatchObject({ code: "busy-device" });
  expect(boardOf({ up, deviceLateMs: 12 }).get("jitter")).toMatchObject({ state: "warning", code: "jitter" });
  expect(boardOf({ deviceLateMs: 90 }).get("jitter").state).toBe("ok");
});

it("far and full are told apart", () => {
  const far = boardOf({ rttMs: { min: 300, p50: 310, p95: 330 } }).get("round-trip");
  const full = boardOf({ rttMs: { min: 20, p50: 310, p95: 900 } }).get("round-trip");
  expect([far.code, full.code]).toEqual(["far", "queue"]);
  expect(far.administrator).not.toBe("");
  expect(full.advice).toMatch(/downloads/);
});

it("who is slow because of losses is told so", () => {
  const up = { ...GOOD, loss: 0.12, throughputBps: 700_000, isLimited: true };
  const { message, advice } = boardOf({ up }).get("upload");
  expect(message).toContain("as long as so much is lost");
  expect(advice).not.toMatch(/downloads/);
});

it.each([
  { throughputBps: 1_200_000, state: "ok" },
  { throughputBps: 1_199_000, state: "warning" },
  { throughputBps: 60_000, state: "warning" },
  { throughputBps: 59_000, state: "failed" },
])("$throughputBps bit/s is $state", ({ throughputBps, state }) => {
  expect(boardOf({ down: { ...GOOD, throughputBps } }).get("download").state).toBe(state);
});

it("a device that fails limits a call, a page that is not isolated does not", () => {
  const board = boardOf({});
  for (const id of ["secure-context", "gateway", "token", "webtransport", "udp", "codecs"] as const)
    board.set(id, { state: "ok" });
  board.set("isolation", { state: "warning", message: "not isolated" });
  expect(verdictOf(board.all)).toMatchObject({ level: "well", reasons: [] });
  board.set("camera", { state: "failed", message: "black", advice: "uncover it" });
  expect(verdictOf(board.all)).toMatchObject({ level: "limits", reasons: ["black"], advice: ["uncover it"] });
  board.set("secure-context", { state: "failed", message: "insecure" });
  expect(verdictOf(board.all)).toMatchObject({ level: "cannot", reasons: ["insecure", "black"] });
});
