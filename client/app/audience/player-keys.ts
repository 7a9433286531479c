/** Keyboard of the stream player, as players on the web have it. */
import type { KeyPress } from "../shortcuts.ts";

export type PlayerAction = "toggle" | "mute" | "full-screen" | "small-window" | "live" | "back" | "on";

const ACTIONS: Readonly<Record<string, PlayerAction>> = {
  k: "toggle",
  " ": "toggle",
  m: "mute",
  f: "full-screen",
  p: "small-window",
  l: "live",
  ArrowLeft: "back",
  ArrowRight: "on",
};

/** What a key press asks of the player; undefined where it belongs to the browser or to what has the focus (its tag). */
export function playerActionOf(press: KeyPress, focused: string): PlayerAction | undefined {
  if (press.ctrlKey || press.metaKey || press.altKey) return undefined;
  const key = press.key.length === 1 ? press.key.toLowerCase() : press.key;
  const action = Object.hasOwn(ACTIONS, key) ? ACTIONS[key] : undefined;
  const isStep = action === "back" || action === "on";
  if (press.repeat && !isStep) return undefined;
  // Space presses a button or follows a link, arrows move a slider.
  if (key === " " && /^(button|a|summary)$/.test(focused)) return undefined;
  if (focused === "input" && (isStep || key === " ")) return undefined;
  return action;
}
