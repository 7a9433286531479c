/**
 * One POST and its answer, bounded in time and size: read as a whole, or line by line for as long as the other
 * side has something to say.
 */
import type { Clock, Timer } from "../../clock.ts";
import { MAX_ETCD_ANSWER_BYTES } from "../limits.ts";
import type { HttpBodyReader, HttpPost } from "./http-post.ts";
import { newDecoder } from "./text-bytes.ts";

/** Nothing came in time. */
export class EtcdTimeoutError extends Error {
  override readonly name = "EtcdTimeoutError";
}

/** The answer, or one line of it, is longer than MAX_ETCD_ANSWER_BYTES. */
export class EtcdAnswerTooLargeError extends Error {
  override readonly name = "EtcdAnswerTooLargeError";
}

export class Exchange {
  readonly status: number;
  readonly #clock: Clock;
  readonly #reader: HttpBodyReader | undefined;
  readonly #abort: () => void;
  readonly #decoder = newDecoder();
  #lines: string[] = [];
  /** The line that is not whole yet. */
  #rest = "";
  #ended = false;

  private constructor(clock: Clock, status: number, reader: HttpBodyReader | undefined, abort: () => void) {
    this.status = status;
    this.#clock = clock;
    this.#reader = reader;
    this.#abort = abort;
  }

  /** Resolves with the head of the answer. Rejects with EtcdTimeoutError, or with what the HTTP function throws. */
  static async open(
    post: HttpPost,
    clock: Clock,
    url: string,
    headers: Record<string, string>,
    body: string,
    timeoutMs: number,
  ): Promise<Exchange> {
    const { answer, abort } = post(url, headers, body);
    const { status, body: content } = await within(clock, timeoutMs, answer, abort);
    return new Exchange(clock, status, content?.getReader(), abort);
  }

  /** The rest of the answer. Rejects with EtcdTimeoutError, EtcdAnswerTooLargeError or what the body throws. */
  async text(timeoutMs: number): Promise<string> {
    const all = (async () => {
      let text = "";
      for (;;) {
        const piece = await this.#read();
        if (piece === undefined) return text;
        text += piece;
        if (text.length > MAX_ETCD_ANSWER_BYTES) throw this.#tooLarge();
      }
    })();
    return within(this.#clock, timeoutMs, all, this.#abort);
  }

  /** The next line that is not empty; undefined when the answer has ended. Rejects as `text` does. */
  async nextLine(timeoutMs: number): Promise<string | undefined> {
    for (;;) {
      const line = this.#lines.shift();
      if (line !== undefined && line !== "") return line;
      if (line !== undefined) continue;
      const piece = await within(this.#clock, timeoutMs, this.#read(), this.#abort);
      if (piece === undefined) return undefined;
      const [first = "", ...others] = piece.split("\n");
      this.#rest += first;
      if (others.length > 0) {
        this.#lines = [this.#rest, ...others];
        this.#rest = this.#lines.pop() ?? "";
      }
      if (this.#rest.length > MAX_ETCD_ANSWER_BYTES) throw this.#tooLarge();
    }
  }

  /** Ends it, wherever it is. */
  close(): void {
    this.#abort();
  }

  async #read(): Promise<string | undefined> {
    if (this.#reader === undefined || this.#ended) return undefined;
    const { done, value } = await this.#reader.read();
    this.#ended = done;
    return done ? undefined : this.#decoder.decode(value, { stream: true });
  }

  #tooLarge(): EtcdAnswerTooLargeError {
    this.#abort();
    return new EtcdAnswerTooLargeError(`an answer has more than ${MAX_ETCD_ANSWER_BYTES} bytes`);
  }
}

/** A frozen etcd keeps connections open and says nothing: whatever is waited for ends after `timeoutMs`. */
async function within<T>(clock: Clock, timeoutMs: number, work: Promise<T>, abort: () => void): Promise<T> {
  let timer: Timer | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = clock.after(timeoutMs, () => {
      reject(new EtcdTimeoutError(`no answer within ${timeoutMs} ms`));
      abort();
    });
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    timer?.cancel();
  }
}
