/** What a watch of the directory has said of bridges, jobs and claims: who has what, and how full everybody is. */
import type { JobClaim, JobEvent } from "../../core/directory/bridge-directory.ts";
import type { BridgeJob, BridgeRecord, OutputSpec } from "../../core/wire/bridge-jobs.ts";

export class KnownJobs {
  readonly #jobs = new Map<string, BridgeJob>();
  readonly #claims = new Map<string, JobClaim>();
  readonly #bridges = new Map<string, BridgeRecord>();
  /** Jobs that each bridge has. */
  readonly #counts = new Map<string, number>();

  job(jobId: string): BridgeJob | undefined {
    return this.#jobs.get(jobId);
  }

  /** An output of this type is asked for of the room. */
  hasOutput(room: string, type: OutputSpec["type"]): boolean {
    for (const job of this.#jobs.values()) {
      if (job.kind === "output" && job.room === room && job.spec.type === type) return true;
    }
    return false;
  }

  hasBridge(bridgeId: string): boolean {
    return this.#bridges.has(bridgeId);
  }

  claim(jobId: string): JobClaim | undefined {
    return this.#claims.get(jobId);
  }

  take(event: JobEvent): void {
    switch (event.type) {
      case "bridge":
        this.#bridges.set(event.bridge.id, event.bridge);
        break;
      case "bridge-gone":
        this.#bridges.delete(event.bridgeId);
        break;
      case "job":
        this.#jobs.set(event.job.id, event.job);
        break;
      case "job-gone":
        this.#jobs.delete(event.jobId);
        this.#drop(event.jobId);
        break;
      case "claim":
        this.noteClaim(event.claim);
        break;
      case "claim-gone":
        // One that has been replaced meanwhile is no news.
        if ((this.#claims.get(event.claim.jobId)?.epoch ?? 0) <= event.claim.epoch) {
          this.#drop(event.claim.jobId);
        }
        break;
      case "status":
        break;
    }
  }

  /** What a call found to stand, which the watch may tell later. */
  noteClaim(claim: JobClaim): void {
    const { jobId, bridgeId, epoch } = claim;
    if (!this.#jobs.has(jobId) || (this.#claims.get(jobId)?.epoch ?? 0) > epoch) return;
    this.#drop(jobId);
    this.#claims.set(jobId, claim);
    this.#counts.set(bridgeId, (this.#counts.get(bridgeId) ?? 0) + 1);
  }

  /** Share of its capacity that the emptiest bridge uses, of those that take jobs; undefined when none does. */
  leastFill(): number | undefined {
    let least: number | undefined;
    for (const { id, capacity, draining } of this.#bridges.values()) {
      if (draining || capacity === 0) continue;
      const fill = (this.#counts.get(id) ?? 0) / capacity;
      if (fill < 1 && fill < (least ?? 1)) least = fill;
    }
    return least;
  }

  #drop(jobId: string): void {
    const claim = this.#claims.get(jobId);
    if (!claim) return;
    this.#claims.delete(jobId);
    const count = (this.#counts.get(claim.bridgeId) ?? 0) - 1;
    if (count > 0) this.#counts.set(claim.bridgeId, count);
    else this.#counts.delete(claim.bridgeId);
  }
}
