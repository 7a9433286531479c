/**
 * The first bytes of a stream that the other side opened: what kind it is and, for a WebTransport stream, which
 * session it belongs to (RFC 9114, 6.2; draft-ietf-webtrans-http3, 4.1 and 4.2). Pure and incremental.
 */
import {
  H3_ID_ERROR,
  Http3Error,
  SIGNAL_WEBTRANSPORT_BIDIRECTIONAL,
  STREAM_CONTROL,
  STREAM_PUSH,
  STREAM_QPACK_DECODER,
  STREAM_QPACK_ENCODER,
  STREAM_WEBTRANSPORT_UNIDIRECTIONAL,
} from "./http3-codes.ts";
import { concatBytes, readVarint, VARINT_INCOMPLETE, varintLengthFromFirstByte } from "./varint.ts";

export type StreamOpening =
  | {
      readonly kind: "control" | "push" | "qpack-encoder" | "qpack-decoder" | "request";
      readonly rest: Uint8Array;
    }
  | { readonly kind: "webtransport"; readonly sessionId: number; readonly rest: Uint8Array }
  | { readonly kind: "unknown"; readonly type: number; readonly rest: Uint8Array };

const PLAIN_KINDS = new Map([
  [STREAM_CONTROL, "control"],
  [STREAM_PUSH, "push"],
  [STREAM_QPACK_ENCODER, "qpack-encoder"],
  [STREAM_QPACK_DECODER, "qpack-decoder"],
] as const);

/** Collects the opening of one stream; at most 16 bytes are held back. */
export class StreamOpeningReader {
  readonly #direction: "bidirectional" | "unidirectional";
  #held: Uint8Array = new Uint8Array(0);

  constructor(direction: "bidirectional" | "unidirectional") {
    this.#direction = direction;
  }

  /** Returns the opening as soon as it is known, null while more bytes are needed. Not to be called after that. */
  push(chunk: Uint8Array): StreamOpening | null {
    const bytes = this.#held.length === 0 ? chunk : concatBytes(this.#held, chunk);
    const type = readVarint(bytes, 0);
    if (type === VARINT_INCOMPLETE) return this.#hold(bytes);
    const typeLength = varintLengthFromFirstByte(bytes[0] as number);
    const webTransportType =
      this.#direction === "bidirectional"
        ? SIGNAL_WEBTRANSPORT_BIDIRECTIONAL
        : STREAM_WEBTRANSPORT_UNIDIRECTIONAL;
    if (type === webTransportType) {
      const sessionId = readVarint(bytes, typeLength);
      if (sessionId === VARINT_INCOMPLETE) return this.#hold(bytes);
      // A session is named by its CONNECT stream, which is bidirectional and opened by the client.
      if (sessionId % 4 !== 0)
        throw new Http3Error(H3_ID_ERROR, `${sessionId} cannot be the id of a session.`);
      const start = typeLength + varintLengthFromFirstByte(bytes[typeLength] as number);
      return { kind: "webtransport", sessionId, rest: bytes.subarray(start) };
    }
    // A request stream has no type: what we read is the type of its first frame, which stays in the stream.
    if (this.#direction === "bidirectional") return { kind: "request", rest: bytes };
    const rest = bytes.subarray(typeLength);
    const kind = PLAIN_KINDS.get(type as 0 | 1 | 2 | 3);
    return kind === undefined ? { kind: "unknown", type, rest } : { kind, rest };
  }

  #hold(bytes: Uint8Array): null {
    this.#held = bytes.slice();
    return null;
  }
}
