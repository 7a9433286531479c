/**
 * Calls to etcd's JSON gateway: the first endpoint that answers is kept to until it fails, the user's token is
 * fetched when it is needed and when it has ended, and every failure is a DirectoryError.
 */
import type { z } from "zod";
import type { Clock, Random } from "../../clock.ts";
import { ETCD_CALL_TIMEOUT_MS, ETCD_OUTAGE_PAUSE_MS } from "../limits.ts";
import { authenticateAnswer, watchLine } from "./answers.ts";
import type { EtcdSettings } from "./etcd-settings.ts";
import { EtcdAnswerTooLargeError, Exchange } from "./exchange.ts";
import { EndpointError, EtcdRefusalError, EtcdUnreachableError, failureOf, jsonOf } from "./failures.ts";
import type { HttpPost } from "./http-post.ts";

export interface EtcdClientOptions {
  settings: EtcdSettings;
  post: HttpPost;
  clock: Clock;
  /** Spreads clients over the endpoints. */
  random: Random;
}

export class EtcdClient {
  readonly #options: EtcdClientOptions;
  /** The endpoint that answered last. */
  #current: number;
  /**
   * Only the text is kept, never the promise of one: on Workers what one request waits for must not be waited for
   * by another. So several calls may authenticate at once, which does no harm.
   */
  #token: string | undefined;
  #downUntilUs = 0;

  constructor(options: EtcdClientOptions) {
    this.#options = options;
    this.#current = Math.floor(options.random() * options.settings.endpoints.length);
  }

  /** True for a moment after all endpoints failed: who has something to fall back on need not wait for them again. */
  get isDown(): boolean {
    return this.#options.clock.nowUs() < this.#downUntilUs;
  }

  /**
   * Rejects with EtcdRefusalError, EtcdUnreachableError or EtcdAnswerTooLargeError. A call whose answer was lost is
   * made again elsewhere, so it must be one that may happen twice.
   */
  async call<Schema extends z.ZodType>(
    path: string,
    body: object,
    answer: Schema,
    timeoutMs = ETCD_CALL_TIMEOUT_MS,
  ): Promise<z.output<Schema>> {
    return this.#anywhere(async (endpoint) => {
      const exchange = await this.#open(endpoint, path, body, timeoutMs);
      const checked = answer.safeParse(jsonOf(await exchange.text(timeoutMs)));
      if (!checked.success) throw new EndpointError(`its answer to ${path} is not etcd's`);
      return checked.data;
    });
  }

  /** Opens a watch; resolves when etcd has begun it or refuses it in its first line. Rejects as `call` does. */
  async openWatch(
    create: object,
  ): Promise<{ exchange: Exchange; first: z.output<typeof watchLine>["result"] }> {
    return this.#anywhere(async (endpoint) => {
      const exchange = await this.#open(
        endpoint,
        "/v3/watch",
        { create_request: create },
        ETCD_CALL_TIMEOUT_MS,
      );
      const first = watchLine.safeParse(jsonOf((await exchange.nextLine(ETCD_CALL_TIMEOUT_MS)) ?? ""));
      if (first.success) return { exchange, first: first.data.result };
      exchange.close();
      throw new EndpointError("its answer to /v3/watch is not etcd's");
    });
  }

  /** A token that etcd said is worthless; the next call fetches another. */
  forgetToken(): void {
    this.#token = undefined;
  }

  /** Once round the endpoints, beginning with the one that answered last. */
  async #anywhere<T>(attempt: (endpoint: string) => Promise<T>): Promise<T> {
    const { endpoints } = this.#options.settings;
    const failures: string[] = [];
    let cause: unknown;
    const first = this.#current;
    for (let i = 0; i < endpoints.length; i++) {
      const index = (first + i) % endpoints.length;
      const endpoint = endpoints[index]!;
      try {
        const result = await attempt(endpoint);
        this.#current = index;
        this.#downUntilUs = 0;
        return result;
      } catch (error) {
        // An answer is an answer, also one that we do not like.
        if (error instanceof EtcdRefusalError || error instanceof EtcdAnswerTooLargeError) throw error;
        failures.push(`${endpoint}: ${reasonOf(error)}`);
        cause = error;
        if (this.#current === index) this.#current = (index + 1) % endpoints.length;
      }
    }
    this.#downUntilUs = this.#options.clock.nowUs() + ETCD_OUTAGE_PAUSE_MS * 1000;
    throw new EtcdUnreachableError(
      `etcd does not answer (${failures.join("; ")}): see that it runs and that TRIBUTARY_ETCD names it`,
      { cause },
    );
  }

  /** One call to one endpoint; a token that has ended is replaced once. */
  async #open(endpoint: string, path: string, body: object, timeoutMs: number): Promise<Exchange> {
    const used = this.#token ?? (await this.#authenticate(endpoint, timeoutMs));
    try {
      return await this.#post(endpoint, path, body, timeoutMs, used);
    } catch (error) {
      if (!(error instanceof EtcdRefusalError && error.isTokenWorthless && used !== undefined)) throw error;
      if (this.#token === used) this.#token = undefined;
      const fresh = this.#token ?? (await this.#authenticate(endpoint, timeoutMs));
      return this.#post(endpoint, path, body, timeoutMs, fresh);
    }
  }

  async #authenticate(endpoint: string, timeoutMs: number): Promise<string | undefined> {
    const { user } = this.#options.settings;
    if (user === undefined) return undefined;
    const exchange = await this.#post(endpoint, "/v3/auth/authenticate", user, timeoutMs, undefined);
    const answer = authenticateAnswer.safeParse(jsonOf(await exchange.text(timeoutMs)));
    if (!answer.success) throw new EndpointError("its answer to /v3/auth/authenticate is not etcd's");
    this.#token = answer.data.token;
    return this.#token;
  }

  async #post(
    endpoint: string,
    path: string,
    body: object,
    timeoutMs: number,
    token: string | undefined,
  ): Promise<Exchange> {
    const { post, clock, settings } = this.#options;
    const headers: Record<string, string> = { "content-type": "application/json" };
    if (token !== undefined) headers.authorization = token;
    const exchange = await Exchange.open(
      post,
      clock,
      endpoint + path,
      headers,
      JSON.stringify(body),
      timeoutMs,
    );
    if (exchange.status === 200) return exchange;
    throw failureOf(exchange.status, await exchange.text(timeoutMs), settings.prefix);
  }
}

/** The innermost words: fetch says little more than that it failed. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error && cause.message !== ""
    ? `${error.message} (${cause.message})`
    : error.message;
}
