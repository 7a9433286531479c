/**
 * Where epochs come from: base + etcd's own revision. The revision grows with every write to this etcd, so each claim
 * has a larger epoch than all before it, with no counter that claims would queue for and nothing to remember of rooms
 * that are gone. A base, set to the wall clock in microseconds when an etcd is new, makes an etcd that lost everything
 * go on above its predecessor (which would have to have taken over a million writes a second to be ahead); it is raised
 * where a relay knows of a larger epoch, and never lowered. Each claim is written only if the base still holds.
 */
import type { Clock, Random } from "../../clock.ts";
import { assertEpoch } from "../epoch.ts";
import { MAX_CAS_ATTEMPTS, MAX_EPOCH } from "../limits.ts";
import type { KeyValue } from "./answers.ts";
import type { EtcdClient } from "./etcd-client.ts";
import { tooContended } from "./failures.ts";
import { base64OfJson, epochValueSchema, jsonOfValue, type KeySpace } from "./key-space.ts";
import { get, holds, isAt, put, transact } from "./transaction.ts";

export interface EpochBase {
  instance: string;
  base: number;
  /** As etcd has it. What depends on it compares this and not its revision, which an etcd that began anew may repeat. */
  value: string;
  /** Revision of etcd when it was seen to hold; what is written later has a larger one. */
  seenAt: number;
}

export class Epochs {
  readonly #client: EtcdClient;
  readonly #keys: KeySpace;
  readonly #clock: Clock;
  readonly #random: Random;
  #last: EpochBase | undefined;

  constructor(client: EtcdClient, keys: KeySpace, clock: Clock, random: Random) {
    this.#client = client;
    this.#keys = keys;
    this.#clock = clock;
    this.#random = random;
  }

  /** A base such that whatever is written while it holds has a larger epoch than `after`. */
  async baseAbove(after: number): Promise<EpochBase> {
    assertEpoch(after);
    const known = this.#last ?? (await this.read());
    return known.base + known.seenAt >= after ? known : this.#write(undefined, known, after);
  }

  /** The base as etcd has it now; made when there is none. */
  async read(): Promise<EpochBase> {
    const key = this.#keys.epoch;
    const { revision, found } = await transact(this.#client, { compare: [], success: [get(key)] });
    return this.take(found[0], revision) ?? this.#write(found[0], undefined, 0);
  }

  /** What somebody's `get(keys.epoch)` found; undefined when that is no base. */
  take(kv: KeyValue | undefined, revision: number): EpochBase | undefined {
    const value = kv && epochValueSchema.safeParse(jsonOfValue(kv));
    if (kv && value && !value.success)
      this.#keys.skip(kv.key, "holds no base of epochs, so a new one is written");
    this.#last = kv && value?.success ? { ...value.data, value: kv.value, seenAt: revision } : undefined;
    return this.#last;
  }

  /**
   * Writes a base that is at least `after`, unless somebody else has. It replaces `known`, or what is there without
   * being a base.
   */
  async #write(found: KeyValue | undefined, known: EpochBase | undefined, after: number): Promise<EpochBase> {
    const key = this.#keys.epoch;
    let standing = known;
    let unusable = found;
    for (let attempt = 0; attempt < MAX_CAS_ATTEMPTS; attempt++) {
      const instance = standing?.instance ?? this.#newInstance();
      const base = Math.min(MAX_EPOCH, Math.max(standing?.base ?? Math.floor(this.#clock.nowUs()), after));
      const value = base64OfJson({ instance, base });
      const result = await transact(this.#client, {
        compare: [standing ? holds(key, standing.value) : isAt(key, unusable?.mod_revision ?? 0)],
        success: [put(key, value)],
        failure: [get(key)],
      });
      const { revision } = result;
      if (result.succeeded) {
        this.#last = { instance, base, value, seenAt: revision };
        return this.#last;
      }
      unusable = result.found[0];
      standing = this.take(unusable, revision);
      if (standing && standing.base + revision >= after) return standing;
    }
    throw tooContended("the base of epochs");
  }

  #newInstance(): string {
    return Array.from({ length: 4 }, () => Math.floor(this.#random() * 2 ** 32).toString(36)).join("-");
  }
}
