/** Requests that the relay has not answered yet, by number. */
import { SessionClosedError } from "../session/session.ts";
import type { FailureCode } from "../wire/control-messages.ts";
import { MAX_WAITING_REQUESTS } from "../wire/limits.ts";

/** The relay refused a request; `code` says why, `message` in a sentence. */
export class RequestFailedError extends Error {
  override readonly name = "RequestFailedError";
  readonly code: FailureCode;
  constructor(code: FailureCode, message: string) {
    super(message);
    this.code = code;
  }
}

export interface Answer {
  trackId: number | undefined;
}

interface Waiting {
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

export class RequestTable {
  readonly #waiting = new Map<number, Waiting>();
  #next = 1;

  /** Calls `send` with a fresh number; resolves with the answer, or rejects with RequestFailedError or SessionClosedError. */
  open(send: (request: number) => void): Promise<Answer> {
    // The relay answers each, so more means that something is wrong.
    if (this.#waiting.size >= MAX_WAITING_REQUESTS) {
      return Promise.reject(new RequestFailedError("unavailable", "too many requests wait for an answer"));
    }
    const request = this.#next;
    this.#next = (this.#next + 1) >>> 0;
    return new Promise((resolve, reject) => {
      this.#waiting.set(request, { resolve, reject });
      send(request);
    });
  }

  answer(request: number, answer: Answer): void {
    this.#waiting.get(request)?.resolve(answer);
    this.#waiting.delete(request);
  }

  reject(request: number, error: Error): void {
    this.#waiting.get(request)?.reject(error);
    this.#waiting.delete(request);
  }

  /** The session is over: nothing will be answered any more. */
  end(why: string): void {
    const gone = new SessionClosedError(`the session is over: ${why}`);
    for (const waiting of this.#waiting.values()) waiting.reject(gone);
    this.#waiting.clear();
  }
}
