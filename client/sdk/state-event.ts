/** Makes the Room's `state` event of what the worker says: the sentence for people, the close reason for code. */
import { CLOSE_CODES, type CloseReason } from "../../core/wire/close-codes.ts";
import type { RoomEvents, RoomState } from "./api.ts";

/** `code` is a close reason or a problem code of the gateway; only the former goes on as `closeReason`. */
export function stateEvent(state: RoomState, code: string, reason: string): RoomEvents["state"] {
  const event = { state, reason: reason || code };
  return state === "closed" && isCloseReason(code) ? { ...event, closeReason: code } : event;
}

function isCloseReason(code: string): code is CloseReason {
  return Object.hasOwn(CLOSE_CODES, code);
}
