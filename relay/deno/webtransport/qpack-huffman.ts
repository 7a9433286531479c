/**
 * The Huffman code of HPACK and QPACK (RFC 7541, section 5.2 and appendix B). The code is canonical (within a length,
 * codes ascend with the symbol), so the 256 code lengths are the whole table.
 */
import { Http3Error, QPACK_DECOMPRESSION_FAILED } from "./http3-codes.ts";

/** Code length of each byte value, 32 a line, one letter each: "a" is 5 bits, "b" is 6, ... "z" is 30. */
const LENGTH_LETTERS = [
  "isxxxxxxxtzxxzxxxxxxxxzxxxxxxxxx",
  "bffhibdgffdgdbbbaaabbbbbbbcdkbhf",
  "ibccccccccccccccccccccccdcdioijb",
  "kabababbbaccbbbabcbaabccccckgjix",
  "prpprrrsrssssststtrstssssqrsrsst",
  "rqprrssqsrrtqrssqqrqsrssprrrsrrs",
  "vvporsruvvvwwvtuoqvwwvwtqqvvxwww",
  "ptpqrqqsrruuttvsvwvvwwwwwxwwwwwv",
].join("");
const SHORTEST_BITS = 5;
const LONGEST_BITS = 30;
const LETTER_A = 97;

const LENGTH_OF_SYMBOL = Uint8Array.from(
  LENGTH_LETTERS,
  (letter) => letter.charCodeAt(0) - LETTER_A + SHORTEST_BITS,
);
const CODE_OF_SYMBOL = new Uint32Array(256);
/** Symbols by code: shorter first, then by value. */
const SYMBOL_BY_RANK = new Uint8Array(256);
/** For each length: the first code, the rank of its symbol, and how many codes there are. */
const FIRST_CODE = new Uint32Array(LONGEST_BITS + 1);
const FIRST_RANK = new Uint32Array(LONGEST_BITS + 1);
const CODE_COUNT = new Uint32Array(LONGEST_BITS + 1);

let nextCode = 0;
let nextRank = 0;
for (let bits = SHORTEST_BITS; bits <= LONGEST_BITS; bits += 1) {
  FIRST_CODE[bits] = nextCode;
  FIRST_RANK[bits] = nextRank;
  for (let symbol = 0; symbol < 256; symbol += 1) {
    if (LENGTH_OF_SYMBOL[symbol] !== bits) continue;
    CODE_OF_SYMBOL[symbol] = nextCode;
    SYMBOL_BY_RANK[nextRank] = symbol;
    nextCode += 1;
    nextRank += 1;
  }
  CODE_COUNT[bits] = nextRank - (FIRST_RANK[bits] as number);
  nextCode *= 2;
}

/** How many bytes `bytes` takes when it is Huffman coded. */
export function huffmanLength(bytes: Uint8Array): number {
  let bits = 0;
  for (const symbol of bytes) bits += LENGTH_OF_SYMBOL[symbol] as number;
  return Math.ceil(bits / 8);
}

/** Huffman codes `bytes`; the last byte is padded with ones. */
export function huffmanEncode(bytes: Uint8Array): Uint8Array {
  const coded = new Uint8Array(huffmanLength(bytes)).fill(0);
  let bitOffset = 0;
  const putBit = (bit: number): void => {
    coded[bitOffset >> 3] = (coded[bitOffset >> 3] as number) | (bit << (7 - (bitOffset & 7)));
    bitOffset += 1;
  };
  for (const symbol of bytes) {
    const code = CODE_OF_SYMBOL[symbol] as number;
    for (let bit = (LENGTH_OF_SYMBOL[symbol] as number) - 1; bit >= 0; bit -= 1) putBit((code >>> bit) & 1);
  }
  while (bitOffset % 8 !== 0) putBit(1);
  return coded;
}

/**
 * Decodes Huffman coded bytes. Throws QPACK_DECOMPRESSION_FAILED for the end-of-string symbol, for padding that is not
 * all ones and for 8 or more bits of it.
 */
export function huffmanDecode(coded: Uint8Array): Uint8Array {
  const symbols = new Uint8Array(Math.floor((coded.length * 8) / SHORTEST_BITS));
  let count = 0;
  let code = 0;
  let bits = 0;
  for (const byte of coded) {
    for (let shift = 7; shift >= 0; shift -= 1) {
      code = code * 2 + ((byte >> shift) & 1);
      bits += 1;
      if (bits > LONGEST_BITS)
        throw new Http3Error(QPACK_DECOMPRESSION_FAILED, "An impossible Huffman code.");
      const rank = code - (FIRST_CODE[bits] as number);
      if (rank < 0 || rank >= (CODE_COUNT[bits] as number)) continue;
      symbols[count] = SYMBOL_BY_RANK[(FIRST_RANK[bits] as number) + rank] as number;
      count += 1;
      code = 0;
      bits = 0;
    }
  }
  if (bits >= 8 || code !== 2 ** bits - 1) {
    throw new Http3Error(QPACK_DECOMPRESSION_FAILED, "Wrong padding behind a Huffman coded string.");
  }
  return symbols.subarray(0, count);
}
