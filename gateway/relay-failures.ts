/** What the gateway makes of relays that did not answer: named in the answer, told to the log, or the reason for a refusal. */
import type { Log } from "./deps.ts";
import { ProblemError } from "./problem.ts";
import type { RelayCallError } from "./relay-operations.ts";

/** Nothing found: sure when every relay answered, unknown otherwise. */
export function missing(
  failures: readonly RelayCallError[],
  problem: "room-not-found" | "participant-not-found",
  detail: string,
): ProblemError {
  if (failures.length === 0) return new ProblemError(problem, detail);
  return new ProblemError(
    "relay-unreachable",
    `Relays did not answer, so nothing is known of it: ${idsOf(failures).join(", ")}. Try again, and look at them if it stays.`,
    { headers: { "retry-after": "5" }, cause: failures[0] },
  );
}

export function idsOf(failures: readonly RelayCallError[]): string[] {
  return failures.map(({ relayId }) => relayId);
}

export function report(log: Log, failures: readonly RelayCallError[]): void {
  for (const failure of failures) log("warn", "a relay did not answer", { error: failure.message });
}
