/** What etcd answered last to each question, for the time when it does not answer. */
import { MAX_LAST_READS } from "../limits.ts";

export class LastReads {
  /** In order of reading. */
  readonly #reads = new Map<string, { value: unknown; readUs: number }>();

  /** The question tells the type of the value: each is asked in one place of the code. */
  remember(question: string, value: unknown, readUs: number): void {
    this.#reads.delete(question);
    this.#reads.set(question, { value, readUs });
    const oldest = this.#reads.keys().next();
    if (this.#reads.size > MAX_LAST_READS && !oldest.done) this.#reads.delete(oldest.value);
  }

  /** Undefined when it was never asked, or not since `sinceUs`. */
  find(question: string, sinceUs: number): { value: unknown } | undefined {
    const read = this.#reads.get(question);
    return read && read.readUs >= sinceUs ? read : undefined;
  }
}
