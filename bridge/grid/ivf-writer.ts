/**
 * IVF, as ffmpeg reads it: a header, then frames with their length and time in front. It carries H.264 and raw pictures to ffmpeg without a
 * parser that would have to see the next one first.
 */

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 12;

export interface IvfFormat {
  fourCc: "H264" | "I420";
  width: number;
  height: number;
  /** Of times, a second. */
  ticksPerSecond: number;
}

export function ivfHeader({ fourCc, width, height, ticksPerSecond }: IvfFormat): Uint8Array {
  const out = new Uint8Array(HEADER_BYTES);
  const view = new DataView(out.buffer);
  for (let i = 0; i < 4; i++) {
    out[i] = "DKIF".charCodeAt(i);
    out[8 + i] = fourCc.charCodeAt(i);
  }
  view.setUint16(6, HEADER_BYTES, true);
  view.setUint16(12, width, true);
  view.setUint16(14, height, true);
  view.setUint32(16, ticksPerSecond, true);
  view.setUint32(20, 1, true);
  return out;
}

/** What goes in front of a frame of so many bytes. */
export function ivfFrameHeader(bytes: number, ticks: number): Uint8Array {
  const out = new Uint8Array(FRAME_HEADER_BYTES);
  const view = new DataView(out.buffer);
  view.setUint32(0, bytes, true);
  view.setBigUint64(4, BigInt(ticks), true);
  return out;
}
