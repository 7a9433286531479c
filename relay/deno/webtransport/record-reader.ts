/**
 * Incremental reader of the one shape that HTTP/3 frames (RFC 9114, 7.1) and capsules (RFC 9297, 3.2) share:
 * type varint, length varint, payload. Holds at most one header and one collected payload.
 */
import { readVarint, VARINT_INCOMPLETE, varintLengthFromFirstByte } from "./varint.ts";

/** `collect`: hand over the whole payload at once. `stream`: hand it over as it comes. `skip`: drop it. */
export type RecordFate = "collect" | "stream" | "skip";

/** Chooses what happens to a record, from its header alone; throws Http3Error to refuse it. */
export type RecordPolicy = (type: number, length: number) => RecordFate;

/** A collected record, or a piece of a streamed one. `bytes` may be a view into the pushed chunk. */
export interface RecordPiece {
  readonly type: number;
  readonly bytes: Uint8Array;
}

const EMPTY = new Uint8Array(0);
const MAX_HEADER_BYTES = 16;

export class RecordReader {
  readonly #policy: RecordPolicy;
  readonly #header = new Uint8Array(MAX_HEADER_BYTES);
  #headerLength = 0;
  #type = 0;
  #fate: RecordFate | null = null;
  #remaining = 0;
  #collected: Uint8Array = EMPTY;

  constructor(policy: RecordPolicy) {
    this.#policy = policy;
  }

  /** True between two records: the only place where a stream may end. */
  get atBoundary(): boolean {
    return this.#fate === null && this.#headerLength === 0;
  }

  /**
   * Takes the next bytes, in chunks of any size, and hands over what they complete, in order: what stands before a fault
   * is handed over before the fault is thrown.
   */
  push(chunk: Uint8Array, onPiece: (piece: RecordPiece) => void): void {
    let offset = 0;
    while (offset < chunk.length) {
      offset =
        this.#fate === null ? this.#readHeader(chunk, offset) : this.#readPayload(chunk, offset, onPiece);
      if (this.#fate !== null && this.#remaining === 0) this.#finishRecord(onPiece);
    }
  }

  #readHeader(chunk: Uint8Array, start: number): number {
    let offset = start;
    while (offset < chunk.length) {
      this.#header[this.#headerLength] = chunk[offset] as number;
      this.#headerLength += 1;
      offset += 1;
      const typeLength = varintLengthFromFirstByte(this.#header[0] as number);
      if (this.#headerLength <= typeLength) continue;
      const header = this.#header.subarray(0, this.#headerLength);
      const length = readVarint(header, typeLength);
      if (length === VARINT_INCOMPLETE) continue;
      this.#type = readVarint(header, 0);
      this.#remaining = length;
      this.#headerLength = 0;
      this.#fate = this.#policy(this.#type, length);
      // The policy has bounded the length before anything is allocated for it.
      this.#collected = this.#fate === "collect" ? new Uint8Array(length) : EMPTY;
      break;
    }
    return offset;
  }

  #readPayload(chunk: Uint8Array, offset: number, onPiece: (piece: RecordPiece) => void): number {
    const end = Math.min(chunk.length, offset + this.#remaining);
    const bytes = chunk.subarray(offset, end);
    if (this.#fate === "collect") this.#collected.set(bytes, this.#collected.length - this.#remaining);
    else if (this.#fate === "stream") onPiece({ type: this.#type, bytes });
    this.#remaining -= bytes.length;
    return end;
  }

  #finishRecord(onPiece: (piece: RecordPiece) => void): void {
    const isCollected = this.#fate === "collect";
    const bytes = this.#collected;
    this.#fate = null;
    this.#collected = EMPTY;
    if (isCollected) onPiece({ type: this.#type, bytes });
  }
}
