/** Which keys storage takes. Checked before a key becomes a path or a URL, so that neither can be led elsewhere. */
import { MAX_KEY_CHARS, MAX_KEY_SEGMENTS } from "./limits.ts";
import { StorageError } from "./storage.ts";

const SEGMENT = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;

/** Letters, digits and - _ . between slashes; no segment is empty or begins with a dot. */
export function isKey(key: string): boolean {
  if (key.length === 0 || key.length > MAX_KEY_CHARS) return false;
  const segments = key.split("/");
  return segments.length <= MAX_KEY_SEGMENTS && segments.every((segment) => SEGMENT.test(segment));
}

/** Throws StorageError for a key that isKey refuses. */
export function checkKey(key: string): void {
  if (isKey(key)) return;
  const shown = JSON.stringify(key.slice(0, 80));
  throw new StorageError(
    `${shown} is no key: use letters, digits, - _ . between slashes, at most ${MAX_KEY_CHARS} in all, no dot in front.`,
    false,
  );
}

/** A prefix is the beginning of a key, cut anywhere, or empty. Throws StorageError otherwise. */
export function checkPrefix(prefix: string): void {
  if (prefix !== "" && !isKey(prefix.endsWith("/") ? `${prefix}a` : prefix)) checkKey(prefix);
}
