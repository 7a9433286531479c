/** A bridge's presence in etcd: its record, its claims and what it says of its jobs are keys under one lease, and go when it does. */
import { type BridgeRecord, bridgeRecordSchema, type JobStatus } from "../../wire/bridge-jobs.ts";
import type { BridgeRegistration, JobClaim } from "../bridge-directory.ts";
import { DirectoryError } from "../directory.ts";
import { MAX_CAS_ATTEMPTS } from "../limits.ts";
import type { KeyValue } from "./answers.ts";
import type { Epochs } from "./epochs.ts";
import type { EtcdClient } from "./etcd-client.ts";
import { tooContended } from "./failures.ts";
import { base64OfJson } from "./key-space.ts";
import type { Lease } from "./lease.ts";
import { LeasedRecord } from "./leased-record.ts";
import { get, holds, isAt, isThere, isUnder, put, remove } from "./transaction.ts";
import { type WorkKeys, workValue } from "./work-keys.ts";

interface RegistrationParts {
  client: EtcdClient;
  keys: WorkKeys;
  epochs: Epochs;
}

export class EtcdBridgeRegistration implements BridgeRegistration {
  readonly lost: Promise<void>;
  readonly #parts: RegistrationParts;
  readonly #bridgeId: string;
  readonly #lease: Lease;
  readonly #record: LeasedRecord;

  constructor(parts: RegistrationParts, bridgeId: string, lease: Lease) {
    this.#parts = parts;
    this.#bridgeId = bridgeId;
    this.#lease = lease;
    const key = parts.keys.key("bridge", bridgeId);
    this.#record = new LeasedRecord(parts.client, lease, key, `bridge ${bridgeId}`);
    this.lost = lease.over;
  }

  /** Writes the record under the lease. A registration of the same id is ended first, with its claims. */
  async begin(bridge: BridgeRecord): Promise<void> {
    await this.#record.begin(valueOfRecord(bridge));
  }

  async update(bridge: BridgeRecord): Promise<void> {
    if (bridge.id !== this.#bridgeId) {
      throw new DirectoryError(
        `bridge ${this.#bridgeId} cannot become ${bridge.id}: register the new id instead`,
      );
    }
    await this.#record.update(valueOfRecord(bridge));
  }

  claimJob(jobId: string): Promise<JobClaim | undefined> {
    return this.#claim(jobId, false);
  }

  takeJob(jobId: string): Promise<JobClaim | undefined> {
    return this.#claim(jobId, true);
  }

  async releaseJob(jobId: string): Promise<void> {
    const { keys } = this.#parts;
    const claim = keys.key("claim", jobId);
    await this.#record.transact({
      compare: [isUnder(claim, this.#lease.id)],
      success: [remove(claim), remove(keys.key("status", jobId))],
    });
  }

  async report(status: JobStatus): Promise<void> {
    const { keys } = this.#parts;
    if (status.bridgeId !== this.#bridgeId) return;
    await this.#record.transact({
      compare: [isUnder(keys.key("claim", status.jobId), this.#lease.id)],
      success: [put(keys.key("status", status.jobId), workValue(status), this.#lease.id)],
    });
  }

  async end(): Promise<void> {
    await this.#lease.end();
  }

  /** Takes the job where it is there and no live bridge has it, or whoever has it where `evenIfHeld`. */
  async #claim(jobId: string, evenIfHeld: boolean): Promise<JobClaim | undefined> {
    const { keys, epochs } = this.#parts;
    const key = keys.key("claim", jobId);
    const job = keys.key("job", jobId);
    this.#record.assertHeld();
    let base = await epochs.baseAbove(0);
    let seenAt = 0;
    for (let attempt = 0; attempt < MAX_CAS_ATTEMPTS; attempt++) {
      const value = base64OfJson({ bridgeId: this.#bridgeId, base: base.base });
      const { succeeded, revision, found } = await this.#record.transact({
        compare: [isThere(job), isAt(key, seenAt), holds(keys.epoch, base.value)],
        success: [put(key, value, this.#lease.id), remove(keys.key("status", jobId))],
        failure: [get(job), get(key), get(keys.epoch)],
      });
      if (succeeded) return { jobId, bridgeId: this.#bridgeId, epoch: base.base + revision };
      const [there, held, epoch] = found;
      if (!there) return undefined;
      const standing = this.#claimOf(held);
      // Also after an answer that was lost: what stands under our lease is what we wrote.
      if (standing && (!evenIfHeld || held?.lease === this.#lease.id)) return standing;
      seenAt = held?.mod_revision ?? 0;
      epochs.take(epoch, revision);
      base = await epochs.baseAbove(0);
    }
    throw tooContended(`the claim of job ${jobId}`);
  }

  /** Without a lease it is nobody's claim. */
  #claimOf(kv: KeyValue | undefined): JobClaim | undefined {
    const entry = kv && kv.lease !== "0" ? this.#parts.keys.entryOf(kv) : undefined;
    return entry?.kind === "claim" ? entry.claim : undefined;
  }
}

/** What readers would pass over is refused here, where somebody can do something about it. */
function valueOfRecord(bridge: BridgeRecord): string {
  const checked = bridgeRecordSchema.safeParse(bridge);
  if (checked.success) return base64OfJson(checked.data);
  const issue = checked.error.issues[0];
  throw new DirectoryError(
    `the record of bridge ${bridge.id} is not usable: ${issue?.path.join(".")} ${issue?.message}`,
    { cause: checked.error },
  );
}
