/** What did not work about joining or staying, as a code, as a sentence for people, and whether trying again is of any use. */
import { JoinFailedError } from "../participant.ts";
import { GatewayError } from "./gateway-join.ts";

/** What people are told of a close. */
export function sentenceOf(code: string, message: string): string {
  switch (code) {
    case "removed":
      return "You were removed from the room.";
    case "room-closed":
      return "The room was closed.";
    case "identity-taken-over":
      return "You joined this room from somewhere else.";
    case "unsupported-version":
      return "This page is too old for the relay: reload it.";
    case "draining":
      return "The relay is being restarted.";
    case "lost":
      return "The connection was lost.";
    default:
      return message || `The session ended: ${code}.`;
  }
}

/** The same token cannot succeed. */
export function isFinal(error: unknown): boolean {
  return (error instanceof GatewayError || error instanceof JoinFailedError) && error.final;
}

export function codeOf(error: unknown): string {
  if (error instanceof GatewayError) return error.code;
  return error instanceof JoinFailedError ? error.reason : "failed";
}

export function messageOf(error: unknown): string {
  if (error instanceof JoinFailedError) return sentenceOf(error.reason, error.message);
  return error instanceof Error ? error.message : String(error);
}
