/**
 * Bridges and jobs of a cluster that is one process: `npm start`, tests, simulation. `cutOff` and `reconnect` play the
 * network between a bridge and its directory, `forget` a directory that loses everything.
 */
import type { Clock, Timer } from "../clock.ts";
import type { BridgeJob, BridgeRecord, JobStatus } from "../wire/bridge-jobs.ts";
import { MAX_BRIDGE_JOBS } from "../wire/limits.ts";
import {
  type BridgeDirectory,
  type BridgeRegistration,
  type JobClaim,
  type JobEvent,
  type JobView,
  TooManyJobsError,
} from "./bridge-directory.ts";
import { DirectoryError } from "./directory.ts";
import { byCreation, checkedJob, placeOf } from "./job-place.ts";
import { jsonCopy } from "./json-copy.ts";
import { DirectoryListeners } from "./listeners.ts";

interface Lease {
  bridge: BridgeRecord;
  readonly ttlMs: number;
  /** Jobs that this bridge has. */
  readonly jobs: Set<string>;
  /** Runs while the bridge is cut off; when it fires the lease is over. */
  expiry: Timer | undefined;
  over: boolean;
  onLost: () => void;
}

export class MemoryBridges implements BridgeDirectory {
  readonly #clock: Clock;
  readonly #leases = new Map<string, Lease>();
  readonly #jobs = new Map<string, JobView>();
  /** Job ids by the place that they take. */
  readonly #places = new Map<string, string>();
  readonly #listeners = new DirectoryListeners<JobEvent>();
  #lastEpoch = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async registerBridge(bridge: BridgeRecord, ttlMs: number): Promise<BridgeRegistration> {
    const older = this.#leases.get(bridge.id);
    if (older) this.#endLease(older);
    let onLost = (): void => {};
    const lost = new Promise<void>((resolve) => {
      onLost = resolve;
    });
    const lease: Lease = {
      bridge: { ...bridge },
      ttlMs,
      jobs: new Set(),
      expiry: undefined,
      over: false,
      onLost,
    };
    this.#leases.set(bridge.id, lease);
    this.#listeners.tell({ type: "bridge", bridge: { ...bridge } });
    return {
      lost,
      update: async (next) => this.#update(lease, next),
      claimJob: async (jobId) => this.#claim(lease, jobId, false),
      takeJob: async (jobId) => this.#claim(lease, jobId, true),
      releaseJob: async (jobId) => this.#release(lease, jobId),
      report: async (status) => this.#report(lease, status),
      end: async () => this.#endLease(lease),
    };
  }

  async bridges(): Promise<BridgeRecord[]> {
    return [...this.#leases.values()].map(({ bridge }) => ({ ...bridge }));
  }

  async putJob(job: BridgeJob): Promise<BridgeJob> {
    const checked = checkedJob(job);
    const place = placeOf(job)?.join(" ");
    const standing = this.#jobs.get(job.id) ?? this.#jobs.get(this.#places.get(place ?? "") ?? "");
    if (standing) return jsonCopy(standing.job);
    if (this.#jobs.size >= MAX_BRIDGE_JOBS) throw new TooManyJobsError();
    this.#jobs.set(job.id, { job: checked });
    if (place !== undefined) this.#places.set(place, job.id);
    this.#listeners.tell({ type: "job", job: jsonCopy(checked) });
    return jsonCopy(checked);
  }

  async deleteJob(jobId: string): Promise<boolean> {
    return this.#remove(jobId, false);
  }

  async job(jobId: string): Promise<JobView | undefined> {
    const view = this.#jobs.get(jobId);
    return view && jsonCopy(view);
  }

  async jobs(): Promise<JobView[]> {
    return byCreation([...this.#jobs.values()].map((view) => jsonCopy(view)));
  }

  watchJobs(listener: (event: JobEvent) => void): () => void {
    for (const { bridge } of this.#leases.values()) listener({ type: "bridge", bridge: { ...bridge } });
    for (const { job, claim, status } of jsonCopy([...this.#jobs.values()])) {
      listener({ type: "job", job });
      if (claim) listener({ type: "claim", claim });
      if (status) listener({ type: "status", status });
    }
    return this.#listeners.add(listener);
  }

  /** Plays a bridge that cannot reach the directory: its calls fail at once, its lease ends after its ttl. */
  cutOff(bridgeId: string): void {
    const lease = this.#leases.get(bridgeId);
    if (!lease || lease.expiry) return;
    lease.expiry = this.#clock.after(lease.ttlMs, () => this.#endLease(lease));
  }

  /** Ends what `cutOff` began. A lease that has not ended by then lives on. */
  reconnect(bridgeId: string): void {
    const lease = this.#leases.get(bridgeId);
    lease?.expiry?.cancel();
    if (lease) lease.expiry = undefined;
  }

  /** Plays a directory that loses everything: bridges are lost, and nobody has deleted the jobs that are gone. */
  forget(): void {
    for (const jobId of [...this.#jobs.keys()]) this.#remove(jobId, true);
    for (const lease of [...this.#leases.values()]) this.#endLease(lease);
  }

  #update(lease: Lease, next: BridgeRecord): void {
    this.#assertHeld(lease);
    if (next.id !== lease.bridge.id) {
      throw new DirectoryError(
        `bridge ${lease.bridge.id} cannot become ${next.id}: register the new id instead`,
      );
    }
    lease.bridge = { ...next };
    this.#listeners.tell({ type: "bridge", bridge: { ...next } });
  }

  #claim(lease: Lease, jobId: string, evenIfHeld: boolean): JobClaim | undefined {
    this.#assertHeld(lease);
    const view = this.#jobs.get(jobId);
    if (!view) return undefined;
    const { claim: standing } = view;
    if (standing && (!evenIfHeld || lease.jobs.has(jobId))) return { ...standing };
    if (standing) this.#leases.get(standing.bridgeId)?.jobs.delete(jobId);
    this.#lastEpoch += 1;
    view.claim = { jobId, bridgeId: lease.bridge.id, epoch: this.#lastEpoch };
    view.status = undefined;
    lease.jobs.add(jobId);
    this.#listeners.tell({ type: "claim", claim: { ...view.claim } });
    return { ...view.claim };
  }

  #release(lease: Lease, jobId: string): void {
    this.#assertHeld(lease);
    this.#drop(lease, jobId);
  }

  #report(lease: Lease, status: JobStatus): void {
    this.#assertHeld(lease);
    const view = this.#jobs.get(status.jobId);
    if (!view || !lease.jobs.has(status.jobId) || status.bridgeId !== lease.bridge.id) return;
    view.status = jsonCopy(status);
    this.#listeners.tell({ type: "status", status: jsonCopy(status) });
  }

  #drop(lease: Lease, jobId: string): void {
    const view = this.#jobs.get(jobId);
    if (!lease.jobs.delete(jobId) || !view?.claim) return;
    const { claim } = view;
    view.claim = undefined;
    view.status = undefined;
    this.#listeners.tell({ type: "claim-gone", claim });
  }

  #remove(jobId: string, forgotten: boolean): boolean {
    const view = this.#jobs.get(jobId);
    if (!view) return false;
    this.#jobs.delete(jobId);
    const place = placeOf(view.job)?.join(" ");
    if (place !== undefined) this.#places.delete(place);
    this.#leases.get(view.claim?.bridgeId ?? "")?.jobs.delete(jobId);
    this.#listeners.tell({ type: "job-gone", jobId, forgotten });
    return true;
  }

  #endLease(lease: Lease): void {
    if (lease.over) return;
    lease.over = true;
    lease.expiry?.cancel();
    this.#leases.delete(lease.bridge.id);
    for (const jobId of [...lease.jobs]) this.#drop(lease, jobId);
    this.#listeners.tell({ type: "bridge-gone", bridgeId: lease.bridge.id });
    lease.onLost();
  }

  #assertHeld(lease: Lease): void {
    if (lease.over) throw new DirectoryError(leaseGone(lease.bridge.id));
    if (lease.expiry) {
      throw new DirectoryError(
        `bridge ${lease.bridge.id} cannot reach the directory: try again, or wait for \`lost\``,
      );
    }
  }
}

function leaseGone(bridgeId: string): string {
  return `the lease of bridge ${bridgeId} is gone: register it again`;
}
