/**
 * What bridges do, as it lies in etcd. Keys: `<prefix>work/bridges/<id>`, `work/claims/<job>`, `work/jobs/<job>`,
 * `work/statuses/<job>`, and `work/taken/<place>` with the id of the job that takes it (job-place.ts), which nobody
 * watches. Bridges, claims and statuses are under the bridge's lease. What is not ours is passed over as in key-space.ts.
 */
import { z } from "zod";
import {
  type BridgeJob,
  type BridgeRecord,
  bridgeJobSchema,
  bridgeRecordSchema,
  type JobStatus,
  jobStatusSchema,
} from "../../wire/bridge-jobs.ts";
import type { JobClaim } from "../bridge-directory.ts";
import { DirectoryError } from "../directory.ts";
import { MAX_ETCD_KEY_CHARS, MAX_WORK_VALUE_CHARS } from "../limits.ts";
import type { KeyValue } from "./answers.ts";
import {
  base64OfJson,
  decoded,
  encodedName,
  epochValueSchema,
  jsonOfValue,
  rangeOf,
  WORK_FOLDER,
} from "./key-space.ts";
import { SkippedValues } from "./skipped-values.ts";
import { base64OfText, textOfBase64 } from "./text-bytes.ts";

export type WorkKind = "bridge" | "claim" | "job" | "status";

export type WorkEntry =
  | { kind: "bridge"; id: string; bridge: BridgeRecord }
  | { kind: "claim"; id: string; claim: JobClaim }
  | { kind: "job"; id: string; job: BridgeJob }
  | { kind: "status"; id: string; status: JobStatus };

/** As with rooms: the epoch is the base that held when the claim was written, plus the revision that it was written as. */
const claimValueSchema = z.object({
  bridgeId: z.string().min(1).max(128),
  base: epochValueSchema.shape.base,
});
const placeValueSchema = z.object({ jobId: z.string().min(1).max(64) });

const FOLDERS = { bridge: "bridges/", claim: "claims/", job: "jobs/", status: "statuses/" } as const;
const KINDS = ["bridge", "claim", "job", "status"] as const;
const PLACES = "taken/";

export class WorkKeys {
  readonly epoch: string;
  readonly #prefix: string;
  readonly #skipped: SkippedValues;

  /** `epoch` is the key of KeySpace of that name. */
  constructor(prefix: string, epoch: string, log: (line: string) => void) {
    this.#prefix = prefix + WORK_FOLDER;
    this.epoch = epoch;
    this.#skipped = new SkippedValues(log);
  }

  /** Times that a value was passed over because it is not ours. */
  get skippedValues(): number {
    return this.#skipped.count;
  }

  key(kind: WorkKind, id: string): string {
    return base64OfText(this.#prefix + FOLDERS[kind] + encodedName(id));
  }

  place(names: readonly string[]): string {
    return base64OfText(this.#prefix + PLACES + names.map(encodedName).join("/"));
  }

  /** All keys of one kind, or of all that is watched, as etcd wants a range. */
  range(kind?: WorkKind): { key: string; range_end: string } {
    if (kind) return rangeOf(this.#prefix + FOLDERS[kind]);
    return { key: base64OfText(this.#prefix), range_end: base64OfText(this.#prefix + PLACES) };
  }

  /** Undefined for keys that are not ours. */
  subjectOf(base64Key: string): { kind: WorkKind; id: string } | undefined {
    if (base64Key.length > MAX_ETCD_KEY_CHARS) return undefined;
    const path = textOfBase64(base64Key) ?? "";
    for (const kind of KINDS) {
      const start = this.#prefix + FOLDERS[kind];
      const id = path.startsWith(start) ? decoded(path.slice(start.length)) : undefined;
      if (id !== undefined) return { kind, id };
    }
    return undefined;
  }

  /** What a key and its value say; undefined, and counted, when that is nothing of ours. */
  entryOf(kv: KeyValue): WorkEntry | undefined {
    const subject = this.subjectOf(kv.key);
    const entry = subject && entryFrom(subject.kind, subject.id, kv);
    if (!entry) this.skip(kv.key, "does not hold what Tributary writes there");
    return entry;
  }

  skip(base64Key: string, why: string): void {
    this.#skipped.skip(base64Key, why);
  }
}

/** The job that takes a place; undefined when the value does not say. */
export function jobOfPlace(kv: KeyValue): string | undefined {
  return placeValueSchema.safeParse(jsonOfValue(kv)).data?.jobId;
}

/** A value as etcd wants it. Throws DirectoryError when readers would pass over it. */
export function workValue(value: object): string {
  const base64 = base64OfJson(value);
  if (base64.length <= MAX_WORK_VALUE_CHARS) return base64;
  throw new DirectoryError(
    `it is ${base64.length} characters as etcd takes it, and ${MAX_WORK_VALUE_CHARS} are too many already: ask for less in one job`,
  );
}

function entryFrom(kind: WorkKind, id: string, kv: KeyValue): WorkEntry | undefined {
  const value = jsonOfValue(kv, MAX_WORK_VALUE_CHARS);
  switch (kind) {
    case "bridge": {
      const { data } = bridgeRecordSchema.safeParse(value);
      return data?.id === id ? { kind, id, bridge: data } : undefined;
    }
    case "claim": {
      const { data } = claimValueSchema.safeParse(value);
      return (
        data && {
          kind,
          id,
          claim: { jobId: id, bridgeId: data.bridgeId, epoch: data.base + kv.mod_revision },
        }
      );
    }
    case "job": {
      const { data } = bridgeJobSchema.safeParse(value);
      return data?.id === id ? { kind, id, job: data } : undefined;
    }
    case "status": {
      const { data } = jobStatusSchema.safeParse(value);
      return data?.jobId === id ? { kind, id, status: data } : undefined;
    }
  }
}
