/** How a person is drawn without a picture: initials on a colour that stays the same for one identity. */

/** Hues (degrees, OKLCH) that are told apart at a glance; white text keeps contrast >= 4.5 at the lightness used. */
const HUES = [185, 220, 260, 300, 340, 25, 60, 130] as const;

/** One or two capitals: first letters of the first and last word; "?" for a name without letters or digits. */
export function initialsOf(name: string): string {
  const words = name.match(/[\p{L}\p{N}][\p{L}\p{M}\p{N}]*/gu) ?? [];
  const first = words[0];
  if (first === undefined) return "?";
  const last = words.length > 1 ? words[words.length - 1] : undefined;
  return (firstCharacter(first) + (last === undefined ? "" : firstCharacter(last))).toLocaleUpperCase();
}

/** Hue for an identity; the same on every screen. */
export function hueOf(identity: string): number {
  let hash = 0x811c9dc5;
  for (const char of identity) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193);
  return HUES[(hash >>> 8) % HUES.length] ?? HUES[0];
}

function firstCharacter(word: string): string {
  return [...word][0] ?? "";
}
