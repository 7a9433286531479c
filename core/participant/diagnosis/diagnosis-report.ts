/**
 * What a diagnosis says: its checks in order, the verdict, and what support needs to see of it. Nothing in it is secret: no
 * tokens, tickets or device names, and of addresses host and port alone. docs/doctor.md.
 */
import type { EchoMoment } from "./echo-log.ts";

/** Grows when a field changes its meaning; new fields do not count. */
export const REPORT_SCHEMA = 1;

/** In the order in which they are shown. */
export const CHECK_IDS = [
  "secure-context",
  "gateway",
  "token",
  "webtransport",
  "udp",
  "echo",
  "loss",
  "round-trip",
  "jitter",
  "upload",
  "download",
  "fallback",
  "camera",
  "microphone",
  "codecs",
  "isolation",
] as const;
export type CheckId = (typeof CHECK_IDS)[number];

/** `skipped`: not looked at, because of another check or because nobody asked. */
export type CheckState = "waiting" | "running" | "ok" | "warning" | "failed" | "skipped";

export interface Check {
  id: CheckId;
  state: CheckState;
  /** What was found, for programs; "" where the state says it all. */
  code: string;
  /** Measured, with the unit in the name. */
  figures: Record<string, number | string | boolean>;
  /** What was found, for people. */
  message: string;
  /** What they can do about it; "" = nothing to do. */
  advice: string;
  /** What whoever runs the network or the server can do; "" = nothing. */
  administrator: string;
}

export interface Verdict {
  level: "well" | "limits" | "cannot";
  title: string;
  /** Findings that it rests on, the most important first. */
  reasons: string[];
  advice: string[];
  administrator: string[];
}

export interface DiagnosisReport {
  schema: typeof REPORT_SCHEMA;
  /** ISO 8601. */
  startedAt: string;
  durationMs: number;
  /** 0..1 */
  progress: number;
  /** Set once every check has ended. */
  verdict: Verdict | undefined;
  /** Origin. */
  gateway: string;
  /** Over what the figures of loss, round trip and so on were measured. */
  transport: "webtransport" | "websocket" | "none";
  checks: Check[];
  /** Round trips while it was measured; empty when there was nothing to measure. */
  timeline: EchoMoment[];
  /** Software: of this report, and what it ran on. */
  environment: Record<string, string>;
}

/** As support gets it. */
export function reportText(report: DiagnosisReport): string {
  const rounded = (_key: string, value: unknown): unknown =>
    typeof value === "number" ? Math.round(value * 1000) / 1000 : value;
  return JSON.stringify(report, rounded, 2);
}
