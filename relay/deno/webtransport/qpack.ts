/**
 * QPACK field sections (RFC 9204, section 4.5) without a dynamic table: both sides announce a table capacity of 0, so
 * every reference is to the static table and a section is decoded on its own.
 */
import { H3_EXCESSIVE_LOAD, Http3Error, QPACK_DECOMPRESSION_FAILED } from "./http3-codes.ts";
import { huffmanDecode, huffmanEncode, huffmanLength } from "./qpack-huffman.ts";
import {
  type HeaderField,
  STATIC_TABLE,
  staticIndexOfField,
  staticIndexOfName,
} from "./qpack-static-table.ts";

export interface FieldSectionLimits {
  /** Sum of name + value + 32 bytes over all fields (RFC 9114, 4.2.2). */
  readonly maxHeaderBytes: number;
  readonly maxHeaderFields: number;
}

/** What RFC 9114 counts for a field beside its name and value. */
const FIELD_OVERHEAD_BYTES = 32;
/** Continuation bytes of a prefix integer: 4 x 7 bits are more than any length we accept. */
const MAX_INTEGER_CONTINUATION = 4;

function failed(message: string): Http3Error {
  return new Http3Error(QPACK_DECOMPRESSION_FAILED, message);
}

/** Reads one field section from beginning to end. */
class FieldSectionReader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#offset >= this.#bytes.length;
  }

  get nextByte(): number {
    if (this.done) throw failed("A header section ends inside a field.");
    return this.#bytes[this.#offset] as number;
  }

  /** A prefix integer (RFC 7541, 5.1) in the low `prefixBits` of the next byte. */
  integer(prefixBits: number): number {
    const mask = 2 ** prefixBits - 1;
    let value = this.nextByte & mask;
    this.#offset += 1;
    if (value < mask) return value;
    for (let i = 0; i < MAX_INTEGER_CONTINUATION; i += 1) {
      const byte = this.nextByte;
      this.#offset += 1;
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) return value;
    }
    throw failed("A number in a header section is too large.");
  }

  /** A string whose length has `prefixBits` bits, with the Huffman flag in the bit above them. */
  string(prefixBits: number): string {
    const isHuffman = (this.nextByte & (1 << prefixBits)) !== 0;
    const length = this.integer(prefixBits);
    const end = this.#offset + length;
    if (end > this.#bytes.length) throw failed("A header section ends inside a string.");
    const bytes = this.#bytes.subarray(this.#offset, end);
    this.#offset = end;
    return bytesToText(isHuffman ? huffmanDecode(bytes) : bytes);
  }

  field(): HeaderField {
    const first = this.nextByte;
    if ((first & 0x80) !== 0) {
      requireStatic(first & 0x40);
      return staticEntry(this.integer(6));
    }
    if ((first & 0x40) !== 0) {
      requireStatic(first & 0x10);
      const [name] = staticEntry(this.integer(4));
      return [name, this.string(7)];
    }
    if ((first & 0x20) !== 0) {
      const name = this.string(3);
      return [name, this.string(7)];
    }
    throw failed("A header field refers to the dynamic table, which has a capacity of 0.");
  }
}

function requireStatic(flag: number): void {
  if (flag === 0) throw failed("A header field refers to the dynamic table, which has a capacity of 0.");
}

function staticEntry(index: number): HeaderField {
  const entry = STATIC_TABLE[index];
  if (entry === undefined) throw failed(`The static table has no entry ${index}.`);
  return entry;
}

/** Decodes one header section. Throws Http3Error when it is malformed, too long, or needs a dynamic table. */
export function decodeFieldSection(block: Uint8Array, limits: FieldSectionLimits): HeaderField[] {
  const reader = new FieldSectionReader(block);
  if (reader.integer(8) !== 0)
    throw failed("A header section needs the dynamic table, which has a capacity of 0.");
  reader.integer(7);
  const fields: HeaderField[] = [];
  let size = 0;
  while (!reader.done) {
    const field = reader.field();
    size += field[0].length + field[1].length + FIELD_OVERHEAD_BYTES;
    if (size > limits.maxHeaderBytes || fields.length >= limits.maxHeaderFields) {
      throw new Http3Error(H3_EXCESSIVE_LOAD, "A header section is larger than this end allows.");
    }
    fields.push(field);
  }
  return fields;
}

/** Encodes a header section with the static table, literals, and Huffman coding where that is shorter. */
export function encodeFieldSection(fields: readonly HeaderField[]): Uint8Array {
  const bytes: number[] = [0, 0];
  for (const [name, value] of fields) {
    const fieldIndex = staticIndexOfField(name, value);
    const nameIndex = staticIndexOfName(name);
    if (fieldIndex !== undefined) {
      putInteger(bytes, 0xc0, 6, fieldIndex);
    } else if (nameIndex !== undefined) {
      putInteger(bytes, 0x50, 4, nameIndex);
      putString(bytes, 0x00, 7, value);
    } else {
      putString(bytes, 0x20, 3, name);
      putString(bytes, 0x00, 7, value);
    }
  }
  return Uint8Array.from(bytes);
}

function putInteger(bytes: number[], flags: number, prefixBits: number, value: number): void {
  const mask = 2 ** prefixBits - 1;
  if (value < mask) {
    bytes.push(flags | value);
    return;
  }
  bytes.push(flags | mask);
  let rest = value - mask;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
}

function putString(bytes: number[], flags: number, prefixBits: number, text: string): void {
  const plain = textToBytes(text);
  const useHuffman = huffmanLength(plain) < plain.length;
  const coded = useHuffman ? huffmanEncode(plain) : plain;
  putInteger(bytes, flags | (useHuffman ? 1 << prefixBits : 0), prefixBits, coded.length);
  for (const byte of coded) bytes.push(byte);
}

function bytesToText(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

function textToBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => {
    const byte = character.charCodeAt(0);
    if (character.length > 1 || byte > 0xff) {
      throw new RangeError(
        `A header holds bytes; ${JSON.stringify(text)} has other characters: percent-encode them.`,
      );
    }
    return byte;
  });
}
