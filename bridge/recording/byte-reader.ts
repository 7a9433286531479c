/** Takes bytes from a stream by number, whatever the pieces in which it brings them. */

export function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const all = new Uint8Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}

export class ByteReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #left: Uint8Array = new Uint8Array();

  constructor(body: ReadableStream<Uint8Array>) {
    this.#reader = body.getReader();
  }

  /** Undefined: the stream ends before. */
  async take(length: number): Promise<Uint8Array | undefined> {
    if (this.#left.length < length) {
      const pieces = [this.#left];
      let have = this.#left.length;
      while (have < length) {
        const { value } = await this.#reader.read();
        if (value === undefined) return undefined;
        pieces.push(value);
        have += value.length;
      }
      this.#left = pieces.reduce(joined);
    }
    const taken = this.#left.subarray(0, length);
    this.#left = this.#left.subarray(length);
    return taken;
  }

  /** What is there next, at most so many; undefined at the end. */
  async some(most: number): Promise<Uint8Array | undefined> {
    if (this.#left.length === 0) {
      const { value } = await this.#reader.read();
      if (value === undefined) return undefined;
      this.#left = value;
    }
    const taken = this.#left.subarray(0, most);
    this.#left = this.#left.subarray(taken.length);
    return taken;
  }

  async skip(length: number): Promise<boolean> {
    let open = length - this.#left.length;
    if (open <= 0) {
      this.#left = this.#left.subarray(length);
      return true;
    }
    while (open > 0) {
      const { value } = await this.#reader.read();
      if (value === undefined) return false;
      this.#left = value.subarray(Math.min(open, value.length));
      open -= value.length;
    }
    return true;
  }

  giveBack(bytes: Uint8Array): void {
    this.#left = joined(bytes, this.#left);
  }

  async cancel(): Promise<void> {
    await this.#reader.cancel().catch(() => undefined);
  }
}
