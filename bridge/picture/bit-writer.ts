/** Writes the bits of a NAL unit: fixed lengths and Exp-Golomb codes (ITU-T H.264, 7.2 and 9.1), with emulation prevention at the end. */

export class BitWriter {
  readonly #bytes: number[] = [];
  #byte = 0;
  #count = 0;

  bits(value: number, count: number): void {
    for (let at = count - 1; at >= 0; at--) {
      this.#byte = (this.#byte << 1) | ((value >> at) & 1);
      this.#count += 1;
      if (this.#count < 8) continue;
      this.#bytes.push(this.#byte);
      this.#byte = 0;
      this.#count = 0;
    }
  }

  /** ue(v) */
  unsigned(value: number): void {
    const length = 32 - Math.clz32(value + 1);
    this.bits(0, length - 1);
    this.bits(value + 1, length);
  }

  /** se(v) */
  signed(value: number): void {
    this.unsigned(value > 0 ? value * 2 - 1 : -value * 2);
  }

  /** Zeros up to the next byte. */
  align(): void {
    while (this.#count !== 0) this.bits(0, 1);
  }

  /** The NAL unit in Annex B: start code, header, content with its stop bit. */
  nalUnit(header: number): Uint8Array {
    this.bits(1, 1);
    this.align();
    const out = [0, 0, 0, 1, header];
    let zeros = 0;
    for (const byte of this.#bytes) {
      if (zeros >= 2 && byte <= 3) {
        out.push(3);
        zeros = 0;
      }
      out.push(byte);
      zeros = byte === 0 ? zeros + 1 : 0;
    }
    return Uint8Array.from(out);
  }
}
