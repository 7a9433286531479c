/**
 * Datagrams: an 8-byte hop header that each sender rewrites, then a body. The body of a media datagram (the
 * MEDIA PART) is constant from publisher to subscriber. Specified in docs/wire.md, "Datagrams". Big-endian.
 *
 * Readers and writers work on fixed offsets of a caller's buffer, so that the forwarder allocates nothing.
 */
import { MAX_DATAGRAM_BYTES } from "./limits.ts";

export const HOP_HEADER_BYTES = 8;
export const MEDIA_HEADER_BYTES = 26;
export const REPAIR_HEADER_BYTES = 12;

/** First byte of every datagram: high nibble = wire version 1, low nibble = kind. */
export const DATAGRAM_MEDIA = 0x10;
export const DATAGRAM_REPAIR = 0x11;
export const DATAGRAM_FEEDBACK = 0x12;
/** Carries nothing: keeps reports flowing (RTT, heartbeat) and probes the path; its body is padding. */
export const DATAGRAM_PROBE = 0x13;

/** Flags of the media header (offset 23 of the media part). */
export const FLAG_KEYFRAME = 0x01;
/** No later access unit refers to this one: the first to be dropped. */
export const FLAG_DISCARDABLE = 0x02;
/** The payload starts with a redundancy section (core/wire/redundancy.ts). */
export const FLAG_REDUNDANCY = 0x04;
/** The payload is end-to-end encrypted; relays carry it as it is. */
export const FLAG_ENCRYPTED = 0x08;
/** This is the last source symbol of its FEC block, so the block's k is symbol index + 1. */
export const FLAG_BLOCK_END = 0x10;
/** On audio: voice activity (the sender's detector thinks that somebody speaks). */
export const FLAG_VOICE = 0x20;

/** Audio level meaning silence or "not audio": -127 dBov (RFC 6464). */
export const AUDIO_LEVEL_SILENT = 127;

export interface HopHeader {
  /** One of DATAGRAM_*. */
  kind: number;
  /** Counts every datagram of one direction of one hop, modulo 2^16. */
  hopSequence: number;
  /** Sender's clock in microseconds, modulo 2^32. */
  sendTimeUs: number;
}

/** One fragment of an access unit: a source symbol of an FEC block. */
export interface MediaHeader {
  /** Unique in a room for as long as the room lives; handed out by the relay at publish. u32 */
  trackId: number;
  /** Access unit number within the track's rendition, +1 each. u32, wraps */
  frameId: number;
  /** Capture time on the publisher's room clock, microseconds since the Unix epoch, < 2^53. */
  captureTimeUs: number;
  /** u16, < fragmentCount */
  fragmentIndex: number;
  /** u16, >= 1 */
  fragmentCount: number;
  /** FEC block number within the track's rendition. u16, wraps */
  block: number;
  /** Index of this source symbol in its block, 0..k-1. u8 */
  symbolIndex: number;
  /** FLAG_* bits */
  flags: number;
  /** 0 = base layer. 0..7 */
  temporalLayer: number;
  /** How many frame ids back the newest unit is that this one needs, 1..7; 0 = none (keyframe), or not said. */
  reference: number;
  /** Which simulcast encoding of the track. 0..3, 0 = the largest */
  rendition: number;
  /** RFC 6464: 0 = loudest, 127 = silence, in -dBov. 0..127 */
  audioLevel: number;
}

/** Header of a repair symbol; the symbol follows. */
export interface RepairHeader {
  trackId: number;
  block: number;
  /** Source symbols in the block, 1..254. */
  sourceCount: number;
  /** Symbol index k..254: which row of the Cauchy matrix made it. */
  symbolIndex: number;
  rendition: number;
  /** Generation of the NACK that it answers, 0 = sent unasked. u8 */
  generation: number;
}

/** Why a datagram was dropped on arrival; the reasons that counters show. */
export type DatagramFault = "too-short" | "oversized" | "unknown-version" | "unknown-kind" | "malformed";

function readU16(bytes: Uint8Array, offset: number): number {
  return (bytes[offset]! << 8) | bytes[offset + 1]!;
}

function readU32(bytes: Uint8Array, offset: number): number {
  return (
    bytes[offset]! * 0x1000000 + ((bytes[offset + 1]! << 16) | (bytes[offset + 2]! << 8) | bytes[offset + 3]!)
  );
}

function writeU16(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 8;
  bytes[offset + 1] = value;
}

function writeU32(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 24;
  bytes[offset + 1] = value >>> 16;
  bytes[offset + 2] = value >>> 8;
  bytes[offset + 3] = value;
}

/** Writes the hop header into the first 8 bytes at `offset`. `sendTimeUs` may be any clock value; its low 32 bits go out. */
export function writeHopHeader(
  bytes: Uint8Array,
  offset: number,
  kind: number,
  hopSequence: number,
  sendTimeUs: number,
): void {
  bytes[offset] = kind;
  bytes[offset + 1] = 0;
  writeU16(bytes, offset + 2, hopSequence);
  writeU32(bytes, offset + 4, sendTimeUs % 0x100000000);
}

/** Checks size, version and kind. Returns the fault, or undefined for a datagram whose header may be read. */
export function datagramFault(bytes: Uint8Array): DatagramFault | undefined {
  if (bytes.length < HOP_HEADER_BYTES) return "too-short";
  if (bytes.length > MAX_DATAGRAM_BYTES) return "oversized";
  const first = bytes[0]!;
  if (first >> 4 !== 1) return "unknown-version";
  if (first === DATAGRAM_MEDIA) return mediaFault(bytes);
  if (first === DATAGRAM_REPAIR) return repairFault(bytes);
  if (first !== DATAGRAM_FEEDBACK && first !== DATAGRAM_PROBE) return "unknown-kind";
  return undefined;
}

function mediaFault(bytes: Uint8Array): DatagramFault | undefined {
  if (bytes.length < HOP_HEADER_BYTES + MEDIA_HEADER_BYTES) return "too-short";
  const fragmentIndex = readU16(bytes, HOP_HEADER_BYTES + 16);
  const fragmentCount = readU16(bytes, HOP_HEADER_BYTES + 18);
  // The three top bits of the 64-bit capture time must be clear for it to be an exact number.
  const captureTop = readU16(bytes, HOP_HEADER_BYTES + 8);
  // A keyframe that needs another unit is none.
  const contradicts =
    (bytes[HOP_HEADER_BYTES + 23]! & FLAG_KEYFRAME) !== 0 && bytes[HOP_HEADER_BYTES + 24]! >= 0x20;
  return fragmentIndex < fragmentCount && captureTop < 0x20 && !contradicts ? undefined : "malformed";
}

function repairFault(bytes: Uint8Array): DatagramFault | undefined {
  if (bytes.length < HOP_HEADER_BYTES + REPAIR_HEADER_BYTES + 2) return "too-short";
  const sourceCount = bytes[HOP_HEADER_BYTES + 6]!;
  const symbolIndex = bytes[HOP_HEADER_BYTES + 7]!;
  return sourceCount > 0 && symbolIndex >= sourceCount ? undefined : "malformed";
}

export function hopSequenceOf(bytes: Uint8Array): number {
  return readU16(bytes, 2);
}

/** The sender's clock, microseconds modulo 2^32. */
export function hopSendTimeOf(bytes: Uint8Array): number {
  return readU32(bytes, 4);
}

/** Track id of a media or repair datagram, without reading the rest. */
export function trackIdOf(datagram: Uint8Array): number {
  return readU32(datagram, HOP_HEADER_BYTES);
}

/** Flags of a media datagram. */
export function mediaFlagsOf(datagram: Uint8Array): number {
  return datagram[HOP_HEADER_BYTES + 23]!;
}

/** Rendition (0..3) of a media datagram. */
export function mediaRenditionOf(datagram: Uint8Array): number {
  return (datagram[HOP_HEADER_BYTES + 24]! >> 3) & 3;
}

/** Temporal layer (0..7) of a media datagram. */
export function mediaTemporalLayerOf(datagram: Uint8Array): number {
  return datagram[HOP_HEADER_BYTES + 24]! & 7;
}

/** Access unit number of a media datagram. */
export function mediaFrameIdOf(datagram: Uint8Array): number {
  return readU32(datagram, HOP_HEADER_BYTES + 4);
}

/** Fragment index of a media datagram. */
export function mediaFragmentIndexOf(datagram: Uint8Array): number {
  return readU16(datagram, HOP_HEADER_BYTES + 16);
}

/** Fragments of the access unit that a media datagram is part of. */
export function mediaFragmentCountOf(datagram: Uint8Array): number {
  return readU16(datagram, HOP_HEADER_BYTES + 18);
}

/** Rendition (0..3) of a repair datagram. */
export function repairRenditionOf(datagram: Uint8Array): number {
  return (datagram[HOP_HEADER_BYTES + 8]! >> 3) & 3;
}

/** FEC block of a media datagram. */
export function mediaBlockOf(datagram: Uint8Array): number {
  return readU16(datagram, HOP_HEADER_BYTES + 20);
}

/** Index of a media datagram among the source symbols of its block. */
export function mediaSymbolOf(datagram: Uint8Array): number {
  return datagram[HOP_HEADER_BYTES + 22]!;
}

/** Audio level of a media datagram, 0 loudest .. 127 silence. */
export function mediaAudioLevelOf(datagram: Uint8Array): number {
  return datagram[HOP_HEADER_BYTES + 25]! & 0x7f;
}

/** Writes the 26-byte media header at `offset` (after the hop header). Values must be in range. */
export function writeMediaHeader(bytes: Uint8Array, offset: number, header: MediaHeader): void {
  writeU32(bytes, offset, header.trackId);
  writeU32(bytes, offset + 4, header.frameId);
  writeU32(bytes, offset + 8, Math.floor(header.captureTimeUs / 0x100000000));
  writeU32(bytes, offset + 12, header.captureTimeUs % 0x100000000);
  writeU16(bytes, offset + 16, header.fragmentIndex);
  writeU16(bytes, offset + 18, header.fragmentCount);
  writeU16(bytes, offset + 20, header.block);
  bytes[offset + 22] = header.symbolIndex;
  bytes[offset + 23] = header.flags;
  bytes[offset + 24] =
    (header.temporalLayer & 7) | ((header.rendition & 3) << 3) | ((header.reference & 7) << 5);
  bytes[offset + 25] = header.audioLevel & 0x7f;
}

/** Reads the media header at `offset` into `into` (reused by the caller). `datagramFault` must have passed. */
export function readMediaHeader(bytes: Uint8Array, offset: number, into: MediaHeader): void {
  into.trackId = readU32(bytes, offset);
  into.frameId = readU32(bytes, offset + 4);
  into.captureTimeUs = readU32(bytes, offset + 8) * 0x100000000 + readU32(bytes, offset + 12);
  into.fragmentIndex = readU16(bytes, offset + 16);
  into.fragmentCount = readU16(bytes, offset + 18);
  into.block = readU16(bytes, offset + 20);
  into.symbolIndex = bytes[offset + 22]!;
  into.flags = bytes[offset + 23]!;
  const layers = bytes[offset + 24]!;
  into.temporalLayer = layers & 7;
  into.rendition = (layers >> 3) & 3;
  into.reference = layers >> 5;
  into.audioLevel = bytes[offset + 25]! & 0x7f;
}

/** A zeroed header, to be filled by `readMediaHeader`. */
export function emptyMediaHeader(): MediaHeader {
  return {
    trackId: 0,
    frameId: 0,
    captureTimeUs: 0,
    fragmentIndex: 0,
    fragmentCount: 1,
    block: 0,
    symbolIndex: 0,
    flags: 0,
    temporalLayer: 0,
    reference: 0,
    rendition: 0,
    audioLevel: AUDIO_LEVEL_SILENT,
  };
}

/** Writes the 12-byte repair header at `offset` (after the hop header). */
export function writeRepairHeader(bytes: Uint8Array, offset: number, header: RepairHeader): void {
  writeU32(bytes, offset, header.trackId);
  writeU16(bytes, offset + 4, header.block);
  bytes[offset + 6] = header.sourceCount;
  bytes[offset + 7] = header.symbolIndex;
  bytes[offset + 8] = (header.rendition & 3) << 3;
  bytes[offset + 9] = header.generation;
  writeU16(bytes, offset + 10, 0);
}

/** Reads the repair header at `offset`. `datagramFault` must have passed. */
export function readRepairHeader(bytes: Uint8Array, offset: number): RepairHeader {
  return {
    trackId: readU32(bytes, offset),
    block: readU16(bytes, offset + 4),
    sourceCount: bytes[offset + 6]!,
    symbolIndex: bytes[offset + 7]!,
    rendition: (bytes[offset + 8]! >> 3) & 3,
    generation: bytes[offset + 9]!,
  };
}
