/**
 * ICY metadata: a block with the title after each ICY_INTERVAL_BYTES of sound, for listeners that ask for it with `Icy-MetaData: 1`. There is no
 * specification but what SHOUTcast and Icecast do: a length byte in units of 16, then `StreamTitle='...';`, filled up with zeros.
 */
import { ICY_INTERVAL_BYTES, MAX_TITLE_BYTES } from "./limits.ts";

const UNIT_BYTES = 16;
/** A block that says nothing new. */
const SAME = Uint8Array.of(0);

/** Who speaks, as blocks carry it; one object a title, shared by all listeners. */
export interface IcyTitle {
  block: Uint8Array;
}

export function icyTitle(title: string): IcyTitle {
  // A quote would end the title early: players have no way to escape it.
  const safe = title.replaceAll("'", "’").replaceAll(/\p{Cc}/gu, " ");
  const text = new TextEncoder().encode(`StreamTitle='${cut(safe)}';`);
  const units = Math.ceil(text.length / UNIT_BYTES);
  const block = new Uint8Array(1 + units * UNIT_BYTES);
  block[0] = units;
  block.set(text, 1);
  return { block };
}

/** To MAX_TITLE_BYTES of UTF-8, at a character. */
function cut(text: string): string {
  const buffer = new Uint8Array(MAX_TITLE_BYTES);
  const { read } = new TextEncoder().encodeInto(text, buffer);
  return text.slice(0, read);
}

/** Puts metadata between the bytes of one listener, without copying them. */
export class IcyInserter {
  #untilBlock = ICY_INTERVAL_BYTES;
  #told: IcyTitle | undefined;

  /** What to send for these bytes, in order. */
  pieces(bytes: Uint8Array, title: IcyTitle): Uint8Array[] {
    const pieces: Uint8Array[] = [];
    let at = 0;
    while (bytes.length - at >= this.#untilBlock) {
      pieces.push(bytes.subarray(at, at + this.#untilBlock), this.#told === title ? SAME : title.block);
      this.#told = title;
      at += this.#untilBlock;
      this.#untilBlock = ICY_INTERVAL_BYTES;
    }
    if (at < bytes.length) {
      pieces.push(bytes.subarray(at));
      this.#untilBlock -= bytes.length - at;
    }
    return pieces;
  }
}
