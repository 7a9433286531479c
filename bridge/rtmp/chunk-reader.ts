/**
 * RTMP chunks to messages (specification 1.0, sections 5.3 and 5.4), from bytes in pieces of any size. Set Chunk Size and Abort are
 * acted on here, because they change how the next byte is read; every other message is handed on.
 */
import {
  MAX_CHUNK_BYTES,
  MAX_CHUNK_STREAMS,
  MAX_COMMAND_BYTES,
  MAX_MESSAGE_BYTES,
  MAX_PARTIAL_BYTES,
} from "./limits.ts";
import { RtmpError } from "./rtmp-error.ts";

export interface RtmpMessage {
  /** Message type id: MESSAGE in messages.ts. */
  type: number;
  /** Message stream: 0 = the connection itself. */
  streamId: number;
  /** Milliseconds, modulo 2^32. */
  timestamp: number;
  chunkStreamId: number;
  payload: Uint8Array;
}

const SET_CHUNK_SIZE = 1;
const ABORT = 2;
/** Chunks have this size until told otherwise. */
export const DEFAULT_CHUNK_BYTES = 128;
/** Time fields of this value are followed by 32 bits that say the real one. */
export const EXTENDED = 0xff_ffff;
/** Of the message header, by format of the basic header. */
const HEADER_BYTES = [11, 7, 3, 0] as const;
/** Longest basic header, message header and extended timestamp. */
const MAX_HEADER_BYTES = 3 + 11 + 4;
/** Memory for a payload is taken as it arrives, from so much on: a header alone costs nothing. */
const FIRST_BUFFER_BYTES = 16 * 1024;

interface ChunkStream {
  timestamp: number;
  /** What a chunk of format 3 that begins a message adds to it. */
  delta: number;
  /** Value of the extended timestamp, undefined where the last header had none. */
  extended: number | undefined;
  length: number;
  type: number;
  streamId: number;
  /** A message is in progress; `received` bytes of it are in `buffer`. */
  open: boolean;
  received: number;
  buffer: Uint8Array;
}

export class ChunkReader {
  readonly #onMessage: (message: RtmpMessage) => void;
  readonly #streams = new Map<number, ChunkStream>();
  readonly #header = new Uint8Array(MAX_HEADER_BYTES);
  #headerLength = 0;
  /** The chunk whose payload is being read, and how much of it is to come. */
  #chunk: { id: number; stream: ChunkStream } | undefined;
  #chunkLeft = 0;
  #chunkBytes = DEFAULT_CHUNK_BYTES;
  #partialBytes = 0;
  #maxMessageBytes = MAX_COMMAND_BYTES;
  #abandoned = 0;

  /** Takes short messages only (MAX_COMMAND_BYTES) until `takeMedia`. */
  constructor(onMessage: (message: RtmpMessage) => void) {
    this.#onMessage = onMessage;
  }

  /** From now on messages may have MAX_MESSAGE_BYTES. */
  takeMedia(): void {
    this.#maxMessageBytes = MAX_MESSAGE_BYTES;
  }

  /** Messages that were left unfinished: aborted, or another began on their chunk stream. */
  get abandoned(): number {
    return this.#abandoned;
  }

  /** Calls `onMessage` for each message that is whole now. Throws RtmpError; nothing may be pushed after it. */
  push(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#chunk === undefined) at = this.#readHeader(bytes, at);
      else at = this.#readPayload(bytes, at);
    }
  }

  #readHeader(bytes: Uint8Array, from: number): number {
    let at = from;
    for (;;) {
      const missing = this.#headerEnd() - this.#headerLength;
      if (missing <= 0) break;
      if (at === bytes.length) return at;
      const taken = Math.min(missing, bytes.length - at);
      this.#header.set(bytes.subarray(at, at + taken), this.#headerLength);
      this.#headerLength += taken;
      at += taken;
    }
    const end = this.#headerEnd();
    // Bytes that were looked at as a repeated timestamp and are none: they are read once more, as what they are.
    const overread = this.#headerLength > end ? this.#header.slice(end, this.#headerLength) : undefined;
    this.#headerLength = 0;
    this.#begin();
    if (overread !== undefined) this.push(overread);
    return at;
  }

  /** Length of the header as far as can be told from what is there. */
  #headerEnd(): number {
    const header = this.#header;
    const length = this.#headerLength;
    if (length === 0) return 1;
    const basic = basicBytes(header[0]!);
    if (length < basic) return basic;
    const format = header[0]! >> 6;
    const end = basic + HEADER_BYTES[format as 0 | 1 | 2 | 3];
    if (length < end) return end;
    if (format < 3) return u24(header, basic) === EXTENDED ? end + 4 : end;
    const extended = this.#streams.get(chunkStreamIdOf(header))?.extended;
    if (extended === undefined) return end;
    // The specification repeats the extended timestamp here; several programs do not. Told by its value, byte by byte.
    for (let i = end; i < length && i < end + 4; i++) {
      if (header[i] !== ((extended >>> (8 * (end + 3 - i))) & 0xff)) return end;
    }
    return end + 4;
  }

  /** The header is whole: brings its chunk stream up to date. */
  #begin(): void {
    const header = this.#header;
    const format = header[0]! >> 6;
    const basic = basicBytes(header[0]!);
    const id = chunkStreamIdOf(header);
    const stream = this.#streamFor(id, format);
    if (format < 3) {
      this.#abandon(stream);
      const field = u24(header, basic);
      const end = basic + HEADER_BYTES[format as 0 | 1 | 2];
      const time = field === EXTENDED ? u32(header, end) : field;
      stream.extended = field === EXTENDED ? time : undefined;
      stream.delta = time;
      stream.timestamp = format === 0 ? time : (stream.timestamp + time) >>> 0;
      if (format < 2) {
        stream.length = u24(header, basic + 3);
        stream.type = header[basic + 6]!;
      }
      if (format === 0) stream.streamId = u32LittleEndian(header, basic + 7);
    } else if (!stream.open) {
      stream.timestamp = (stream.timestamp + stream.delta) >>> 0;
    }
    if (!stream.open) this.#open(stream);
    this.#chunkLeft = Math.min(this.#chunkBytes, stream.length - stream.received);
    this.#chunk = { id, stream };
    if (this.#chunkLeft === 0) this.#endChunk();
  }

  #streamFor(id: number, format: number): ChunkStream {
    const known = this.#streams.get(id);
    if (known !== undefined) return known;
    // librtmp begins some with format 1, counted from zero; shorter formats leave out the length.
    if (format > 1) {
      throw new RtmpError(
        "malformed",
        `Chunk stream ${id} begins with a header that refers to an earlier one.`,
      );
    }
    if (this.#streams.size >= MAX_CHUNK_STREAMS) {
      throw new RtmpError("too-large", `More than ${MAX_CHUNK_STREAMS} chunk streams were opened.`);
    }
    const stream: ChunkStream = {
      timestamp: 0,
      delta: 0,
      extended: undefined,
      length: 0,
      type: 0,
      streamId: 0,
      open: false,
      received: 0,
      buffer: EMPTY,
    };
    this.#streams.set(id, stream);
    return stream;
  }

  #open(stream: ChunkStream): void {
    if (stream.length > this.#maxMessageBytes) {
      throw new RtmpError(
        "too-large",
        `A message of ${stream.length} bytes came, where at most ${this.#maxMessageBytes} are taken.`,
      );
    }
    this.#partialBytes += stream.length;
    if (this.#partialBytes > MAX_PARTIAL_BYTES) {
      throw new RtmpError("too-large", `Messages in progress have more than ${MAX_PARTIAL_BYTES} bytes.`);
    }
    stream.open = true;
    stream.received = 0;
    stream.buffer = new Uint8Array(Math.min(stream.length, FIRST_BUFFER_BYTES));
  }

  #abandon(stream: ChunkStream): void {
    if (!stream.open) return;
    this.#abandoned++;
    this.#close(stream);
  }

  #close(stream: ChunkStream): void {
    this.#partialBytes -= stream.length;
    stream.open = false;
    stream.received = 0;
    stream.buffer = EMPTY;
  }

  #readPayload(bytes: Uint8Array, at: number): number {
    const { stream } = this.#chunk!;
    const taken = Math.min(this.#chunkLeft, bytes.length - at);
    const end = stream.received + taken;
    if (end > stream.buffer.length) {
      const larger = new Uint8Array(Math.min(stream.length, Math.max(end, 2 * stream.buffer.length)));
      larger.set(stream.buffer.subarray(0, stream.received));
      stream.buffer = larger;
    }
    stream.buffer.set(bytes.subarray(at, at + taken), stream.received);
    stream.received = end;
    this.#chunkLeft -= taken;
    if (this.#chunkLeft === 0) this.#endChunk();
    return at + taken;
  }

  #endChunk(): void {
    const { id, stream } = this.#chunk!;
    this.#chunk = undefined;
    if (stream.received < stream.length) return;
    const payload = stream.buffer;
    this.#close(stream);
    if (stream.type === SET_CHUNK_SIZE) this.#setChunkBytes(payload);
    else if (stream.type === ABORT) this.#abort(payload);
    else {
      const { type, streamId, timestamp } = stream;
      this.#onMessage({ type, streamId, timestamp, chunkStreamId: id, payload });
    }
  }

  #setChunkBytes(payload: Uint8Array): void {
    const size = payload.length === 4 ? u32(payload, 0) : 0;
    if (size === 0 || size > 0x7fff_ffff) {
      throw new RtmpError("malformed", "Set Chunk Size says no size between 1 and 2147483647.");
    }
    this.#chunkBytes = Math.min(size, MAX_CHUNK_BYTES);
  }

  #abort(payload: Uint8Array): void {
    if (payload.length !== 4) throw new RtmpError("malformed", "Abort has to name one chunk stream.");
    const stream = this.#streams.get(u32(payload, 0));
    if (stream !== undefined) this.#abandon(stream);
  }
}

const EMPTY = new Uint8Array(0);

function basicBytes(first: number): number {
  const low = first & 0x3f;
  return low === 0 ? 2 : low === 1 ? 3 : 1;
}

function chunkStreamIdOf(header: Uint8Array): number {
  const low = header[0]! & 0x3f;
  if (low > 1) return low;
  return 64 + header[1]! + (low === 1 ? 256 * header[2]! : 0);
}

function u24(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
}

function u32(bytes: Uint8Array, at: number): number {
  return ((u24(bytes, at) << 8) | bytes[at + 3]!) >>> 0;
}

/** The message stream id is the one field that is little-endian. */
function u32LittleEndian(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}
