/** What is known of bridges and jobs in etcd, as one picture (KeptView in view-keeper.ts). */
import type { BridgeJob, BridgeRecord, JobStatus } from "../../wire/bridge-jobs.ts";
import { MAX_BRIDGE_JOBS } from "../../wire/limits.ts";
import type { JobClaim, JobEvent, JobView } from "../bridge-directory.ts";
import { byCreation } from "../job-place.ts";
import { jsonCopy } from "../json-copy.ts";
import { MAX_BRIDGES } from "../limits.ts";
import type { KeyValue } from "./answers.ts";
import type { KeptView } from "./view-keeper.ts";
import type { WorkEntry, WorkKeys } from "./work-keys.ts";

export class WorkView implements KeptView<JobEvent> {
  readonly #keys: WorkKeys;
  readonly #bridges = new Map<string, BridgeRecord>();
  readonly #jobs = new Map<string, BridgeJob>();
  readonly #claims = new Map<string, JobClaim>();
  readonly #statuses = new Map<string, JobStatus>();

  constructor(keys: WorkKeys) {
    this.#keys = keys;
  }

  get bridges(): BridgeRecord[] {
    return [...this.#bridges.values()];
  }

  get jobs(): JobView[] {
    return byCreation([...this.#jobs.keys()].flatMap((id) => this.job(id) ?? []));
  }

  job(id: string): JobView | undefined {
    const job = this.#jobs.get(id);
    const claim = this.#claims.get(id);
    return job && { job, ...(claim && { claim }), ...this.#statusOf(claim) };
  }

  write(kv: KeyValue): JobEvent | undefined {
    const entry = this.#keys.entryOf(kv);
    if (!entry) return this.erase(kv.key);
    if (this.#put(entry)) return jsonCopy(eventOf(entry));
    this.#keys.skip(kv.key, "is one of too many");
    return undefined;
  }

  erase(key: string): JobEvent | undefined {
    const { kind, id } = this.#keys.subjectOf(key) ?? {};
    if (kind === undefined || id === undefined) return undefined;
    if (kind === "bridge")
      return this.#bridges.delete(id) ? { type: "bridge-gone", bridgeId: id } : undefined;
    if (kind === "job") {
      this.#claims.delete(id);
      this.#statuses.delete(id);
      return this.#jobs.delete(id) ? { type: "job-gone", jobId: id, forgotten: false } : undefined;
    }
    // Its end is told by that of the claim.
    this.#statuses.delete(id);
    const claim = kind === "claim" ? this.#claims.get(id) : undefined;
    return claim && this.#claims.delete(id) ? { type: "claim-gone", claim } : undefined;
  }

  /** Everything there is, as events. */
  all(): JobEvent[] {
    return [
      ...this.bridges.map((bridge): JobEvent => ({ type: "bridge", bridge })),
      ...this.jobs.flatMap(({ job, claim, status }): JobEvent[] => [
        { type: "job", job },
        ...(claim ? [{ type: "claim", claim } as const] : []),
        ...(status ? [{ type: "status", status } as const] : []),
      ]),
    ];
  }

  since(older: this | undefined, _nowSeconds: number, forgotten: boolean): JobEvent[] {
    if (older === undefined) return jsonCopy(this.all());
    const gone: JobEvent[] = [];
    for (const id of older.#jobs.keys()) {
      if (!this.#jobs.has(id)) gone.push({ type: "job-gone", jobId: id, forgotten });
    }
    for (const [id, claim] of older.#claims) {
      if (this.#jobs.has(id) && !this.#claims.has(id)) gone.push({ type: "claim-gone", claim });
    }
    for (const id of older.#bridges.keys()) {
      if (!this.#bridges.has(id)) gone.push({ type: "bridge-gone", bridgeId: id });
    }
    const known = new Set(older.all().map((event) => JSON.stringify(event)));
    return jsonCopy([...gone, ...this.all().filter((event) => !known.has(JSON.stringify(event)))]);
  }

  #put(entry: WorkEntry): boolean {
    switch (entry.kind) {
      case "bridge":
        return putWithin(this.#bridges, entry.id, entry.bridge, MAX_BRIDGES);
      case "job":
        return putWithin(this.#jobs, entry.id, entry.job, MAX_JOBS_IN_VIEW);
      case "claim":
        this.#statuses.delete(entry.id);
        return putWithin(this.#claims, entry.id, entry.claim, MAX_JOBS_IN_VIEW);
      case "status":
        return putWithin(this.#statuses, entry.id, entry.status, MAX_JOBS_IN_VIEW);
    }
  }

  /** Only what the bridge says that has the job now. */
  #statusOf(claim: JobClaim | undefined): { status?: JobStatus } {
    const status = this.#statuses.get(claim?.jobId ?? "");
    return claim && status?.bridgeId === claim.bridgeId ? { status } : {};
  }
}

/** Jobs that are added at the same moment may exceed the maximum by as many. */
const MAX_JOBS_IN_VIEW = 2 * MAX_BRIDGE_JOBS;

function eventOf(entry: WorkEntry): JobEvent {
  switch (entry.kind) {
    case "bridge":
      return { type: "bridge", bridge: entry.bridge };
    case "job":
      return { type: "job", job: entry.job };
    case "claim":
      return { type: "claim", claim: entry.claim };
    case "status":
      return { type: "status", status: entry.status };
  }
}

function putWithin<Value>(map: Map<string, Value>, id: string, value: Value, max: number): boolean {
  if (map.size >= max && !map.has(id)) return false;
  map.set(id, value);
  return true;
}
