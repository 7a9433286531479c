/**
 * Bans in etcd: keys under leases of their own, so that they outlive relays and go by themselves. When they end is read
 * from their value; the lease only clears up behind.
 */
import type { Clock } from "../../clock.ts";
import { type Ban, DirectoryError } from "../directory.ts";
import { ETCD_BAN_MARGIN_SECONDS, MAX_BANS, MAX_CAS_ATTEMPTS } from "../limits.ts";
import { rangeAnswer } from "./answers.ts";
import type { EtcdClient } from "./etcd-client.ts";
import { tooContended } from "./failures.ts";
import { base64OfJson, type KeySpace } from "./key-space.ts";
import { grantOnce } from "./lease.ts";
import { get, isAt, put, transact } from "./transaction.ts";

export class EtcdBans {
  readonly #client: EtcdClient;
  readonly #keys: KeySpace;
  readonly #clock: Clock;
  readonly #maxBans: number;

  constructor(client: EtcdClient, keys: KeySpace, clock: Clock, maxBans = MAX_BANS) {
    this.#client = client;
    this.#keys = keys;
    this.#clock = clock;
    this.#maxBans = maxBans;
  }

  async add(ban: Ban): Promise<void> {
    const leftSeconds = ban.untilSeconds - this.#clock.nowUs() / 1_000_000;
    if (leftSeconds <= 0) return;
    const key = this.#keys.ban(ban.room, ban.token);
    const value = base64OfJson({ untilSeconds: ban.untilSeconds });
    const first = await transact(this.#client, { compare: [], success: [get(key)] });
    let [standing] = first.found;
    if (!standing) await this.#assertSpace();
    let lease: string | undefined;
    for (let attempt = 0; attempt < MAX_CAS_ATTEMPTS; attempt++) {
      const entry = standing && this.#keys.entryOf(standing);
      if (entry?.kind === "ban" && entry.ban.untilSeconds >= ban.untilSeconds) return;
      lease ??= await grantOnce(this.#client, leftSeconds + ETCD_BAN_MARGIN_SECONDS);
      const { succeeded, found } = await transact(this.#client, {
        compare: [isAt(key, standing?.mod_revision ?? 0)],
        success: [put(key, value, lease)],
        failure: [get(key)],
      });
      if (succeeded) return;
      [standing] = found;
    }
    throw tooContended(`the ban in room ${ban.room}`);
  }

  async find(room: string, token: string, timeoutMs: number): Promise<Ban | undefined> {
    const body = { key: this.#keys.ban(room, token) };
    const [kv] = (await this.#client.call("/v3/kv/range", body, rangeAnswer, timeoutMs)).kvs;
    const entry = kv && this.#keys.entryOf(kv);
    return entry?.kind === "ban" ? entry.ban : undefined;
  }

  /** Bans that are made at the same moment may exceed the maximum by as many. */
  async #assertSpace(): Promise<void> {
    const body = { ...this.#keys.range("ban"), count_only: true };
    const { count } = await this.#client.call("/v3/kv/range", body, rangeAnswer);
    if (count < this.#maxBans) return;
    throw new DirectoryError(
      `the ban list is full (${this.#maxBans}): give join tokens a shorter life, so that bans run out`,
    );
  }
}
