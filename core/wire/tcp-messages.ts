/**
 * The messages that a session over TCP is made of: datagrams in batches, streams, its close. Specified in docs/wire.md,
 * "Sessions over TCP". What carries them keeps them whole and in order.
 */
import { MAX_CLOSE_REASON_BYTES, MAX_DATAGRAM_BYTES, MAX_TCP_MESSAGE_BYTES } from "./limits.ts";
import { textOfUtf8, utf8Of } from "./utf8.ts";

export const TCP_DATAGRAMS = 0;
export const TCP_STREAM_OPEN = 1;
export const TCP_STREAM_DATA = 2;
export const TCP_STREAM_END = 3;
export const TCP_STREAM_CREDIT = 4;
export const TCP_CLOSE = 5;
export const TCP_KEEP_ALIVE = 6;

const KIND_BYTES = 1;
const NUMBER_BYTES = 4;
/** In front of each datagram of a batch. */
export const TCP_DATAGRAM_PREFIX_BYTES = 2;
/** Payload of one message with bytes of a stream, at most. */
export const MAX_TCP_STREAM_PIECE_BYTES = MAX_TCP_MESSAGE_BYTES - KIND_BYTES - NUMBER_BYTES;

export type TcpMessage =
  | { kind: typeof TCP_DATAGRAMS; datagrams: Uint8Array[] }
  | { kind: typeof TCP_STREAM_OPEN; stream: number }
  | { kind: typeof TCP_STREAM_DATA; stream: number; bytes: Uint8Array }
  | { kind: typeof TCP_STREAM_END; stream: number }
  | { kind: typeof TCP_STREAM_CREDIT; stream: number; credit: number }
  | { kind: typeof TCP_CLOSE; code: number; reason: string }
  | { kind: typeof TCP_KEEP_ALIVE };

/** The other side sent what is no message. */
export class TcpMessageError extends Error {
  override readonly name = "TcpMessageError";
}

/** Its byte fields are views of `message`. Throws TcpMessageError. */
export function readTcpMessage(message: Uint8Array): TcpMessage {
  if (message.length > MAX_TCP_MESSAGE_BYTES) {
    throw new TcpMessageError(`a message of ${message.length} bytes is over ${MAX_TCP_MESSAGE_BYTES}`);
  }
  const kind = message[0];
  switch (kind) {
    case TCP_DATAGRAMS:
      return { kind, datagrams: readDatagrams(message) };
    case TCP_STREAM_OPEN:
    case TCP_STREAM_END:
      requireLength(message, KIND_BYTES + NUMBER_BYTES);
      return { kind, stream: readU32(message, KIND_BYTES) };
    case TCP_STREAM_DATA: {
      const bytes = message.subarray(KIND_BYTES + NUMBER_BYTES);
      if (bytes.length === 0) throw new TcpMessageError("stream bytes without any byte");
      return { kind, stream: readU32(message, KIND_BYTES), bytes };
    }
    case TCP_STREAM_CREDIT: {
      requireLength(message, KIND_BYTES + 2 * NUMBER_BYTES);
      return {
        kind,
        stream: readU32(message, KIND_BYTES),
        credit: readU32(message, KIND_BYTES + NUMBER_BYTES),
      };
    }
    case TCP_CLOSE:
      return readClose(message);
    case TCP_KEEP_ALIVE:
      requireLength(message, KIND_BYTES);
      return { kind };
    default:
      throw new TcpMessageError(kind === undefined ? "an empty message" : `a message of kind ${kind}`);
  }
}

function readDatagrams(message: Uint8Array): Uint8Array[] {
  const datagrams: Uint8Array[] = [];
  let at = KIND_BYTES;
  while (at < message.length) {
    const length = ((message[at] ?? 0) << 8) | (message[at + 1] ?? 0);
    const start = at + TCP_DATAGRAM_PREFIX_BYTES;
    at = start + length;
    if (length === 0 || length > MAX_DATAGRAM_BYTES || at > message.length) {
      throw new TcpMessageError(`a datagram of ${length} bytes at ${start} of ${message.length}`);
    }
    datagrams.push(message.subarray(start, at));
  }
  if (datagrams.length === 0) throw new TcpMessageError("a batch without datagrams");
  return datagrams;
}

function readClose(message: Uint8Array): TcpMessage {
  const bytes = message.subarray(KIND_BYTES + NUMBER_BYTES);
  if (bytes.length > MAX_CLOSE_REASON_BYTES) throw new TcpMessageError(`a reason of ${bytes.length} bytes`);
  return { kind: TCP_CLOSE, code: readU32(message, KIND_BYTES), reason: textOfUtf8(bytes) };
}

/** Every kind but datagrams, which DatagramBatches writes. `reason` is cut to MAX_CLOSE_REASON_BYTES. */
export function writeTcpMessage(message: Exclude<TcpMessage, { datagrams: unknown }>): Uint8Array {
  switch (message.kind) {
    case TCP_STREAM_OPEN:
    case TCP_STREAM_END:
      return numbered(message.kind, message.stream);
    case TCP_STREAM_DATA:
      return numbered(message.kind, message.stream, message.bytes);
    case TCP_STREAM_CREDIT:
      return numbered(message.kind, message.stream, numberBytes(message.credit));
    case TCP_CLOSE:
      return numbered(message.kind, message.code, utf8Of(message.reason, MAX_CLOSE_REASON_BYTES));
    case TCP_KEEP_ALIVE:
      return Uint8Array.of(message.kind);
  }
}

function numbered(kind: number, number: number, rest: Uint8Array = new Uint8Array(0)): Uint8Array {
  const message = new Uint8Array(KIND_BYTES + NUMBER_BYTES + rest.length);
  message[0] = kind;
  message.set(numberBytes(number), KIND_BYTES);
  message.set(rest, KIND_BYTES + NUMBER_BYTES);
  return message;
}

function numberBytes(number: number): Uint8Array {
  return Uint8Array.of(number >>> 24, number >>> 16, number >>> 8, number);
}

function readU32(bytes: Uint8Array, at: number): number {
  if (bytes.length < at + NUMBER_BYTES) throw new TcpMessageError(`a message of ${bytes.length} bytes`);
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

function requireLength(message: Uint8Array, length: number): void {
  if (message.length !== length) {
    throw new TcpMessageError(`${message.length} bytes where ${length} belong`);
  }
}
