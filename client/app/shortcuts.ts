/** Keyboard shortcuts of the room page: which key means what, and when a key is only typing. */

export type Action =
  | "microphone"
  | "camera"
  | "screen"
  | "chat"
  | "people"
  | "stats"
  | "outputs"
  | "help"
  | "close";

const ACTIONS: Readonly<Record<string, Action>> = {
  m: "microphone",
  v: "camera",
  s: "screen",
  c: "chat",
  p: "people",
  i: "stats",
  o: "outputs",
  "?": "help",
  Escape: "close",
};

/** For the help dialog, in the order of the control bar. */
export const SHORTCUT_HELP: readonly (readonly [key: string, meaning: string])[] = [
  ["M", "Microphone on or off"],
  ["V", "Camera on or off"],
  ["S", "Share your screen, or stop"],
  ["C", "Chat"],
  ["P", "People"],
  ["I", "Connection figures"],
  ["O", "Outputs, for whoever may see them"],
  ["?", "This help"],
  ["Esc", "Close what is open"],
];

export interface KeyPress {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  repeat: boolean;
}

/** The action of a key press, or undefined when it is typing, held down, or the browser's own shortcut. */
export function actionOf(press: KeyPress, typing: boolean): Action | undefined {
  if (press.ctrlKey || press.metaKey || press.altKey || press.repeat) return undefined;
  if (typing && press.key !== "Escape") return undefined;
  const key = press.key.length === 1 ? press.key.toLowerCase() : press.key;
  return Object.hasOwn(ACTIONS, key) ? ACTIONS[key] : undefined;
}

/** Whether an event's innermost target takes text. */
export function isTyping(target: EventTarget | undefined): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}
