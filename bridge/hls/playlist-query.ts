/** Delivery directives of a playlist request (RFC 8216bis, 6.2.5), checked. */
import { MAX_QUERY_DIGITS } from "./limits.ts";

export interface Directives {
  /** Wait until this segment, or this part of it, is in the playlist. */
  sequence: number | undefined;
  part: number | undefined;
  skip: boolean;
}

/** Directives of a query, or a sentence that says what is wrong with them. Other parameters are nobody's business. */
export function readDirectives(query: URLSearchParams): Directives | string {
  for (const name of ["_HLS_msn", "_HLS_part", "_HLS_skip"]) {
    if (query.getAll(name).length > 1) return `Say ${name} once.`;
  }
  const sequence = readNumber(query.get("_HLS_msn"));
  const part = readNumber(query.get("_HLS_part"));
  if (sequence === null || part === null) {
    return `_HLS_msn and _HLS_part are whole numbers of at most ${MAX_QUERY_DIGITS} digits.`;
  }
  if (part !== undefined && sequence === undefined) return "_HLS_part needs _HLS_msn.";
  const skip = query.get("_HLS_skip");
  if (skip !== null && skip !== "YES" && skip !== "v2") return "_HLS_skip is YES or v2.";
  return { sequence, part, skip: skip !== null };
}

/** Undefined = not said, null = no number. */
function readNumber(text: string | null): number | undefined | null {
  if (text === null) return undefined;
  return /^\d+$/.test(text) && text.length <= MAX_QUERY_DIGITS ? Number(text) : null;
}
