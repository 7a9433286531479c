/** Why a participant could not join: the error of joinRelay. */
import { type CloseReason, FINAL_CLOSE_REASONS } from "../wire/close-codes.ts";

/** Joining did not work. `reason` is the close code's name; `final`: the same ticket or token cannot work. */
export class JoinFailedError extends Error {
  override readonly name = "JoinFailedError";
  readonly reason: CloseReason;
  readonly final: boolean;
  constructor(reason: CloseReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
    this.final = FINAL_CLOSE_REASONS.has(reason);
  }
}
