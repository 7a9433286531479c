/**
 * RTMP messages to chunks (specification 1.0, section 5.3.1): the shortest header that says all, extended timestamps repeated on
 * every continuation as the specification has it.
 */
import { DEFAULT_CHUNK_BYTES, EXTENDED, type RtmpMessage } from "./chunk-reader.ts";
import { MAX_CHUNK_BYTES } from "./limits.ts";

/** What the last header on a chunk stream said. */
interface Written {
  timestamp: number;
  /** Undefined behind a header of format 0: what format 3 means then is read in two ways. */
  delta: number | undefined;
  length: number;
  type: number;
  streamId: number;
}

export interface ChunkWriterOptions {
  /** False: leaves the extended timestamp of continuations away, as some programs do. For tests. */
  repeatExtended?: boolean;
}

export class ChunkWriter {
  readonly #last = new Map<number, Written>();
  readonly #repeatExtended: boolean;
  #chunkBytes = DEFAULT_CHUNK_BYTES;

  constructor(options: ChunkWriterOptions = {}) {
    this.#repeatExtended = options.repeatExtended ?? true;
  }

  /** From the next message on; the other side has to be told before (setChunkSize in messages.ts). 1..MAX_CHUNK_BYTES. */
  set chunkBytes(bytes: number) {
    if (!Number.isInteger(bytes) || bytes < 1 || bytes > MAX_CHUNK_BYTES) {
      throw new RangeError(`chunks have 1 to ${MAX_CHUNK_BYTES} bytes, not ${bytes}`);
    }
    this.#chunkBytes = bytes;
  }

  get chunkBytes(): number {
    return this.#chunkBytes;
  }

  /** Bytes of a whole message, a buffer of its own. Chunk stream ids are 2..65599. */
  write(message: RtmpMessage): Uint8Array {
    const { chunkStreamId: id, payload, type, streamId } = message;
    const timestamp = message.timestamp >>> 0;
    const last = this.#last.get(id);
    const format = formatFor(message, last);
    const delta = format === 0 ? undefined : (timestamp - last!.timestamp) >>> 0;
    const time = delta ?? timestamp;
    const extended = time >= EXTENDED;
    const chunks = Math.max(1, Math.ceil(payload.length / this.#chunkBytes));
    const basic = id < 64 ? 1 : id < 320 ? 2 : 3;
    const repeated = extended && this.#repeatExtended ? 4 : 0;
    const first = basic + [11, 7, 3, 0][format]! + (extended ? 4 : 0);
    const out = new Uint8Array(first + payload.length + (chunks - 1) * (basic + repeated));
    const view = new DataView(out.buffer);
    let at = writeBasic(out, 0, format, id);
    if (format < 3) at = writeU24(out, at, Math.min(time, EXTENDED));
    if (format < 2) {
      at = writeU24(out, at, payload.length);
      out[at++] = type;
    }
    if (format === 0) {
      view.setUint32(at, streamId, true);
      at += 4;
    }
    if (extended) {
      view.setUint32(at, time);
      at += 4;
    }
    for (let from = 0, index = 0; index < chunks; index++, from += this.#chunkBytes) {
      if (index > 0) {
        at = writeBasic(out, at, 3, id);
        if (repeated > 0) view.setUint32(at, time);
        at += repeated;
      }
      const piece = payload.subarray(from, from + this.#chunkBytes);
      out.set(piece, at);
      at += piece.length;
    }
    this.#last.set(id, { timestamp, delta, length: payload.length, type, streamId });
    return out;
  }
}

function formatFor(message: RtmpMessage, last: Written | undefined): 0 | 1 | 2 | 3 {
  if (last === undefined || last.streamId !== message.streamId) return 0;
  const delta = (message.timestamp - last.timestamp) >>> 0;
  // Time that runs backwards cannot be said as a difference.
  if (delta > 0x7fff_ffff) return 0;
  if (last.type !== message.type || last.length !== message.payload.length) return 1;
  return delta === last.delta && delta < EXTENDED ? 3 : 2;
}

function writeBasic(out: Uint8Array, at: number, format: number, id: number): number {
  if (id < 64) {
    out[at] = (format << 6) | id;
    return at + 1;
  }
  const rest = id - 64;
  out[at] = (format << 6) | (rest < 256 ? 0 : 1);
  out[at + 1] = rest & 0xff;
  if (rest < 256) return at + 2;
  out[at + 2] = rest >> 8;
  return at + 3;
}

function writeU24(out: Uint8Array, at: number, value: number): number {
  out[at] = value >>> 16;
  out[at + 1] = value >>> 8;
  out[at + 2] = value;
  return at + 3;
}
