/** The verdict of a diagnosis: whether one can call, why, and what to do, from its checks. */
import type { Check, CheckId, Verdict } from "./diagnosis-report.ts";

/** Without one of these there is no call. */
const NEEDED: readonly CheckId[] = [
  "secure-context",
  "gateway",
  "token",
  "loss",
  "round-trip",
  "jitter",
  "upload",
  "download",
];
/** Of these one is enough. */
const ROADS: readonly CheckId[] = ["udp", "fallback"];
/** Looked at for whoever runs the site; a call does not depend on it. */
const BESIDE: readonly CheckId[] = ["isolation"];
/** What a failed road over UDP is explained by. */
const UDP: readonly CheckId[] = ["webtransport", "udp", "echo"];

const TITLES = {
  well: "You can call well",
  limits: "You can call, with limits",
  cannot: "You cannot call from here",
} as const;

/** Of checks that have all ended. */
export function verdictOf(checks: readonly Check[]): Verdict {
  const byId = new Map(checks.map((check) => [check.id, check]));
  const isGood = (id: CheckId): boolean => {
    const state = byId.get(id)?.state;
    return state === "ok" || state === "warning";
  };
  const udpWorks = isGood("udp") && byId.get("echo")?.state !== "failed";
  const isConnected = udpWorks || isGood("fallback");
  const bad = checks.filter(
    ({ id, state }) =>
      (state === "failed" || state === "warning") &&
      !BESIDE.includes(id) &&
      // A way that nobody needs.
      !(id === "fallback" && udpWorks),
  );
  const isStopped = bad.some(({ id, state }) => state === "failed" && NEEDED.includes(id));
  const level = isStopped || !isConnected ? "cannot" : bad.length > 0 ? "limits" : "well";
  const weight = ({ id, state }: Check): number => {
    const decides = isConnected
      ? NEEDED.includes(id)
      : NEEDED.includes(id) || [...ROADS, ...UDP].includes(id);
    return (state === "failed" ? 2 : 0) + (decides ? 1 : 0);
  };
  const ordered = [...bad].sort((a, b) => weight(b) - weight(a));
  return {
    level,
    title: TITLES[level],
    reasons: unique(ordered.map(({ message }) => message)),
    advice: unique(ordered.map(({ advice }) => advice)),
    // What is not offered is no finding, and would help whoever has no way.
    administrator: unique([...ordered, ...(isConnected ? [] : checks)].map((check) => check.administrator)),
  };
}

function unique(sentences: readonly string[]): string[] {
  return [...new Set(sentences)].filter((sentence) => sentence !== "");
}
