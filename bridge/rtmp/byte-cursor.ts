/** Reads big-endian fields of bytes that came from outside; running past the end is an RtmpError `malformed`. */
import { RtmpError } from "./rtmp-error.ts";

const text = new TextDecoder();

export class ByteCursor {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  /** For the error: "AMF0 body". */
  readonly #what: string;
  #at: number;

  constructor(bytes: Uint8Array, what: string, at = 0) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#what = what;
    this.#at = at;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  u8(): number {
    return this.#view.getUint8(this.#skip(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#skip(2));
  }

  u24(): number {
    const at = this.#skip(3);
    return (this.#view.getUint16(at) << 8) | this.#view.getUint8(at + 2);
  }

  /** Signed. */
  i24(): number {
    return (this.u24() << 8) >> 8;
  }

  u32(): number {
    return this.#view.getUint32(this.#skip(4));
  }

  f64(): number {
    return this.#view.getFloat64(this.#skip(8));
  }

  /** A view, not a copy. */
  take(length: number): Uint8Array {
    const at = this.#skip(length);
    return this.#bytes.subarray(at, at + length);
  }

  rest(): Uint8Array {
    return this.take(this.left);
  }

  /** UTF-8; broken sequences become replacement characters. */
  utf8(length: number): string {
    return text.decode(this.take(length));
  }

  #skip(length: number): number {
    const at = this.#at;
    if (length > this.#bytes.length - at) {
      throw new RtmpError("malformed", `The ${this.#what} ends within a field.`);
    }
    this.#at = at + length;
    return at;
  }
}
