/**
 * QUIC variable-length integers (RFC 9000, section 16): one, two, four or eight bytes, big endian,
 * the length in the two top bits of the first byte.
 *
 * Values are plain numbers. Eight-byte values above 2^53 - 1 are rounded: no type, id or length that this
 * layer knows is that large, so a rounded value can only be skipped or refused, never mistaken for a known one.
 */

/** What `readVarint` answers when the bytes end before the integer does. */
export const VARINT_INCOMPLETE = -1;

/** The length in bytes (1, 2, 4 or 8) of a varint that begins with this byte. */
export function varintLengthFromFirstByte(firstByte: number): number {
  return 1 << (firstByte >> 6);
}

/** The length in bytes that `value` takes in its shortest form. Throws RangeError outside 0 .. 2^53 - 1. */
export function varintLength(value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`A varint holds a whole number from 0 to 2^53 - 1, not ${value}.`);
  }
  if (value < 0x40) return 1;
  if (value < 0x4000) return 2;
  return value < 0x40000000 ? 4 : 8;
}

/** Reads the varint at `offset`; `VARINT_INCOMPLETE` when more bytes are needed. */
export function readVarint(bytes: Uint8Array, offset: number): number {
  if (offset >= bytes.length) return VARINT_INCOMPLETE;
  const first = bytes[offset] as number;
  const length = varintLengthFromFirstByte(first);
  if (offset + length > bytes.length) return VARINT_INCOMPLETE;
  let value = first & 0x3f;
  for (let i = 1; i < length; i += 1) value = value * 256 + (bytes[offset + i] as number);
  return value;
}

/** Writes `value` in its shortest form at `offset` and returns the offset behind it. The room must be there. */
export function writeVarint(target: Uint8Array, offset: number, value: number): number {
  const length = varintLength(value);
  let rest = value;
  for (let i = length - 1; i >= 0; i -= 1) {
    target[offset + i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  target[offset] = (target[offset] as number) | (Math.log2(length) << 6);
  return offset + length;
}

/** The bytes of one or more varints, one behind the other. */
export function encodeVarints(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(values.reduce((sum, value) => sum + varintLength(value), 0));
  let offset = 0;
  for (const value of values) offset = writeVarint(bytes, offset, value);
  return bytes;
}

/** Byte arrays, one behind the other, in one new array. */
export function concatBytes(...parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
