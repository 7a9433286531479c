/**
 * Capsules on a CONNECT stream (RFC 9297, section 3): the two of WebTransport, CLOSE_WEBTRANSPORT_SESSION and
 * DRAIN_WEBTRANSPORT_SESSION (draft-ietf-webtrans-http3, section 5); all others are skipped, within a bound.
 */
import { encodeFrame, type FrameLimits, SkipBudget } from "./frames.ts";
import {
  CAPSULE_CLOSE_WEBTRANSPORT_SESSION,
  CAPSULE_DRAIN_WEBTRANSPORT_SESSION,
  H3_MESSAGE_ERROR,
  Http3Error,
} from "./http3-codes.ts";
import { type RecordFate, RecordReader } from "./record-reader.ts";

/** The longest close reason, in bytes of UTF-8. A longer one of ours is cut, a longer one of theirs is an error. */
const MAX_CLOSE_REASON_BYTES = 1024;
const CODE_BYTES = 4;

export type CapsuleEvent =
  | { readonly kind: "close"; readonly code: number; readonly reason: string }
  | { readonly kind: "drain" };

/** Reads capsules from the DATA of a CONNECT stream, in pieces of any size. */
export class CapsuleReader {
  readonly #records: RecordReader;
  readonly #skip: SkipBudget;

  constructor(limits: Pick<FrameLimits, "maxSkippedRecordBytes" | "maxSkippedStreamBytes">) {
    this.#skip = new SkipBudget(limits);
    this.#records = new RecordReader((type, length) => this.#decide(type, length));
  }

  push(chunk: Uint8Array, onEvent: (event: CapsuleEvent) => void): void {
    this.#records.push(chunk, ({ type, bytes }) => {
      onEvent(type === CAPSULE_CLOSE_WEBTRANSPORT_SESSION ? decodeClose(bytes) : { kind: "drain" });
    });
  }

  /** Throws H3_MESSAGE_ERROR when the stream ends inside a capsule. */
  end(): void {
    if (!this.#records.atBoundary)
      throw new Http3Error(H3_MESSAGE_ERROR, "The stream ended inside a capsule.");
  }

  #decide(type: number, length: number): RecordFate {
    if (type === CAPSULE_CLOSE_WEBTRANSPORT_SESSION) {
      if (length < CODE_BYTES || length > CODE_BYTES + MAX_CLOSE_REASON_BYTES) {
        throw new Http3Error(H3_MESSAGE_ERROR, `A close capsule holds 4 to 1028 bytes, not ${length}.`);
      }
      return "collect";
    }
    if (type === CAPSULE_DRAIN_WEBTRANSPORT_SESSION) {
      if (length !== 0) throw new Http3Error(H3_MESSAGE_ERROR, "A drain capsule is empty.");
      return "collect";
    }
    this.#skip.spend(length);
    return "skip";
  }
}

function decodeClose(bytes: Uint8Array): CapsuleEvent {
  const code = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(0);
  return { kind: "close", code, reason: new TextDecoder().decode(bytes.subarray(CODE_BYTES)) };
}

/** The close capsule. `code` is an unsigned 32-bit number; the reason is cut at a character to at most 1024 bytes. */
export function encodeCloseCapsule(code: number, reason: string): Uint8Array {
  if (!Number.isInteger(code) || code < 0 || code > 0xffffffff) {
    throw new RangeError(`A close code is a whole number from 0 to 4294967295, not ${code}.`);
  }
  const payload = new Uint8Array(CODE_BYTES + MAX_CLOSE_REASON_BYTES);
  new DataView(payload.buffer).setUint32(0, code);
  // encodeInto never writes half a character.
  const { written } = new TextEncoder().encodeInto(reason, payload.subarray(CODE_BYTES));
  return encodeFrame(CAPSULE_CLOSE_WEBTRANSPORT_SESSION, payload.subarray(0, CODE_BYTES + written));
}

/** The drain capsule: "please finish and open a new session elsewhere". */
export function encodeDrainCapsule(): Uint8Array {
  return encodeFrame(CAPSULE_DRAIN_WEBTRANSPORT_SESSION, new Uint8Array(0));
}
