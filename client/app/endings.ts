/** What the page after a call says, by the reason the room closed. */
import type { CloseReason } from "../../core/wire/close-codes.ts";
import type { Ending } from "./components/ended-page.ts";

/** `reason` is the SDK's own sentence, used where there is no better one here. */
export function endingOf(closeReason: CloseReason | undefined, reason: string): Ending {
  switch (closeReason) {
    case "removed":
      return {
        title: "You were removed from the room",
        text: "The host took you out of this call.",
        againLabel: "",
      };
    case "room-closed":
      return {
        title: "The room was closed",
        text: "The host ended this call for everybody.",
        againLabel: "",
      };
    case "identity-taken-over":
      return {
        title: "You joined from somewhere else",
        text: "The same invitation was used on another page or device, so this one stepped back.",
        againLabel: "Join here instead",
      };
    case "room-full":
      return {
        title: "The room is full",
        text: "Wait until somebody leaves, then try again.",
        againLabel: "Try again",
      };
    case "unsupported-version":
      return {
        title: "This page is out of date",
        text: "The server speaks a newer version. Load the page again.",
        againLabel: "",
      };
    default:
      return {
        title: "The connection ended",
        text: reason || "The call could not be kept up. Check your network and join again.",
        againLabel: "Join again",
        isPerhapsNetwork: true,
      };
  }
}

export function leftEnding(room: string): Ending {
  return { title: `You left ${room}`, text: "Camera and microphone are off.", againLabel: "Join again" };
}
