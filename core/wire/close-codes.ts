/**
 * Why a session was closed: the number goes into the WebTransport close capsule, the name into counters,
 * logs and errors. Specified in docs/wire.md, "Close codes".
 */
export const CLOSE_CODES = {
  normal: 0,
  /** The other side went away without a word (idle timeout, connection lost). Never sent. */
  lost: 1,
  "internal-error": 2,
  "protocol-error": 10,
  "unsupported-version": 11,
  "hello-timeout": 12,
  "message-too-large": 13,
  "too-many-messages": 14,
  "slow-reader": 15,
  "ticket-malformed": 20,
  "ticket-expired": 21,
  "ticket-replayed": 22,
  "ticket-wrong-relay": 23,
  "ticket-wrong-signature": 24,
  "room-full": 30,
  "relay-full": 31,
  "identity-taken-over": 32,
  removed: 33,
  "room-closed": 34,
  draining: 40,
  /** Another relay that is not who it says, or whose credential is no good. */
  "relay-refused": 50,
  /** A relay that cannot be taken into a room's tree here and now. */
  "tree-refused": 51,
} as const;

export type CloseReason = keyof typeof CLOSE_CODES;

const nameByCode = new Map<number, CloseReason>(
  Object.entries(CLOSE_CODES).map(([name, code]) => [code, name as CloseReason]),
);

/** Name of a close code; an unknown one reads as `internal-error`. */
export function closeReasonOf(code: number): CloseReason {
  return nameByCode.get(code) ?? "internal-error";
}

/** After these the same ticket or token cannot succeed: do not reconnect. */
export const FINAL_CLOSE_REASONS: ReadonlySet<CloseReason> = new Set<CloseReason>([
  "normal",
  "unsupported-version",
  "protocol-error",
  "identity-taken-over",
  "removed",
  "room-closed",
]);
