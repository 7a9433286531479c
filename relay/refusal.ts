/** A session that may not come in or stay: the close reason and a sentence, thrown where it is found out. */
import type { CloseReason } from "../core/wire/close-codes.ts";

export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly reason: CloseReason;
  constructor(reason: CloseReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
