/** Writes boxes (ISO/IEC 14496-12, 4.2) into a buffer that grows. Sizes are filled in when a box ends. */

export class BoxWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #length = 0;

  constructor(capacity = 1024) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Bytes written so far: where the next one goes. */
  get length(): number {
    return this.#length;
  }

  /** A box with what `content` writes. `type`: four ASCII characters. */
  box(type: string, content: () => void): void {
    const start = this.#length;
    this.u32(0);
    this.ascii(type);
    content();
    this.patchU32(start, this.#length - start);
  }

  /** A box with version and flags in front (FullBox). */
  fullBox(type: string, version: number, flags: number, content: () => void): void {
    this.box(type, () => {
      this.u32(((version << 24) | flags) >>> 0);
      content();
    });
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#view.setUint8(this.#length, value);
    this.#length += 1;
  }

  u16(value: number): void {
    this.#reserve(2);
    this.#view.setUint16(this.#length, value);
    this.#length += 2;
  }

  u32(value: number): void {
    this.#reserve(4);
    this.#view.setUint32(this.#length, value);
    this.#length += 4;
  }

  /** A whole number below 2^53. */
  u64(value: number): void {
    this.u32(Math.floor(value / 2 ** 32));
    this.u32(value >>> 0);
  }

  zeros(count: number): void {
    this.#reserve(count);
    // The buffer is new and nothing is ever taken back, so it holds zeros already.
    this.#length += count;
  }

  ascii(text: string): void {
    for (let at = 0; at < text.length; at++) this.u8(text.charCodeAt(at));
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  patchU32(at: number, value: number): void {
    this.#view.setUint32(at, value);
  }

  /** What was written. The writer must not be used any more. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}
