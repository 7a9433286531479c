/** How checks are called, grouped and drawn. */
import type { Check, CheckId, CheckState } from "../../sdk/index.ts";
import type { IconName } from "../icons.ts";

export const CHECK_NAMES: Readonly<Record<CheckId, string>> = {
  "secure-context": "Secure page",
  gateway: "Gateway",
  token: "Invitation",
  webtransport: "WebTransport",
  udp: "Relay over UDP",
  echo: "Datagrams",
  loss: "Loss",
  "round-trip": "Round trip",
  jitter: "Jitter",
  upload: "Upload",
  download: "Download",
  fallback: "Relay over TCP",
  camera: "Camera",
  microphone: "Microphone",
  codecs: "Codecs",
  isolation: "Shared memory",
};

export interface CheckGroup {
  /** Of its place on the page. */
  name: "in" | "road-checks" | "devices" | "browser";
  title: string;
  symbol: IconName;
  ids: readonly CheckId[];
}

export const CHECK_GROUPS: readonly CheckGroup[] = [
  { name: "in", title: "Getting in", symbol: "link", ids: ["gateway", "token"] },
  {
    name: "road-checks",
    title: "The way to the relay",
    symbol: "broadcast",
    ids: ["udp", "echo", "loss", "round-trip", "jitter", "upload", "download", "fallback"],
  },
  { name: "devices", title: "Camera and microphone", symbol: "camera", ids: ["camera", "microphone"] },
  {
    name: "browser",
    title: "This browser",
    symbol: "screen",
    ids: ["secure-context", "webtransport", "codecs", "isolation"],
  },
];

/** Read out beside the symbol. */
export const STATE_NAMES: Readonly<Record<CheckState, string>> = {
  waiting: "waiting",
  running: "being checked",
  ok: "good",
  warning: "warning",
  failed: "failed",
  skipped: "not checked",
};

/** What is being looked at, for people who wait. */
export function runningText(checks: readonly Check[]): string {
  const running = checks.filter(({ state }) => state === "running").map(({ id }) => id);
  const first = running.find((id) => RUNNING[id] !== undefined);
  return (first && RUNNING[first]) ?? "Looking at this browser…";
}

const RUNNING: Partial<Record<CheckId, string>> = {
  gateway: "Asking the gateway…",
  udp: "Connecting to the relay…",
  echo: "Measuring the way to the relay…",
  loss: "Measuring the way to the relay…",
  fallback: "Trying the way over TCP…",
  camera: "Looking through the camera…",
  microphone: "Listening: please say something…",
};

/** One figure of a check for its tile, "–" while there is none. */
export function figure(check: Check | undefined, name: string, write: (value: number) => string): string {
  const value = check?.figures[name];
  return typeof value === "number" ? write(value) : "–";
}

export function writeMs(value: number): string {
  return value < 1000 ? `${Math.max(1, Math.round(value))} ms` : `${(value / 1000).toFixed(1)} s`;
}

export function writeShare(value: number): string {
  const percent = value * 100;
  return `${percent > 0 && percent < 10 ? percent.toFixed(1) : Math.round(percent)} %`;
}

export function writeRate(bps: number): string {
  return bps < 1_000_000 ? `${Math.round(bps / 1000)} kb/s` : `${(bps / 1_000_000).toFixed(1)} Mb/s`;
}
