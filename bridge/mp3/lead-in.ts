/**
 * What a listener gets before its first frame. A layer III frame may decode from bytes that lie in frames before it (the bit reservoir,
 * ISO/IEC 11172-3, 2.4.3.4.5), and whoever joins in the middle has not got those: decoders complain and play noise or a hole. So silent frames
 * go in front, of the same size as the others, that carry those bytes where nothing decodes them but the frame that needs them.
 */
import { type FrameHeader, readFrameHeader } from "./frame-header.ts";

/** The reservoir reaches back so many bytes at most; half as many at half and quarter sample rates. */
const MAX_RESERVOIR_BYTES = 511;

/**
 * `frame` is the first that is sent, `before` the frames in front of it, oldest first. Empty where the frame needs nothing. Where `before` does
 * not reach back far enough, the missing bytes are zero and the frame's decoder may make a hole of it.
 */
export function leadIn(frame: Uint8Array, before: readonly Uint8Array[]): Uint8Array {
  const header = readFrameHeader(frame);
  if (header === undefined || header.reservoirBytes === 0) return new Uint8Array(0);
  const { frameBytes, mainDataOffset } = silentFrameHeader(frame, header);
  const room = frameBytes - mainDataOffset;
  const count = Math.ceil(header.reservoirBytes / room);
  const halfRate = header.samples < 1152;
  const longest = halfRate ? MAX_RESERVOIR_BYTES >> 1 : MAX_RESERVOIR_BYTES;
  const needed = reservoir(before, header.reservoirBytes);
  const bytes = new Uint8Array(count * frameBytes);
  // From the end: the last byte of the last silent frame is the one right before the frame's own main data.
  let left = needed.length;
  for (let i = count - 1; i >= 0; i--) {
    const start = i * frameBytes;
    bytes.set(frame.subarray(0, 4), start);
    // No CRC, since there is none to be wrong then.
    bytes[start + 1]! |= 1;
    // It says that it begins where the first silent frame does: some decoders keep nothing from before that.
    const reach = Math.min(i * room, longest);
    if (halfRate) bytes[start + 4] = reach;
    else bytes.set([reach >> 1, (reach & 1) << 7], start + 4);
    const size = Math.min(room, left);
    bytes.set(needed.subarray(left - size, left), start + frameBytes - size);
    left -= size;
  }
  return bytes;
}

/** As of `frame`, but without a CRC: all of its side information is zero, so that it decodes from no bits to silence. */
function silentFrameHeader(frame: Uint8Array, header: FrameHeader): FrameHeader {
  if ((frame[1]! & 1) === 1) return header;
  return { ...header, mainDataOffset: header.mainDataOffset - 2 };
}

/** The last `count` bytes of main data. */
function reservoir(before: readonly Uint8Array[], count: number): Uint8Array {
  const bytes = new Uint8Array(Math.min(count, MAX_RESERVOIR_BYTES));
  let left = bytes.length;
  for (let i = before.length - 1; i >= 0 && left > 0; i--) {
    const header = readFrameHeader(before[i]!);
    if (header === undefined) break;
    const size = Math.min(left, before[i]!.length - header.mainDataOffset);
    bytes.set(before[i]!.subarray(before[i]!.length - size), left - size);
    left -= size;
  }
  return bytes;
}
