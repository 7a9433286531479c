/** What an Opus frame says of itself without decoding it (RFC 6716, sections 3.1 and 4.2.3). */

/** A frame of at most this many bytes holds no sound: discontinuous transmission. */
const EMPTY_BYTES = 2;
/** From this configuration number on frames are CELT only and never carry a copy of the one before. */
const FIRST_CELT_CONFIGURATION = 16;

/** The sender was silent on purpose. */
export function isEmptyFrame(bytes: Uint8Array): boolean {
  return bytes.length <= EMPTY_BYTES;
}

/** The frame carries a coarse copy of the one before it (in-band FEC). False where that takes parsing several frames. */
export function carriesPrevious(bytes: Uint8Array): boolean {
  const toc = bytes[0];
  const first = bytes[1];
  if (toc === undefined || first === undefined) return false;
  const configuration = toc >> 3;
  // Two or more frames in one: the flag lies elsewhere, and nobody in real time sends that.
  if (configuration >= FIRST_CELT_CONFIGURATION || (toc & 3) !== 0) return false;
  // SILK-only configurations come as 10, 20, 40, 60 ms; hybrid ones as 10 and 20. The flag follows one voice flag per 20 ms.
  const isHybrid = configuration >= 12;
  const voiceFlags = isHybrid ? 1 : [1, 1, 2, 3][configuration & 3]!;
  return ((first >> (7 - voiceFlags)) & 1) === 1;
}
