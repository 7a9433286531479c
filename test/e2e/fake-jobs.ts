/** The part of the gateway's API that has to do with bridges, answered from memory, for pages that ask it. */
import type { JobStatus, RecordingInfo } from "../../core/wire/bridge-jobs.ts";

export interface FakeRequest {
  method: string;
  /** With its query. */
  path: string;
  authorization: string;
  body: unknown;
}

export interface FakeAnswer {
  status: number;
  /** Undefined: an empty answer. */
  body: unknown;
}

interface FakeJob {
  id: string;
  room: string;
  spec: Record<string, unknown>;
  status: Partial<JobStatus> | null;
  [field: string]: unknown;
}

export class FakeJobs {
  recordings: RecordingInfo[] = [];
  outputs: FakeJob[] = [];
  ingests: FakeJob[] = [];
  /** Only this key or token opens recordings; empty = they are open. */
  recordingsKey = "";
  /** Recordings that one answer lists. */
  pageLength = 100;
  /** Bridges that do not answer. */
  unreachable: string[] = [];
  /** The next request is refused with this sentence. */
  refusal = "";
  readonly requests: FakeRequest[] = [];
  #next = 1;

  /** Undefined where the path is none of ours. */
  answer(request: FakeRequest): FakeAnswer | undefined {
    const url = new URL(request.path, "http://localhost");
    const outputs = /^\/v1\/rooms\/([^/]+)\/outputs(?:\/([^/]+))?$/.exec(url.pathname);
    const other = /^\/v1\/(ingests|recordings)(?:\/([^/]+))?$/.exec(url.pathname);
    if (outputs === null && other === null) return undefined;
    this.requests.push(request);
    if (this.refusal !== "" && request.method !== "GET") {
      const detail = this.refusal;
      this.refusal = "";
      return { status: 503, body: { title: "No bridge", status: 503, detail } };
    }
    if (outputs !== null) return this.#output(request, decodeURIComponent(outputs[1] ?? ""), outputs[2]);
    if (other?.[1] === "ingests") return this.#ingest(request, other[2]);
    return this.#recording(request, url.searchParams, other?.[2]);
  }

  /** What a bridge says of a job. */
  setStatus(id: string, status: Partial<JobStatus>): void {
    for (const job of [...this.outputs, ...this.ingests]) {
      if (job.id !== id) continue;
      job.status = {
        jobId: id,
        bridgeId: "bridge-1",
        since: new Date().toISOString(),
        state: "running",
        ...status,
      };
    }
  }

  #output({ method, body }: FakeRequest, room: string, id: string | undefined): FakeAnswer {
    if (method === "GET")
      return { status: 200, body: { outputs: this.outputs.filter((job) => job.room === room) } };
    if (method === "DELETE") return this.#remove("outputs", id);
    const job = { ...this.#job(room), createdAt: new Date().toISOString(), spec: body as FakeJob["spec"] };
    this.outputs.push(job);
    return { status: 201, body: job };
  }

  #ingest({ method, body }: FakeRequest, id: string | undefined): FakeAnswer {
    if (method === "GET") return { status: 200, body: { ingests: this.ingests } };
    if (method === "DELETE") return this.#remove("ingests", id);
    const { room, ...spec } = body as FakeJob["spec"];
    const urls =
      spec.type === "rtmp"
        ? { rtmp: "rtmp://127.0.0.1:1935/live" }
        : { icecast: "http://127.0.0.1:8000/stage" };
    const job = { ...this.#job(String(room)), spec, streamKey: "k7Q2vX9mB4tR8wL1", urls };
    this.ingests.push(job);
    return { status: 201, body: job };
  }

  #recording(
    { method, authorization }: FakeRequest,
    query: URLSearchParams,
    id: string | undefined,
  ): FakeAnswer {
    const [room, before] = [query.get("room"), query.get("before")];
    if (this.recordingsKey !== "" && authorization !== `Bearer ${this.recordingsKey}`) {
      const detail =
        authorization === ""
          ? "Send an API key or a join token."
          : "The API key is not right: copy it again.";
      return { status: 401, body: { title: "Refused", status: 401, detail } };
    }
    if (method === "DELETE") {
      this.recordings = this.recordings.filter((recording) => recording.id !== id);
      return { status: 204, body: undefined };
    }
    const one = this.recordings.find((recording) => recording.id === id);
    if (id !== undefined && one === undefined) {
      return {
        status: 404,
        body: { title: "Nothing here", status: 404, detail: "There is no recording of this id." },
      };
    }
    if (one !== undefined) return { status: 200, body: one };
    const recordings = this.recordings.filter((recording) => room === null || recording.room === room);
    return { status: 200, body: this.#page(recordings, before) };
  }

  /** Newest first, from behind the one that `before` names. */
  #page(recordings: readonly RecordingInfo[], before: string | null) {
    const sorted = recordings.toSorted((one, other) => other.startedAt.localeCompare(one.startedAt));
    const from = before === null ? 0 : sorted.findIndex(({ id }) => id === before) + 1;
    const page = sorted.slice(from, from + this.pageLength);
    const next = from + page.length < sorted.length ? page.at(-1)?.id : undefined;
    return { recordings: page, ...(next === undefined ? {} : { next }), unreachable: this.unreachable };
  }

  #job(room: string) {
    const id = `job-${String(this.#next++).padStart(8, "0")}`;
    return { id, room, status: null as FakeJob["status"] };
  }

  #remove(list: "outputs" | "ingests", id: string | undefined): FakeAnswer {
    this[list] = this[list].filter((job) => job.id !== id);
    return { status: 204, body: undefined };
  }
}
