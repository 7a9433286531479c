/**
 * The join token that this room is held with. When the gateway says that it has expired the page is asked for another one, if the
 * application gives any: whoever slept for hours comes back so.
 */
import { GatewayError } from "../../core/participant/joining/gateway-join.ts";

export class JoinToken {
  #token: string;
  readonly #ask: (() => void) | undefined;
  #renewal: Promise<void> | undefined;
  #settle: { resolve(): void; reject(error: GatewayError): void } | undefined;

  /** `ask`: has the page give another one, by `renew` or `refuse`; undefined: it gives none. */
  constructor(token: string, ask: (() => void) | undefined) {
    this.#token = token;
    this.#ask = ask;
  }

  /** Does something with the token, and once again with another one where it has expired. `use` rejects with GatewayError. */
  async with<T>(use: (token: string) => Promise<T>): Promise<T> {
    try {
      return await use(this.#token);
    } catch (error) {
      const isExpired = error instanceof GatewayError && error.code === "token-expired";
      if (!isExpired || this.#ask === undefined) throw error;
      await this.#renewed(this.#ask);
      return await use(this.#token);
    }
  }

  #renewed(ask: () => void): Promise<void> {
    if (this.#renewal === undefined) {
      const promise = new Promise<void>((resolve, reject) => {
        this.#settle = { resolve, reject };
      });
      promise.catch(() => undefined);
      this.#renewal = promise;
      ask();
    }
    return this.#renewal;
  }

  renew(token: string): void {
    this.#token = token;
    this.#settle?.resolve();
    this.#renewal = undefined;
  }

  /** `message`: what the application said in place of a token. */
  refuse(message: string): void {
    this.#settle?.reject(new GatewayError("token-expired", message, true));
    this.#renewal = undefined;
  }
}
