/**
 * NACK section of a feedback datagram: "of this block I hold these symbols and need this many more".
 * Specified in docs/wire.md, "Feedback". Answered by the hop's sender with fresh repair symbols, or nothing.
 */
import { SECTION_HEADER_BYTES, SECTION_NACK } from "./receiver-report.ts";

const FIXED_BYTES = 12;

/** `needed` of a NACK whose sender does not know how long the block is: all that the bitmap shows missing. */
export const NACK_NEEDS_ALL = 255;

export interface Nack {
  trackId: number;
  block: number;
  rendition: number;
  /** Counts the NACKs of this block, from 1; the answer repeats it. */
  generation: number;
  /** Symbols still needed to restore the block, 1..254, or NACK_NEEDS_ALL. */
  needed: number;
  /** Milliseconds from the sending of this NACK until its answer is of no use any more. u16 */
  withinMs: number;
  /** Source symbols held, bit i of byte i >> 3 (least significant first) = source symbol i. At most 32 bytes. */
  held: Uint8Array;
}

/** Writes the section at `offset`; returns the offset behind it. */
export function writeNack(bytes: Uint8Array, offset: number, nack: Nack): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  view.setUint8(offset, SECTION_NACK);
  view.setUint16(offset + 1, FIXED_BYTES + nack.held.length);
  const at = offset + SECTION_HEADER_BYTES;
  view.setUint32(at, nack.trackId);
  view.setUint16(at + 4, nack.block);
  view.setUint8(at + 6, (nack.rendition & 3) << 3);
  view.setUint8(at + 7, nack.generation);
  view.setUint8(at + 8, nack.needed);
  view.setUint8(at + 9, nack.held.length);
  view.setUint16(at + 10, nack.withinMs);
  bytes.set(nack.held, at + FIXED_BYTES);
  return at + FIXED_BYTES + nack.held.length;
}

/** Reads a section's content, or undefined when it is malformed. `held` is a view into `bytes`. */
export function readNack(bytes: Uint8Array, offset: number, length: number): Nack | undefined {
  if (length < FIXED_BYTES || offset + length > bytes.length) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const heldBytes = view.getUint8(offset + 9);
  const needed = view.getUint8(offset + 8);
  if (heldBytes > 32 || length !== FIXED_BYTES + heldBytes || needed === 0) return undefined;
  return {
    trackId: view.getUint32(offset),
    block: view.getUint16(offset + 4),
    rendition: (view.getUint8(offset + 6) >> 3) & 3,
    generation: view.getUint8(offset + 7),
    needed,
    withinMs: view.getUint16(offset + 10),
    held: bytes.subarray(offset + FIXED_BYTES, offset + length),
  };
}
