/** Reads bits of a NAL unit: fixed lengths and Exp-Golomb codes (ITU-T H.264, 7.2 and 9.1), past emulation prevention bytes. */

/** The bits have ended before what was to be read. */
export class BitsEndedError extends Error {
  override readonly name = "BitsEndedError";
}

export class BitReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  #bit = 0;
  #zeros = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  bit(): number {
    if (this.#bit === 0 && this.#zeros >= 2 && this.#bytes[this.#at] === 3) {
      this.#at += 1;
      this.#zeros = 0;
    }
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new BitsEndedError("The NAL unit is shorter than its content.");
    const value = (byte >> (7 - this.#bit)) & 1;
    this.#bit += 1;
    if (this.#bit === 8) {
      this.#bit = 0;
      this.#at += 1;
      this.#zeros = byte === 0 ? this.#zeros + 1 : 0;
    }
    return value;
  }

  bits(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) value = value * 2 + this.bit();
    return value;
  }

  /** ue(v), below 2^32. */
  unsigned(): number {
    let zeros = 0;
    while (this.bit() === 0) {
      zeros += 1;
      if (zeros > 32) throw new BitsEndedError("The NAL unit has an Exp-Golomb code of more than 32 bits.");
    }
    return 2 ** zeros - 1 + this.bits(zeros);
  }

  /** se(v) */
  signed(): number {
    const code = this.unsigned();
    return code % 2 === 1 ? (code + 1) / 2 : -code / 2;
  }
}
