/** The Range header of a request for one object (RFC 9110, 14). */

/** Longer ones are not looked at. */
const MAX_HEADER_CHARS = 100;

export type RequestedRange =
  | { kind: "whole" }
  | { kind: "part"; offset: number; length: number }
  /** 416: no byte of it is there. */
  | { kind: "none" };

/** One range is obeyed; several, other units and what cannot be understood give the whole object, as 14.2 allows. */
export function requestedRange(header: string | undefined, bytes: number): RequestedRange {
  const whole: RequestedRange = { kind: "whole" };
  if (header === undefined || header.length > MAX_HEADER_CHARS) return whole;
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header.trim());
  const [, first = "", last = ""] = match ?? [];
  if (match === null || (first === "" && last === "")) return whole;
  if (first === "") {
    const length = Math.min(Number(last), bytes);
    return length === 0 ? { kind: "none" } : { kind: "part", offset: bytes - length, length };
  }
  const offset = Number(first);
  const end = last === "" ? bytes : Math.min(Number(last) + 1, bytes);
  if (last !== "" && Number(last) < offset) return whole;
  return offset >= bytes ? { kind: "none" } : { kind: "part", offset, length: end - offset };
}
