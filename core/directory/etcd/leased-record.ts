/** A record in etcd under a lease, with whatever else is written under it: the presence of a relay or a bridge. */
import { DirectoryError } from "../directory.ts";
import { MAX_CAS_ATTEMPTS } from "../limits.ts";
import type { EtcdClient } from "./etcd-client.ts";
import { EtcdRefusalError, tooContended } from "./failures.ts";
import { type Lease, revokeLease } from "./lease.ts";
import { get, isAt, isUnder, put, transact } from "./transaction.ts";

export class LeasedRecord {
  readonly lease: Lease;
  readonly #client: EtcdClient;
  readonly #key: string;
  readonly #what: string;

  /** `what` is it that is present, for errors: "relay r1". */
  constructor(client: EtcdClient, lease: Lease, key: string, what: string) {
    this.#client = client;
    this.lease = lease;
    this.#key = key;
    this.#what = what;
  }

  /** Writes the record. A presence of the same key is ended first, with everything under its lease. */
  async begin(value: string): Promise<void> {
    const key = this.#key;
    let seenAt = 0;
    for (let attempt = 0; attempt < MAX_CAS_ATTEMPTS; attempt++) {
      const { succeeded, found } = await this.transact({
        compare: [isAt(key, seenAt)],
        success: [put(key, value, this.lease.id)],
        failure: [get(key)],
      });
      const [older] = found;
      // Also after an answer that was lost: what stands under our lease is what we wrote.
      if (succeeded || older?.lease === this.lease.id) return;
      if (older && older.lease !== "0") await revokeLease(this.#client, older.lease);
      // Without a lease it is nobody's presence: it is written over.
      seenAt = older?.lease === "0" ? older.mod_revision : 0;
    }
    throw tooContended(`the record of ${this.#what}`);
  }

  async update(value: string): Promise<void> {
    const { succeeded } = await this.transact({
      compare: [isUnder(this.#key, this.lease.id)],
      success: [put(this.#key, value, this.lease.id)],
    });
    if (succeeded) return;
    this.lease.lose();
    throw this.#gone();
  }

  /** Rejects with DirectoryError, and the presence is lost, when the lease is gone. */
  async transact(txn: Parameters<typeof transact>[1]): ReturnType<typeof transact> {
    this.assertHeld();
    try {
      return await transact(this.#client, txn);
    } catch (error) {
      if (!(error instanceof EtcdRefusalError && error.isLeaseGone)) throw error;
      this.lease.lose();
      throw this.#gone(error);
    }
  }

  assertHeld(): void {
    if (this.lease.isOver) throw this.#gone();
  }

  #gone(cause?: unknown): DirectoryError {
    return new DirectoryError(`the lease of ${this.#what} is gone: register it again`, { cause });
  }
}
