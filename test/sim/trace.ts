/** What happened in a simulated run, as a hash that is equal when the run is, and the last lines for a failure. */

const KEPT_LINES = 60;

export class Trace {
  readonly #last: string[] = [];
  #hash = 0x811c9dc5;
  #lines = 0;

  add(line: string): void {
    // FNV-1a over UTF-16 units.
    for (let i = 0; i < line.length; i++) this.#hash = Math.imul(this.#hash ^ line.charCodeAt(i), 0x01000193);
    this.#hash = Math.imul(this.#hash ^ 10, 0x01000193);
    this.#lines++;
    this.#last.push(line);
    if (this.#last.length > KEPT_LINES) this.#last.shift();
  }

  get hash(): string {
    return `${(this.#hash >>> 0).toString(16).padStart(8, "0")}-${this.#lines}`;
  }

  /** The last lines, for the message of a failure. */
  get tail(): string {
    return this.#last.join("\n");
  }
}
