/** A source's body: raw until the connection ends, as icecast takes it, or of a length, or in chunks (RFC 9112, 6 and 7.1). */
import { IcecastError } from "./icecast-error.ts";
import { MAX_CHUNK_LINE_BYTES } from "./limits.ts";
import type { RequestHead } from "./request-head.ts";

type Framing = "raw" | "length" | "chunked";

const LF = 10;
const CHUNK_LINE = /^([0-9A-Fa-f]{1,8})[ \t]*(?:;.*)?\r?$/;

export class BodyDecoder {
  readonly #framing: Framing;
  /** Bytes of the body, or of the chunk, that are still to come. */
  #left: number;
  /** Chunked: what has come of a length line, or of the line end behind a chunk. */
  #line = "";
  #state: "data" | "line" | "line-end" | "over";

  constructor(framing: Framing, length = 0) {
    this.#framing = framing;
    this.#left = length;
    this.#state = framing === "chunked" ? "line" : framing === "length" && length === 0 ? "over" : "data";
  }

  /** Nothing that follows belongs to the body. */
  get over(): boolean {
    return this.#state === "over";
  }

  /** The parts of `bytes` that are sound, in order, without copying. @throws IcecastError 400 */
  push(bytes: Uint8Array): Uint8Array[] {
    if (this.#framing === "raw") return [bytes];
    const parts: Uint8Array[] = [];
    let at = 0;
    while (at < bytes.length && this.#state !== "over") {
      if (this.#state === "data") {
        const part = bytes.subarray(at, at + this.#left);
        parts.push(part);
        at += part.length;
        this.#left -= part.length;
        if (this.#left === 0) this.#state = this.#framing === "length" ? "over" : "line-end";
      } else {
        at = this.#readLine(bytes, at);
      }
    }
    return parts;
  }

  #readLine(bytes: Uint8Array, at: number): number {
    const end = bytes.indexOf(LF, at);
    const stop = end < 0 ? bytes.length : end;
    if (this.#line.length + stop - at > MAX_CHUNK_LINE_BYTES) throw malformed();
    this.#line += String.fromCharCode(...bytes.subarray(at, stop));
    if (end < 0) return bytes.length;
    const line = this.#line;
    this.#line = "";
    if (this.#state === "line-end") {
      if (line !== "" && line !== "\r") throw malformed();
      this.#state = "line";
      return end + 1;
    }
    const [, size] = CHUNK_LINE.exec(line) ?? [];
    if (size === undefined) throw malformed();
    this.#left = Number.parseInt(size, 16);
    // What may come behind the last chunk says nothing about sound.
    this.#state = this.#left === 0 ? "over" : "data";
    return end + 1;
  }
}

function malformed(): IcecastError {
  return new IcecastError(400, "The chunks of the body are malformed (RFC 9112, section 7.1).");
}

/** @throws IcecastError 400 where headers contradict each other */
export function bodyDecoder({ headers }: RequestHead): BodyDecoder {
  const coding = headers.get("transfer-encoding")?.toLowerCase();
  const length = headers.get("content-length");
  if (coding !== undefined && coding !== "identity") {
    if (coding !== "chunked" || length !== undefined) {
      throw new IcecastError(400, "Send the body as it is, or in chunks without a Content-Length.");
    }
    return new BodyDecoder("chunked");
  }
  if (length === undefined) return new BodyDecoder("raw");
  if (!/^\d{1,15}$/.test(length)) throw new IcecastError(400, "Content-Length is not a number.");
  // Some programs send 0 or a huge number where they mean "until I close".
  return Number(length) === 0 ? new BodyDecoder("raw") : new BodyDecoder("length", Number(length));
}
