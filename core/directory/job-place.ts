/** Jobs of which a room has one at most: the place that such a job takes, and the checks of what a job must be. */
import { type BridgeJob, bridgeJobSchema } from "../wire/bridge-jobs.ts";
import { DirectoryError } from "./directory.ts";

/**
 * Names of the place; undefined where there may be any number. A room has one HLS and one MP3 address, and nobody is in
 * it twice. Names are not encoded.
 */
export function placeOf(job: BridgeJob): string[] | undefined {
  if (job.kind === "ingest") return [job.room, "ingest", job.spec.identity];
  return job.spec.type === "hls" || job.spec.type === "mp3" ? [job.room, job.spec.type] : undefined;
}

/** A copy that is what readers take. Throws DirectoryError. */
export function checkedJob(job: BridgeJob): BridgeJob {
  const checked = bridgeJobSchema.safeParse(job);
  if (checked.success) return checked.data;
  const issue = checked.error.issues[0];
  throw new DirectoryError(`the job ${job.id} is not usable: ${issue?.path.join(".")} ${issue?.message}`, {
    cause: checked.error,
  });
}

/** By time of creation, then by id. */
export function byCreation<View extends { job: BridgeJob }>(views: View[]): View[] {
  const keyOf = ({ job }: View): string => `${new Date(job.createdAt).toISOString()} ${job.id}`;
  return views.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}
