/**
 * HTTP/3 frames on the two kinds of stream that carry them (RFC 9114, 6.2.1, 4.1 and 7.2): which frame may come
 * where, how long it may be, and what is skipped.
 */
import {
  FORBIDDEN_FRAMES,
  FRAME_CANCEL_PUSH,
  FRAME_DATA,
  FRAME_GOAWAY,
  FRAME_HEADERS,
  FRAME_MAX_PUSH_ID,
  FRAME_PUSH_PROMISE,
  FRAME_SETTINGS,
  H3_EXCESSIVE_LOAD,
  H3_FRAME_ERROR,
  H3_FRAME_UNEXPECTED,
  H3_MISSING_SETTINGS,
  Http3Error,
  SIGNAL_WEBTRANSPORT_BIDIRECTIONAL,
} from "./http3-codes.ts";
import { type RecordFate, RecordReader } from "./record-reader.ts";
import { decodeSettings, type Settings } from "./settings.ts";
import {
  concatBytes,
  encodeVarints,
  readVarint,
  VARINT_INCOMPLETE,
  varintLengthFromFirstByte,
} from "./varint.ts";

export interface FrameLimits {
  readonly maxHeaderBytes: number;
  readonly maxSettingsBytes: number;
  readonly maxSkippedRecordBytes: number;
  readonly maxSkippedStreamBytes: number;
}

export type ControlEvent =
  | { readonly kind: "settings"; readonly settings: Settings }
  | { readonly kind: "goaway"; readonly id: number };

export type RequestEvent =
  | { readonly kind: "headers"; readonly block: Uint8Array }
  | { readonly kind: "data"; readonly bytes: Uint8Array };

/** One frame: type, length, payload. */
export function encodeFrame(type: number, payload: Uint8Array): Uint8Array {
  return concatBytes(encodeVarints(type, payload.length), payload);
}

/** Bounds what is skipped on one stream, a record and altogether; shared by frames and capsules. */
export class SkipBudget {
  readonly #maxRecordBytes: number;
  #leftBytes: number;

  constructor(limits: Pick<FrameLimits, "maxSkippedRecordBytes" | "maxSkippedStreamBytes">) {
    this.#maxRecordBytes = limits.maxSkippedRecordBytes;
    this.#leftBytes = limits.maxSkippedStreamBytes;
  }

  /** Throws H3_EXCESSIVE_LOAD when an unknown record of this length is too much. */
  spend(length: number): void {
    this.#leftBytes -= length;
    if (length > this.#maxRecordBytes || this.#leftBytes < 0) {
      throw new Http3Error(H3_EXCESSIVE_LOAD, `Too many unknown bytes to skip: ${length} more.`);
    }
  }
}

function bounded(name: string, length: number, max: number): "collect" {
  if (length > max)
    throw new Http3Error(H3_EXCESSIVE_LOAD, `A ${name} frame of ${length} bytes; at most ${max} are read.`);
  return "collect";
}

function unexpected(type: number, where: string): Http3Error {
  return new Http3Error(
    H3_FRAME_UNEXPECTED,
    `A frame of type 0x${type.toString(16)} has no place on ${where}.`,
  );
}

/** The other side's control stream, behind its stream type: SETTINGS first and once, then GOAWAY and frames to skip. */
export class ControlStreamReader {
  readonly #records: RecordReader;
  readonly #limits: FrameLimits;
  readonly #skip: SkipBudget;
  #sawSettings = false;

  constructor(limits: FrameLimits) {
    this.#limits = limits;
    this.#skip = new SkipBudget(limits);
    this.#records = new RecordReader((type, length) => this.#decide(type, length));
  }

  push(chunk: Uint8Array, onEvent: (event: ControlEvent) => void): void {
    this.#records.push(chunk, ({ type, bytes }) => {
      if (type === FRAME_SETTINGS) {
        onEvent({ kind: "settings", settings: decodeSettings(bytes) });
        return;
      }
      const id = readVarint(bytes, 0);
      if (id === VARINT_INCOMPLETE || varintLengthFromFirstByte(bytes[0] as number) !== bytes.length) {
        throw new Http3Error(H3_FRAME_ERROR, "A GOAWAY frame holds exactly one varint.");
      }
      onEvent({ kind: "goaway", id });
    });
  }

  #decide(type: number, length: number): RecordFate {
    if (!this.#sawSettings) {
      if (type !== FRAME_SETTINGS) {
        throw new Http3Error(H3_MISSING_SETTINGS, "The first frame of a control stream must be SETTINGS.");
      }
      this.#sawSettings = true;
      return bounded("SETTINGS", length, this.#limits.maxSettingsBytes);
    }
    if (type === FRAME_GOAWAY) {
      if (length < 1 || length > 8)
        throw new Http3Error(H3_FRAME_ERROR, "A GOAWAY frame holds exactly one varint.");
      return "collect";
    }
    const misplaced =
      type === FRAME_SETTINGS ||
      type === FRAME_DATA ||
      type === FRAME_HEADERS ||
      type === FRAME_PUSH_PROMISE ||
      type === SIGNAL_WEBTRANSPORT_BIDIRECTIONAL ||
      FORBIDDEN_FRAMES.has(type);
    if (misplaced) throw unexpected(type, "a control stream");
    // MAX_PUSH_ID and CANCEL_PUSH are legal here and mean nothing without push.
    this.#skip.spend(length);
    return "skip";
  }
}

/** One CONNECT stream: HEADERS once, then DATA only (RFC 9114, 4.4); unknown frame types are skipped. */
export class RequestStreamReader {
  readonly #records: RecordReader;
  readonly #limits: FrameLimits;
  readonly #skip: SkipBudget;
  #sawHeaders = false;

  constructor(limits: FrameLimits) {
    this.#limits = limits;
    this.#skip = new SkipBudget(limits);
    this.#records = new RecordReader((type, length) => this.#decide(type, length));
  }

  push(chunk: Uint8Array, onEvent: (event: RequestEvent) => void): void {
    this.#records.push(chunk, ({ type, bytes }) => {
      onEvent(type === FRAME_HEADERS ? { kind: "headers", block: bytes } : { kind: "data", bytes });
    });
  }

  /** Throws H3_FRAME_ERROR when the stream ends inside a frame. */
  end(): void {
    if (!this.#records.atBoundary) throw new Http3Error(H3_FRAME_ERROR, "The stream ended inside a frame.");
  }

  #decide(type: number, length: number): RecordFate {
    if (type === FRAME_HEADERS) {
      if (this.#sawHeaders) throw unexpected(type, "a CONNECT stream after its headers");
      this.#sawHeaders = true;
      return bounded("HEADERS", length, this.#limits.maxHeaderBytes);
    }
    if (type === FRAME_DATA) {
      if (!this.#sawHeaders) throw unexpected(type, "a request stream before its headers");
      return "stream";
    }
    const misplaced =
      type === FRAME_SETTINGS ||
      type === FRAME_GOAWAY ||
      type === FRAME_MAX_PUSH_ID ||
      type === FRAME_CANCEL_PUSH ||
      type === FRAME_PUSH_PROMISE ||
      type === SIGNAL_WEBTRANSPORT_BIDIRECTIONAL ||
      FORBIDDEN_FRAMES.has(type);
    if (misplaced) throw unexpected(type, "a request stream");
    this.#skip.spend(length);
    return "skip";
  }
}
