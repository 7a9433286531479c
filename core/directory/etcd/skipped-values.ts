/** Counts the values in etcd that are passed over because they are not ours, and names the first ones in the log. */
import { MAX_ETCD_KEY_CHARS, MAX_LOGGED_VALUES } from "../limits.ts";
import { textOfBase64 } from "./text-bytes.ts";

export class SkippedValues {
  readonly #log: (line: string) => void;
  readonly #logged = new Set<string>();
  #count = 0;

  constructor(log: (line: string) => void) {
    this.#log = log;
  }

  get count(): number {
    return this.#count;
  }

  skip(base64Key: string, why: string): void {
    this.#count += 1;
    if (this.#logged.size >= MAX_LOGGED_VALUES || this.#logged.has(base64Key)) return;
    this.#logged.add(base64Key);
    const key = textOfBase64(base64Key.slice(0, MAX_ETCD_KEY_CHARS)) ?? base64Key.slice(0, 100);
    this.#log(`etcd's key ${JSON.stringify(key.slice(0, 200))} is passed over: it ${why}`);
  }
}
