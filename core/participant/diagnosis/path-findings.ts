/** What the figures of a measured path mean for a call, in words. */
import type { CheckBoard, Finding } from "./check-board.ts";
import type { CheckId } from "./diagnosis-report.ts";
import type { DirectionFigures, PathFigures } from "./path-measurement.ts";
import { gradeOf, gradeOfRate, THRESHOLDS } from "./thresholds.ts";

/** What a path is measured for. */
export const PATH_CHECKS = [
  "echo",
  "loss",
  "round-trip",
  "jitter",
  "upload",
  "download",
] as const satisfies CheckId[];

const CLOSER = "Move closer to your Wi-Fi router or use a network cable, then run this again.";
const BUSY =
  "Stop downloads, backups and streams on this network, move closer to the Wi-Fi router or use a cable.";

/** Where most round trips take so much longer than the fastest, and more than twice as long, something is full and nothing is far. */
const QUEUE_MS = 60;

/** Jitter of which the device itself explains so much says little of the network. */
const BUSY_SHARE = 0.4;

export function notePath(board: CheckBoard, path: PathFigures, isReliable: boolean): void {
  board.set("echo", echoFinding(path));
  board.set("loss", lossFinding(path, isReliable));
  board.set("round-trip", roundTripFinding(path));
  board.set("jitter", jitterFinding(path));
  if (path.up.throughputBps !== undefined) board.set("upload", rateFinding(path.up, "up"));
  if (path.down.throughputBps !== undefined) board.set("download", rateFinding(path.down, "down"));
}

function echoFinding(path: PathFigures): Finding {
  return {
    state: "ok",
    figures: {
      sent: path.echoesSent,
      received: path.echoesReceived,
      maxDatagramBytes: path.maxDatagramBytes,
      relayId: path.relayId,
    },
    message: `Datagrams come back: ${path.echoesReceived} of ${path.echoesSent}.`,
  };
}

function lossFinding({ up, down }: PathFigures, isReliable: boolean): Finding {
  const figures = { upShare: up.loss, downShare: down.loss };
  if (isReliable)
    return { state: "ok", figures, message: "Over TCP nothing is lost; it comes late instead." };
  const state = gradeOf(Math.max(up.loss, down.loss), THRESHOLDS.loss);
  const found = `Lost: ${percent(up.loss)} of what you send, ${percent(down.loss)} of what you receive.`;
  if (state === "ok") return { state, figures, message: found };
  const meaning =
    state === "failed"
      ? "That is too much for a conversation."
      : "It is repaired, at the price of delay and of pictures that stand still now and then.";
  return { state, code: "loss", figures, message: `${found} ${meaning}`, advice: CLOSER };
}

function roundTripFinding({ rttMs, deviceLateMs }: PathFigures): Finding {
  const figures = { p50Ms: rttMs.p50, p95Ms: rttMs.p95, minMs: rttMs.min };
  const state = gradeOf(rttMs.p50, THRESHOLDS.roundTripMs);
  const found = `${ms(rttMs.p50)} to the relay and back (95 % within ${ms(rttMs.p95)}).`;
  if (state === "ok") return { state, figures, message: found };
  const meaning =
    state === "failed"
      ? "People cannot take turns with so much delay."
      : "People hear each other late and begin to talk at the same time.";
  const message = `${found} ${meaning}`;
  const waitMs = rttMs.p50 - rttMs.min;
  if (waitMs > Math.max(QUEUE_MS, rttMs.min)) {
    if (deviceLateMs > BUSY_SHARE * waitMs) return { state, figures, ...busyDevice(found, deviceLateMs) };
    return { state, code: "queue", figures, message, advice: BUSY };
  }
  return {
    state,
    code: "far",
    figures,
    message,
    advice: "Switch a VPN off if you use one, and prefer a cable or Wi-Fi to a mobile network.",
    administrator: "If many people of one region see this, run a relay there (docs/operating.md, “Regions”).",
  };
}

function jitterFinding({ up, down, deviceLateMs }: PathFigures): Finding {
  const figures = { upMs: up.jitterMs, downMs: down.jitterMs, deviceLateMs };
  const worst = Math.max(up.jitterMs, down.jitterMs);
  const state = gradeOf(worst, THRESHOLDS.jitterMs);
  const found = `One in twenty comes ${ms(worst)} later than most.`;
  if (state === "ok") return { state, figures, message: found };
  if (deviceLateMs > BUSY_SHARE * worst) {
    return { state, figures, ...busyDevice(found, deviceLateMs) };
  }
  return {
    state,
    code: "jitter",
    figures,
    message: `${found} Sound and picture are delayed by as much to hide it.`,
    advice: BUSY,
  };
}

function busyDevice(found: string, lateMs: number): Omit<Finding, "state"> {
  return {
    code: "busy-device",
    message: `${found} This device was busy with other things, and late by ${ms(lateMs)} itself.`,
    advice: "Close other programs and pages, plug the charger in, then run this again.",
  };
}

function rateFinding(direction: DirectionFigures, name: "up" | "down"): Finding {
  const { throughputBps = 0, isLimited, queueMs } = direction;
  const figures = { bps: throughputBps, isLimited, ...(queueMs === undefined ? {} : { queueMs }) };
  const state = gradeOfRate(throughputBps, THRESHOLDS.throughputBps);
  const verb = name === "up" ? "send" : "receive";
  // Who loses much is held back by that, whatever the line could carry.
  const isHeldBack = direction.loss > THRESHOLDS.loss.warning;
  const end = state !== "ok" && isHeldBack ? " as long as so much is lost." : ".";
  const found = `You can ${verb} ${isLimited ? "" : "at least "}${rate(throughputBps)}${end}`;
  if (state === "ok") return { state, figures, message: found };
  const code = name === "up" ? "slow-upload" : "slow-download";
  const meaning =
    state === "failed"
      ? "Not even sound fits into that."
      : name === "up"
        ? "Others hear you well and see a coarser picture of you."
        : "You hear others well and see fewer pictures of them.";
  return { state, code, figures, message: `${found} ${meaning}`, advice: isHeldBack ? CLOSER : BUSY };
}

function percent(share: number): string {
  const value = share * 100;
  return value === 0 ? "0 %" : value < 1 ? "less than 1 %" : `${Math.round(value)} %`;
}

export function ms(value: number): string {
  return value < 1_000 ? `${Math.max(1, Math.round(value))} ms` : `${(value / 1000).toFixed(1)} s`;
}

function rate(bps: number): string {
  return bps < 1_000_000 ? `${Math.round(bps / 1000)} kb/s` : `${(bps / 1_000_000).toFixed(1)} Mb/s`;
}
