/** What the gateway's routes do with bridges' jobs: adding, finding and ending them, with every refusal in the gateway's words. */
import type { Clock } from "../core/clock.ts";
import { type BridgeDirectory, type JobView, TooManyJobsError } from "../core/directory/bridge-directory.ts";
import type { BridgeJob, BridgeRecord, IngestJob, OutputJob } from "../core/wire/bridge-jobs.ts";
import { ProblemError } from "./problem.ts";

const JOB_ID_BYTES = 16;
const STREAM_KEY_BYTES = 24;
const RETRY_SECONDS = "5";

export type OutputView = JobView & { job: OutputJob };
export type IngestView = JobView & { job: IngestJob };

export class JobDesk {
  readonly #directory: BridgeDirectory | undefined;
  readonly #clock: Clock;

  constructor(options: { directory: BridgeDirectory | undefined; clock: Clock }) {
    this.#directory = options.directory;
    this.#clock = options.clock;
  }

  /** Throws ProblemError: `bridges-off`, `no-bridge`, `too-many-jobs`, `output-exists`. */
  async addOutput(room: string, spec: OutputJob["spec"]): Promise<OutputJob> {
    const job: OutputJob = { kind: "output", ...this.#newJob(room), spec };
    assertRoom(await this.bridges());
    await this.#put(job);
    return job;
  }

  /** Throws ProblemError: `bridges-off`, `no-bridge`, `too-many-jobs`, `ingest-exists`. */
  async addIngest(room: string, spec: IngestJob["spec"]): Promise<IngestJob> {
    const job: IngestJob = {
      kind: "ingest",
      ...this.#newJob(room),
      spec,
      streamKey: randomText(STREAM_KEY_BYTES),
    };
    assertTakes(await this.bridges(), spec.type);
    await this.#put(job);
    return job;
  }

  /** Throws ProblemError `bridges-off`. */
  async outputs(room: string): Promise<OutputView[]> {
    return (await this.#require().jobs()).filter(isOutput).filter(({ job }) => job.room === room);
  }

  /** The bridge that has the room's one output of this type now. Throws ProblemError: `bridges-off`, `output-not-found`, `output-waiting`. */
  async bridgeOf(room: string, type: "hls" | "mp3"): Promise<BridgeRecord> {
    const found = (await this.outputs(room)).find(({ job }) => job.spec.type === type);
    if (!found) {
      throw new ProblemError(
        "output-not-found",
        `${room} has no ${type.toUpperCase()} output: whoever runs the room adds it with POST /v1/rooms/{room}/outputs.`,
      );
    }
    const bridge = (await this.bridges()).find(({ id }) => id === found.claim?.bridgeId);
    if (bridge) return bridge;
    throw new ProblemError(
      "output-waiting",
      `No bridge has the ${type.toUpperCase()} output of ${room} at the moment: another one takes it over, try again soon.`,
      { headers: { "retry-after": RETRY_SECONDS } },
    );
  }

  /** Of one room, or of all. Throws ProblemError `bridges-off`. */
  async ingests(room: string | undefined): Promise<IngestView[]> {
    const ingests = (await this.#require().jobs()).filter(isIngest);
    return room === undefined ? ingests : ingests.filter(({ job }) => job.room === room);
  }

  /** Throws ProblemError: `bridges-off`, `output-not-found`. */
  async output(id: string, room: string): Promise<OutputView> {
    const view = await this.#require().job(id);
    if (view && isOutput(view) && view.job.room === room) return view;
    throw new ProblemError(
      "output-not-found",
      `${room} has no output of this id: GET lists those that it has.`,
    );
  }

  /** `room`: the only one whose ingests the caller may know of. Throws ProblemError: `bridges-off`, `ingest-not-found`. */
  async ingest(id: string, room: string | undefined): Promise<IngestView> {
    const view = await this.#require().job(id);
    if (view && isIngest(view) && (room === undefined || view.job.room === room)) return view;
    throw new ProblemError(
      "ingest-not-found",
      "There is no ingest of this id: GET lists those that there are.",
    );
  }

  /** The bridge that has it ends it. */
  async delete(job: BridgeJob): Promise<void> {
    if (await this.#require().deleteJob(job.id)) return;
    throw new ProblemError(
      job.kind === "output" ? "output-not-found" : "ingest-not-found",
      "Somebody else has deleted it just now.",
    );
  }

  /** All live bridges. Throws ProblemError `bridges-off`. */
  async bridges(): Promise<BridgeRecord[]> {
    return this.#require().bridges();
  }

  #newJob(room: string): { id: string; room: string; createdAt: string } {
    const createdAt = new Date(this.#clock.nowUs() / 1000).toISOString();
    return { id: randomText(JOB_ID_BYTES), room, createdAt };
  }

  async #put(job: BridgeJob): Promise<void> {
    const standing = await this.#require()
      .putJob(job)
      .catch((error: unknown) => {
        if (!(error instanceof TooManyJobsError)) throw error;
        throw new ProblemError("too-many-jobs", `Nothing can be added: ${error.message}.`, { cause: error });
      });
    if (standing.id !== job.id) throw existing(standing);
  }

  #require(): BridgeDirectory {
    if (this.#directory) return this.#directory;
    throw new ProblemError(
      "bridges-off",
      "This gateway has a list of relays and no directory that bridges register in: set TRIBUTARY_ETCD on both.",
    );
  }
}

/** Bridges that a sender of this type can be pointed at: the one that has it, then those with least to do. */
export function bridgesFor({ job, claim }: IngestView, bridges: readonly BridgeRecord[]): BridgeRecord[] {
  const isHolder = ({ id }: BridgeRecord): boolean => id === claim?.bridgeId;
  return bridges
    .filter((bridge) => urlOf(bridge, job.spec.type) !== "" && (isHolder(bridge) || !bridge.draining))
    .sort((one, other) => Number(isHolder(other)) - Number(isHolder(one)) || fillOf(one) - fillOf(other));
}

/** Where senders connect; empty: this bridge takes none. */
export function urlOf(bridge: BridgeRecord, type: IngestJob["spec"]["type"]): string {
  return type === "rtmp" ? bridge.rtmpUrl : bridge.icecastUrl;
}

/** Throws ProblemError `no-bridge` when no bridge has room for another output. */
function assertRoom(bridges: readonly BridgeRecord[]): void {
  if (bridgesOpen(bridges).some((bridge) => fillOf(bridge) < 1)) return;
  throw noBridge("Every bridge has as much to do as it takes: start another one, or end some outputs.");
}

/** Throws ProblemError `no-bridge` when none takes such senders. */
function assertTakes(bridges: readonly BridgeRecord[], type: IngestJob["spec"]["type"]): void {
  if (bridgesOpen(bridges).some((bridge) => urlOf(bridge, type) !== "")) return;
  throw noBridge(`No bridge takes ${type} senders: give one an address for them.`);
}

function bridgesOpen(bridges: readonly BridgeRecord[]): BridgeRecord[] {
  const open = bridges.filter(({ draining }) => !draining);
  if (open.length > 0) return open;
  throw noBridge("No bridge is registered that takes jobs: start one, or try again soon.");
}

function noBridge(why: string): ProblemError {
  return new ProblemError("no-bridge", why, { headers: { "retry-after": RETRY_SECONDS } });
}

function fillOf({ jobs, capacity }: BridgeRecord): number {
  return capacity === 0 ? 1 : jobs / capacity;
}

function existing(standing: BridgeJob): ProblemError {
  const room = encodeURIComponent(standing.room);
  if (standing.kind === "ingest") {
    return new ProblemError(
      "ingest-exists",
      `${standing.spec.identity} in ${standing.room} is brought in by another ingest already: use that, delete it, or give another identity.`,
      { headers: { location: `/v1/ingests/${standing.id}` } },
    );
  }
  return new ProblemError(
    "output-exists",
    `${standing.room} has its one ${standing.spec.type} output already: use that, or delete it first.`,
    { headers: { location: `/v1/rooms/${room}/outputs/${standing.id}` } },
  );
}

function isOutput(view: JobView): view is OutputView {
  return view.job.kind === "output";
}

function isIngest(view: JobView): view is IngestView {
  return view.job.kind === "ingest";
}

/** Of base64url, which fits ids, keys and URLs. */
function randomText(bytes: number): string {
  const random = crypto.getRandomValues(new Uint8Array(bytes));
  return btoa(String.fromCharCode(...random))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}
