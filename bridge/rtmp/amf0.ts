/**
 * AMF0 (Adobe, amf0-file-format-specification 1.0): what RTMP commands and metadata are made of. Decoding is bounded in
 * depth, values and lengths; objects come out without a prototype, so that no key is special.
 */
import { ByteCursor } from "./byte-cursor.ts";
import { MAX_AMF_DEPTH, MAX_AMF_STRING_BYTES, MAX_AMF_VALUES } from "./limits.ts";
import { RtmpError } from "./rtmp-error.ts";

/** Dates become milliseconds since the Unix epoch, XML a string, ECMA arrays and typed objects plain objects. */
export type Amf0Value = number | boolean | string | null | undefined | Amf0Value[] | Amf0Object | EcmaArray;
export interface Amf0Object {
  [key: string]: Amf0Value;
}

/** An object that is to be encoded as an ECMA array, as onMetaData is by custom. Never comes out of decoding. */
export class EcmaArray {
  readonly entries: Amf0Object;
  constructor(entries: Amf0Object) {
    this.entries = entries;
  }
}

const NUMBER = 0x00;
const BOOLEAN = 0x01;
const STRING = 0x02;
const OBJECT = 0x03;
const NULL = 0x05;
const UNDEFINED = 0x06;
const ECMA_ARRAY = 0x08;
const OBJECT_END = 0x09;
const STRICT_ARRAY = 0x0a;
const DATE = 0x0b;
const LONG_STRING = 0x0c;
const UNSUPPORTED = 0x0d;
const XML = 0x0f;
const TYPED_OBJECT = 0x10;

/** Every value of a body. Throws RtmpError. */
export function decodeAmf0(bytes: Uint8Array): Amf0Value[] {
  const reader = new Amf0Reader(bytes);
  const values: Amf0Value[] = [];
  while (reader.cursor.left > 0) values.push(reader.value(0));
  return values;
}

class Amf0Reader {
  readonly cursor: ByteCursor;
  #values = 0;

  constructor(bytes: Uint8Array) {
    this.cursor = new ByteCursor(bytes, "AMF0 body");
  }

  value(depth: number): Amf0Value {
    if (++this.#values > MAX_AMF_VALUES) {
      throw new RtmpError("too-large", `An AMF0 body has more than ${MAX_AMF_VALUES} values.`);
    }
    if (depth > MAX_AMF_DEPTH) {
      throw new RtmpError("too-large", `AMF0 objects are nested deeper than ${MAX_AMF_DEPTH}.`);
    }
    const marker = this.cursor.u8();
    switch (marker) {
      case NUMBER:
        return this.cursor.f64();
      case BOOLEAN:
        return this.cursor.u8() !== 0;
      case STRING:
        return this.#string(this.cursor.u16());
      case LONG_STRING:
      case XML:
        return this.#string(this.cursor.u32());
      case NULL:
        return null;
      case UNDEFINED:
      case UNSUPPORTED:
        return undefined;
      case DATE: {
        const ms = this.cursor.f64();
        this.cursor.u16();
        return ms;
      }
      case OBJECT:
        return this.#object(depth, false);
      case TYPED_OBJECT:
        this.#string(this.cursor.u16());
        return this.#object(depth, false);
      case ECMA_ARRAY:
        // The count is a hint that encoders get wrong: the end marker counts.
        this.cursor.u32();
        return this.#object(depth, true);
      case STRICT_ARRAY:
        return this.#array(depth);
      default:
        throw new RtmpError("unsupported", `AMF0 values of type 0x${marker.toString(16)} are not taken.`);
    }
  }

  #string(length: number): string {
    if (length > MAX_AMF_STRING_BYTES) {
      throw new RtmpError("too-large", `An AMF0 string is longer than ${MAX_AMF_STRING_BYTES} bytes.`);
    }
    return this.cursor.utf8(length);
  }

  #object(depth: number, mayEndWithBody: boolean): Amf0Object {
    const object: Amf0Object = Object.create(null);
    for (;;) {
      // Some encoders leave the end marker of their metadata away.
      if (mayEndWithBody && depth === 0 && this.cursor.left === 0) return object;
      const key = this.#string(this.cursor.u16());
      if (key !== "") {
        object[key] = this.value(depth + 1);
      } else if (this.cursor.u8() === OBJECT_END) {
        return object;
      } else {
        throw new RtmpError("malformed", "An AMF0 object has an empty key.");
      }
    }
  }

  #array(depth: number): Amf0Value[] {
    const length = this.cursor.u32();
    if (length > MAX_AMF_VALUES) {
      throw new RtmpError("too-large", `An AMF0 array has more than ${MAX_AMF_VALUES} values.`);
    }
    return Array.from({ length }, () => this.value(depth + 1));
  }
}

/** The body that holds `values`, one after the other. */
export function encodeAmf0(values: readonly Amf0Value[]): Uint8Array {
  const writer = new Amf0Writer();
  for (const value of values) writer.value(value);
  return writer.finish();
}

const encoder = new TextEncoder();

class Amf0Writer {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  value(value: Amf0Value): void {
    if (typeof value === "number") {
      this.#u8(NUMBER);
      const at = this.#grow(8);
      this.#view.setFloat64(at, value);
    } else if (typeof value === "boolean") {
      this.#u8(BOOLEAN);
      this.#u8(value ? 1 : 0);
    } else if (typeof value === "string") {
      this.#text(value);
    } else if (value === null || value === undefined) {
      this.#u8(value === null ? NULL : UNDEFINED);
    } else if (Array.isArray(value)) {
      this.#u8(STRICT_ARRAY);
      this.#u32(value.length);
      for (const each of value) this.value(each);
    } else if (value instanceof EcmaArray) {
      this.#u8(ECMA_ARRAY);
      this.#u32(Object.keys(value.entries).length);
      this.#entries(value.entries);
    } else {
      this.#u8(OBJECT);
      this.#entries(value);
    }
  }

  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #text(value: string): void {
    const bytes = encoder.encode(value);
    const long = bytes.length > 0xffff;
    this.#u8(long ? LONG_STRING : STRING);
    if (long) this.#u32(bytes.length);
    else this.#u16(bytes.length);
    this.#raw(bytes);
  }

  #entries(object: Amf0Object): void {
    for (const [key, value] of Object.entries(object)) {
      const bytes = encoder.encode(key);
      if (bytes.length === 0 || bytes.length > 0xffff) {
        throw new RangeError("a key of an AMF0 object has 1 to 65535 bytes");
      }
      this.#u16(bytes.length);
      this.#raw(bytes);
      this.value(value);
    }
    this.#u16(0);
    this.#u8(OBJECT_END);
  }

  #u8(value: number): void {
    const at = this.#grow(1);
    this.#view.setUint8(at, value);
  }

  #u16(value: number): void {
    const at = this.#grow(2);
    this.#view.setUint16(at, value);
  }

  #u32(value: number): void {
    const at = this.#grow(4);
    this.#view.setUint32(at, value);
  }

  #raw(bytes: Uint8Array): void {
    const at = this.#grow(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** Makes room for so many bytes and says where; the buffer may be another one afterwards. */
  #grow(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#length, 2 * this.#bytes.length));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }
}
