/**
 * Redundancy section of an audio payload (FLAG_REDUNDANCY): copies of earlier access units of the same track
 * in front of the primary one, after RFC 2198. Specified in docs/wire.md, "Audio redundancy".
 *
 *   count u8, then per copy: distance u8 (frame ids back), age u16 (1/10 ms before the primary's capture time),
 *   length u16; then the copies' bytes in the same order; the rest is the primary access unit.
 */
import { MAX_REDUNDANT_FRAMES } from "./limits.ts";

const ENTRY_BYTES = 5;
const AGE_UNIT_US = 100;

export interface RedundantFrame {
  /** Frame ids before the primary, 1..255. */
  distance: number;
  /** Capture time before the primary's, microseconds, a multiple of AGE_UNIT_US, at most 6.5 s. */
  ageUs: number;
  bytes: Uint8Array;
}

export interface RedundantPayload {
  primary: Uint8Array;
  /** In the order written; at most MAX_REDUNDANT_FRAMES. */
  redundant: RedundantFrame[];
}

/** The payload bytes for a primary unit and its redundant copies. */
export function writeRedundantPayload(payload: RedundantPayload): Uint8Array {
  let length = 1 + payload.primary.length;
  for (const frame of payload.redundant) length += ENTRY_BYTES + frame.bytes.length;
  const out = new Uint8Array(length);
  const view = new DataView(out.buffer);
  out[0] = payload.redundant.length;
  let entry = 1;
  let data = 1 + ENTRY_BYTES * payload.redundant.length;
  for (const frame of payload.redundant) {
    view.setUint8(entry, frame.distance);
    view.setUint16(entry + 1, Math.round(frame.ageUs / AGE_UNIT_US));
    view.setUint16(entry + 3, frame.bytes.length);
    out.set(frame.bytes, data);
    entry += ENTRY_BYTES;
    data += frame.bytes.length;
  }
  out.set(payload.primary, data);
  return out;
}

/** Splits a payload; the parts are views into it. Undefined when malformed. */
export function readRedundantPayload(payload: Uint8Array): RedundantPayload | undefined {
  const count = payload[0];
  if (count === undefined || count > MAX_REDUNDANT_FRAMES) return undefined;
  let data = 1 + ENTRY_BYTES * count;
  if (data > payload.length) return undefined;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const redundant: RedundantFrame[] = [];
  for (let i = 0; i < count; i++) {
    const entry = 1 + ENTRY_BYTES * i;
    const distance = view.getUint8(entry);
    const length = view.getUint16(entry + 3);
    if (distance === 0 || data + length > payload.length) return undefined;
    redundant.push({
      distance,
      ageUs: view.getUint16(entry + 1) * AGE_UNIT_US,
      bytes: payload.subarray(data, data + length),
    });
    data += length;
  }
  return { primary: payload.subarray(data), redundant };
}
