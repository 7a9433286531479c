/** A lease of etcd that is kept alive by the clock it is given, until it is ended or lost. */
import type { Clock, Timer } from "../../clock.ts";
import { ETCD_CALL_TIMEOUT_MS, ETCD_KEEPALIVE_RETRY_MS } from "../limits.ts";
import { emptyAnswer, grantAnswer, keepaliveAnswer } from "./answers.ts";
import type { EtcdClient } from "./etcd-client.ts";
import { EtcdRefusalError } from "./failures.ts";

export class Lease {
  readonly id: string;
  /** Resolves when the lease is gone, or may be gone since etcd was not reached for its whole length. */
  readonly over: Promise<void>;
  readonly #client: EtcdClient;
  readonly #clock: Clock;
  readonly #ttlMs: number;
  #resolveOver: () => void = () => undefined;
  #isOver = false;
  /** When the keepalive was sent that etcd has answered last: the lease lives for its length from then at least. */
  #renewedUs: number;
  #expiry: Timer | undefined;
  #next: Timer | undefined;

  private constructor(client: EtcdClient, clock: Clock, id: string, ttlMs: number, grantedUs: number) {
    this.#client = client;
    this.#clock = clock;
    this.id = id;
    this.#ttlMs = ttlMs;
    this.#renewedUs = grantedUs;
    this.over = new Promise((resolve) => {
      this.#resolveOver = resolve;
    });
    this.#renewed(grantedUs);
  }

  /** etcd counts in whole seconds, and has a shortest lease of its own: the lease is at least as long as asked for. */
  static async grant(client: EtcdClient, clock: Clock, ttlMs: number): Promise<Lease> {
    const grantedUs = clock.nowUs();
    const answer = await client.call("/v3/lease/grant", { TTL: secondsOf(ttlMs) }, grantAnswer);
    return new Lease(client, clock, answer.ID, answer.TTL * 1000, grantedUs);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Somebody found that etcd does not know it any more. */
  lose(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#expiry?.cancel();
    this.#next?.cancel();
    this.#resolveOver();
  }

  /** Ends it, with all keys under it. Rejects with DirectoryError when etcd did not hear; it ends by itself then. */
  async end(): Promise<void> {
    if (this.#isOver) return;
    this.lose();
    await revokeLease(this.#client, this.id);
  }

  #renewed(sentUs: number): void {
    this.#renewedUs = sentUs;
    this.#expiry?.cancel();
    this.#expiry = this.#clock.after(this.#leftMs(), () => this.lose());
    this.#next = this.#clock.after(this.#ttlMs / 3, () => void this.#renew());
  }

  async #renew(): Promise<void> {
    const sentUs = this.#clock.nowUs();
    const timeoutMs = Math.min(ETCD_CALL_TIMEOUT_MS, this.#ttlMs / 3);
    try {
      const { result } = await this.#client.call(
        "/v3/lease/keepalive",
        { ID: this.id },
        keepaliveAnswer,
        timeoutMs,
      );
      if (this.#isOver) return;
      if (result.TTL > 0) this.#renewed(sentUs);
      else this.lose();
    } catch {
      // Why does not matter here: the lease may live until its time is over, so it is tried until then.
      if (this.#isOver) return;
      this.#next = this.#clock.after(ETCD_KEEPALIVE_RETRY_MS, () => void this.#renew());
    }
  }

  #leftMs(): number {
    return this.#ttlMs - (this.#clock.nowUs() - this.#renewedUs) / 1000;
  }
}

/** A lease that nobody keeps alive. Returns its id. */
export async function grantOnce(client: EtcdClient, ttlSeconds: number): Promise<string> {
  return (await client.call("/v3/lease/grant", { TTL: secondsOf(ttlSeconds * 1000) }, grantAnswer)).ID;
}

export async function revokeLease(client: EtcdClient, id: string): Promise<void> {
  try {
    await client.call("/v3/lease/revoke", { ID: id }, emptyAnswer);
  } catch (error) {
    // It is gone already: that is what was wanted.
    if (!(error instanceof EtcdRefusalError && error.isLeaseGone)) throw error;
  }
}

function secondsOf(ttlMs: number): string {
  return String(Math.min(MAX_TTL_SECONDS, Math.max(1, Math.ceil(ttlMs / 1000))));
}

/** etcd refuses longer leases. */
const MAX_TTL_SECONDS = 9_000_000_000;
