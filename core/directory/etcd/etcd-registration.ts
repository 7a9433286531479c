/** A relay's presence in etcd: its record and its rooms' claims are keys under one lease, and go when it does. */
import { DirectoryError, type Registration, type RelayRecord, type RoomClaim } from "../directory.ts";
import { MAX_CAS_ATTEMPTS } from "../limits.ts";
import { relayRecordSchema } from "../relay-record.ts";
import type { KeyValue } from "./answers.ts";
import type { EpochBase, Epochs } from "./epochs.ts";
import type { EtcdClient } from "./etcd-client.ts";
import { tooContended } from "./failures.ts";
import { base64OfJson, type KeySpace } from "./key-space.ts";
import type { Lease } from "./lease.ts";
import { LeasedRecord } from "./leased-record.ts";
import { get, holds, isAt, isUnder, put, remove } from "./transaction.ts";

interface RegistrationParts {
  client: EtcdClient;
  keys: KeySpace;
  epochs: Epochs;
}

export class EtcdRegistration implements Registration {
  readonly lost: Promise<void>;
  readonly #parts: RegistrationParts;
  readonly #relayId: string;
  readonly #lease: Lease;
  readonly #record: LeasedRecord;

  constructor(parts: RegistrationParts, relayId: string, lease: Lease) {
    this.#parts = parts;
    this.#relayId = relayId;
    this.#lease = lease;
    this.#record = new LeasedRecord(parts.client, lease, parts.keys.relay(relayId), `relay ${relayId}`);
    this.lost = lease.over;
  }

  /** Writes the record under the lease. A registration of the same id is ended first, with its claims. */
  async begin(relay: RelayRecord): Promise<void> {
    await this.#record.begin(valueOfRecord(relay));
  }

  async update(relay: RelayRecord): Promise<void> {
    if (relay.id !== this.#relayId) {
      throw new DirectoryError(
        `relay ${this.#relayId} cannot become ${relay.id}: register the new id instead`,
      );
    }
    await this.#record.update(valueOfRecord(relay));
  }

  async claimRoom(room: string, after = 0): Promise<RoomClaim> {
    return this.#claim(room, after, () => false);
  }

  async supersedeRoom(claim: RoomClaim): Promise<RoomClaim> {
    return this.#claim(claim.room, claim.epoch, (standing) => standing.epoch === claim.epoch);
  }

  async releaseRoom(room: string): Promise<void> {
    const key = this.#parts.keys.room(room);
    await this.#record.transact({ compare: [isUnder(key, this.#lease.id)], success: [remove(key)] });
  }

  async end(): Promise<void> {
    await this.#lease.end();
  }

  /** Takes the room where nobody has it, or somebody whose claim may be replaced. */
  async #claim(
    room: string,
    after: number,
    isReplaceable: (standing: RoomClaim) => boolean,
  ): Promise<RoomClaim> {
    const { keys, epochs } = this.#parts;
    const key = keys.room(room);
    this.#record.assertHeld();
    let base = await epochs.baseAbove(after);
    let seenAt = 0;
    for (let attempt = 0; attempt < MAX_CAS_ATTEMPTS; attempt++) {
      const { succeeded, revision, found } = await this.#record.transact({
        compare: [isAt(key, seenAt), holds(keys.epoch, base.value)],
        success: [put(key, this.#claimValue(base), this.#lease.id)],
        failure: [get(key), get(keys.epoch)],
      });
      if (succeeded) return { room, relayId: this.#relayId, epoch: base.base + revision };
      const [held, epoch] = found;
      const standing = this.#claimOf(held);
      if (standing && !isReplaceable(standing)) return standing;
      seenAt = held?.mod_revision ?? 0;
      epochs.take(epoch, revision);
      base = await epochs.baseAbove(after);
    }
    throw tooContended(`the claim of room ${room}`);
  }

  #claimValue({ base }: EpochBase): string {
    return base64OfJson({ relayId: this.#relayId, base });
  }

  #claimOf(kv: KeyValue | undefined): RoomClaim | undefined {
    const entry = kv && this.#parts.keys.entryOf(kv);
    return entry?.kind === "room" ? entry.claim : undefined;
  }
}

/** What readers would pass over is refused here, where somebody can do something about it. */
function valueOfRecord(relay: RelayRecord): string {
  const checked = relayRecordSchema.safeParse(relay);
  if (checked.success) return base64OfJson(checked.data);
  const issue = checked.error.issues[0];
  throw new DirectoryError(
    `the record of relay ${relay.id} is not usable: ${issue?.path.join(".")} ${issue?.message}`,
    { cause: checked.error },
  );
}
