/**
 * Bridges and jobs of a cluster, in etcd, over the connection of the cluster's directory. Reads are etcd's own; while it does not
 * answer they come from what a watch knows of it, where there is one.
 */
import type { Clock, Random } from "../../clock.ts";
import type { BridgeJob, BridgeRecord } from "../../wire/bridge-jobs.ts";
import { MAX_BRIDGE_JOBS } from "../../wire/limits.ts";
import {
  type BridgeDirectory,
  type BridgeRegistration,
  type JobEvent,
  type JobView,
  TooManyJobsError,
} from "../bridge-directory.ts";
import { DirectoryError } from "../directory.ts";
import { checkedJob, placeOf } from "../job-place.ts";
import { jsonCopy } from "../json-copy.ts";
import { ETCD_READ_TIMEOUT_MS, MAX_CAS_ATTEMPTS, MAX_ETCD_VIEW_AGE_MS } from "../limits.ts";
import { DirectoryListeners } from "../listeners.ts";
import { type KeyValue, rangeAnswer } from "./answers.ts";
import type { Epochs } from "./epochs.ts";
import { EtcdBridgeRegistration } from "./etcd-bridge-registration.ts";
import type { EtcdClient } from "./etcd-client.ts";
import { EtcdRefusalError, tooContended } from "./failures.ts";
import { base64OfJson } from "./key-space.ts";
import { Lease } from "./lease.ts";
import { get, isAt, put, readRange, remove, transact } from "./transaction.ts";
import { ViewKeeper } from "./view-keeper.ts";
import { jobOfPlace, WorkKeys, workValue } from "./work-keys.ts";
import { WorkView } from "./work-view.ts";

export interface EtcdBridgesOptions {
  client: EtcdClient;
  epochs: Epochs;
  /** Of all keys of the cluster. */
  prefix: string;
  /** The key of the base of epochs. */
  epoch: string;
  clock: Clock;
  random: Random;
  log(line: string): void;
  watchIdleMs?: number | undefined;
  maxViewAgeMs?: number | undefined;
}

export class EtcdBridges implements BridgeDirectory {
  readonly #options: EtcdBridgesOptions;
  readonly #keys: WorkKeys;
  readonly #listeners = new DirectoryListeners<JobEvent>();
  readonly #keeper: ViewKeeper<WorkView, JobEvent>;
  readonly #leases = new Set<Lease>();
  #closed = false;

  constructor(options: EtcdBridgesOptions) {
    const { prefix, epoch, log } = options;
    this.#options = options;
    this.#keys = new WorkKeys(prefix, epoch, log);
    this.#keeper = new ViewKeeper<WorkView, JobEvent>({
      ...options,
      range: this.#keys.range(),
      newView: () => new WorkView(this.#keys),
      listeners: this.#listeners,
    });
  }

  /** Times that a value in etcd was passed over because it is not ours. */
  get skippedValues(): number {
    return this.#keys.skippedValues;
  }

  async registerBridge(bridge: BridgeRecord, ttlMs: number): Promise<BridgeRegistration> {
    this.#assertOpen();
    const { client, epochs, clock } = this.#options;
    const lease = await Lease.grant(client, clock, ttlMs);
    this.#leases.add(lease);
    void lease.over.then(() => this.#leases.delete(lease));
    const registration = new EtcdBridgeRegistration({ client, keys: this.#keys, epochs }, bridge.id, lease);
    try {
      await registration.begin(bridge);
      this.#assertOpen();
      return registration;
    } catch (error) {
      // It would be kept alive for nothing; if etcd does not hear of its end, it runs out.
      await lease.end().catch(() => undefined);
      throw error;
    }
  }

  bridges(): Promise<BridgeRecord[]> {
    return this.#read(
      async () => (await this.#view(["bridge"])).bridges,
      (view) => view.bridges,
    );
  }

  async putJob(job: BridgeJob): Promise<BridgeJob> {
    this.#assertOpen();
    const checked = checkedJob(job);
    const { client } = this.#options;
    const key = this.#keys.key("job", job.id);
    const names = placeOf(checked);
    const place = names && this.#keys.place(names);
    const value = workValue(checked);
    await this.#assertSpace(place ? [key, place] : [key]);
    /** Revisions of what is in the way without being in force. */
    let [jobAt, placeAt] = [0, 0];
    for (let attempt = 0; attempt < MAX_CAS_ATTEMPTS; attempt++) {
      const { succeeded, found } = await transact(client, {
        compare: [isAt(key, jobAt), ...(place ? [isAt(place, placeAt)] : [])],
        success: [put(key, value), ...(place ? [put(place, base64OfJson({ jobId: job.id }))] : [])],
        failure: [get(key), ...(place ? [get(place)] : [])],
      });
      if (succeeded) return checked;
      const [own, held] = found;
      const standing = this.#jobOf(own) ?? (held && (await this.#holderOf(held)));
      if (standing) return standing;
      jobAt = own?.mod_revision ?? 0;
      placeAt = held?.mod_revision ?? 0;
    }
    throw tooContended(`the job ${job.id}`);
  }

  async deleteJob(jobId: string): Promise<boolean> {
    this.#assertOpen();
    const { client } = this.#options;
    const key = this.#keys.key("job", jobId);
    const all = (["job", "claim", "status"] as const).map((kind) => remove(this.#keys.key(kind, jobId)));
    for (let attempt = 0; attempt < MAX_CAS_ATTEMPTS; attempt++) {
      const kv = await this.#get(key);
      if (!kv) return false;
      const job = this.#jobOf(kv);
      const names = job && placeOf(job);
      const place = names && this.#keys.place(names);
      const taken = place && (await this.#get(place));
      const ours = taken && jobOfPlace(taken) === jobId;
      const { succeeded } = await transact(client, {
        compare: [isAt(key, kv.mod_revision), ...(ours ? [isAt(place, taken.mod_revision)] : [])],
        success: [...all, ...(ours ? [remove(place)] : [])],
      });
      if (succeeded) return job !== undefined;
    }
    throw tooContended(`the job ${jobId}`);
  }

  job(jobId: string): Promise<JobView | undefined> {
    return this.#read(
      async () => {
        const view = new WorkView(this.#keys);
        const { found } = await transact(this.#options.client, {
          compare: [],
          success: (["claim", "job", "status"] as const).map((kind) => get(this.#keys.key(kind, jobId))),
        });
        for (const kv of found) if (kv) view.write(kv);
        return view.job(jobId);
      },
      (view) => view.job(jobId),
    );
  }

  jobs(): Promise<JobView[]> {
    return this.#read(
      async () => (await this.#view(["claim", "job", "status"])).jobs,
      (view) => view.jobs,
    );
  }

  watchJobs(listener: (event: JobEvent) => void): () => void {
    this.#assertOpen();
    for (const event of jsonCopy(this.#keeper.view?.all() ?? [])) listener(event);
    const end = this.#listeners.add(listener);
    this.#keeper.start();
    return end;
  }

  /** Keeps a view of etcd from now on, also when nobody watches, so that reads can be answered without it. */
  follow(): void {
    this.#assertOpen();
    this.#keeper.start();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#listeners.clear();
    this.#keeper.stop();
    // A lease whose end etcd does not hear of runs out by itself.
    await Promise.allSettled([...this.#leases].map((lease) => lease.end()));
  }

  /** From etcd; when that does not answer, from the view. */
  async #read<T>(ask: () => Promise<T>, look: (view: WorkView) => T): Promise<T> {
    this.#assertOpen();
    if (!(this.#options.client.isDown && this.#known)) {
      try {
        return await ask();
      } catch (error) {
        // What etcd refuses is a setting to be put right, not an outage to be bridged.
        if (error instanceof EtcdRefusalError || !this.#known) throw error;
      }
    }
    const { view } = this.#keeper;
    if (!view) throw new DirectoryError("etcd does not answer: try again");
    return jsonCopy(look(view));
  }

  get #known(): boolean {
    const { clock, maxViewAgeMs = MAX_ETCD_VIEW_AGE_MS } = this.#options;
    return this.#keeper.view !== undefined && this.#keeper.confirmedUs >= clock.nowUs() - maxViewAgeMs * 1000;
  }

  /** A fresh picture of some kinds of keys. */
  async #view(kinds: readonly Parameters<WorkKeys["key"]>[0][]): Promise<WorkView> {
    const view = new WorkView(this.#keys);
    for (const kind of kinds) {
      const take = (kv: KeyValue): void => void view.write(kv);
      await readRange(this.#options.client, this.#keys.range(kind), take, ETCD_READ_TIMEOUT_MS);
    }
    return view;
  }

  async #get(key: string): Promise<KeyValue | undefined> {
    return (await this.#options.client.call("/v3/kv/range", { key }, rangeAnswer)).kvs[0];
  }

  #jobOf(kv: KeyValue | undefined): BridgeJob | undefined {
    const entry = kv && this.#keys.entryOf(kv);
    return entry?.kind === "job" ? entry.job : undefined;
  }

  /** The job that takes a place; undefined when there is none such, so that the place is free. */
  async #holderOf(place: KeyValue): Promise<BridgeJob | undefined> {
    const jobId = jobOfPlace(place);
    return jobId === undefined ? undefined : this.#jobOf(await this.#get(this.#keys.key("job", jobId)));
  }

  /** Jobs that are added at the same moment may exceed the maximum by as many. What is there already needs no space. */
  async #assertSpace(keys: readonly string[]): Promise<void> {
    const body = { ...this.#keys.range("job"), count_only: true };
    const { count } = await this.#options.client.call("/v3/kv/range", body, rangeAnswer);
    if (count < MAX_BRIDGE_JOBS) return;
    const there = await Promise.all(keys.map((key) => this.#get(key)));
    if (there.every((kv) => kv === undefined)) throw new TooManyJobsError();
  }

  #assertOpen(): void {
    if (this.#closed) throw new DirectoryError("the directory was closed: open a new one");
  }
}
