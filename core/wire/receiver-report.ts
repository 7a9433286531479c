/**
 * Feedback datagrams: sections of `type u8, length u16, content` behind the hop header. Section 1 is the
 * receiver report, section 2 the NACK (core/wire/nack.ts). Specified in docs/wire.md, "Feedback".
 */
import { HOP_HEADER_BYTES } from "./datagram.ts";
import { MAX_REPORTED_ARRIVALS } from "./limits.ts";

export const SECTION_RECEIVER_REPORT = 1;
export const SECTION_NACK = 2;
export const SECTION_HEADER_BYTES = 3;
const FIXED_BYTES = 24;
/** Unit of listed arrival times. */
export const ARRIVAL_UNIT_US = 64;
/** Listed arrival meaning "did not arrive". */
export const NOT_ARRIVED = 0xffff;

/** What one end received of the other's datagrams. */
export interface ReceiverReport {
  /** Hop send time of the newest datagram received (sender's clock, low 32 bits). */
  echoSendTimeUs: number;
  /** Time between its arrival and this report. */
  echoDelayUs: number;
  /** Highest hop sequence received. u16 */
  highestSequence: number;
  /** Datagrams received since the session began, modulo 2^32. */
  receivedTotal: number;
  /** Bytes of them, modulo 2^32. */
  receivedBytesTotal: number;
  /** Receiver's clock (low 32 bits) that the arrivals are relative to. */
  arrivalBaseUs: number;
  /** How many hop sequences are listed, the last being `highestSequence`. At most MAX_REPORTED_ARRIVALS. */
  arrivalCount: number;
  /** Per listed sequence, oldest first: (arrival - base) / ARRIVAL_UNIT_US, or NOT_ARRIVED. Valid up to arrivalCount. */
  arrivals: Uint16Array;
}

export function emptyReceiverReport(): ReceiverReport {
  return {
    echoSendTimeUs: 0,
    echoDelayUs: 0,
    highestSequence: 0,
    receivedTotal: 0,
    receivedBytesTotal: 0,
    arrivalBaseUs: 0,
    arrivalCount: 0,
    arrivals: new Uint16Array(MAX_REPORTED_ARRIVALS),
  };
}

export const MAX_REPORT_DATAGRAM_BYTES =
  HOP_HEADER_BYTES + SECTION_HEADER_BYTES + FIXED_BYTES + 2 * MAX_REPORTED_ARRIVALS;

/** Writes the section at `offset`; returns the offset behind it. The buffer must have room for arrivalCount. */
export function writeReceiverReport(bytes: Uint8Array, offset: number, report: ReceiverReport): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const content = FIXED_BYTES + 2 * report.arrivalCount;
  view.setUint8(offset, SECTION_RECEIVER_REPORT);
  view.setUint16(offset + 1, content);
  let at = offset + SECTION_HEADER_BYTES;
  view.setUint32(at, report.echoSendTimeUs);
  view.setUint32(at + 4, report.echoDelayUs);
  view.setUint16(at + 8, report.highestSequence);
  view.setUint32(at + 10, report.receivedTotal);
  view.setUint32(at + 14, report.receivedBytesTotal);
  view.setUint32(at + 18, report.arrivalBaseUs);
  view.setUint16(at + 22, report.arrivalCount);
  at += FIXED_BYTES;
  for (let i = 0; i < report.arrivalCount; i++) view.setUint16(at + 2 * i, report.arrivals[i]!);
  return at + 2 * report.arrivalCount;
}

/** Reads a section's content into `into`. Returns false when it is malformed. */
export function readReceiverReport(
  bytes: Uint8Array,
  offset: number,
  length: number,
  into: ReceiverReport,
): boolean {
  if (length < FIXED_BYTES || offset + length > bytes.length) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = view.getUint16(offset + 22);
  if (count > MAX_REPORTED_ARRIVALS || length !== FIXED_BYTES + 2 * count) return false;
  into.echoSendTimeUs = view.getUint32(offset);
  into.echoDelayUs = view.getUint32(offset + 4);
  into.highestSequence = view.getUint16(offset + 8);
  into.receivedTotal = view.getUint32(offset + 10);
  into.receivedBytesTotal = view.getUint32(offset + 14);
  into.arrivalBaseUs = view.getUint32(offset + 18);
  into.arrivalCount = count;
  for (let i = 0; i < count; i++) into.arrivals[i] = view.getUint16(offset + FIXED_BYTES + 2 * i);
  return true;
}

/**
 * Walks the sections of a feedback datagram, calling `visit(type, contentOffset, contentLength)` for each.
 * Unknown types are the visitor's to skip. Returns false when the sections do not fill the datagram exactly.
 */
export function walkSections(
  bytes: Uint8Array,
  visit: (type: number, offset: number, length: number) => void,
): boolean {
  let offset = HOP_HEADER_BYTES;
  while (offset < bytes.length) {
    if (bytes.length - offset < SECTION_HEADER_BYTES) return false;
    const length = (bytes[offset + 1]! << 8) | bytes[offset + 2]!;
    const content = offset + SECTION_HEADER_BYTES;
    if (length > bytes.length - content) return false;
    visit(bytes[offset]!, content, length);
    offset = content + length;
  }
  return true;
}
