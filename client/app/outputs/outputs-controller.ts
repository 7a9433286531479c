/** What runs of a room's outputs and ingests: looks now and then, more often while somebody watches, and does what is pressed. */
import type { ReactiveController, ReactiveControllerHost } from "lit";
import type { IngestSpec } from "../../../core/wire/bridge-jobs.ts";
import { sentenceOf } from "../error-sentence.ts";
import { GatewayRefusal } from "../gateway-request.ts";
import { type OnAir, onAirOf } from "./output-text.ts";
import { OutputsApi, type OutputWish, type RoomIngest, type RoomOutput } from "./outputs-api.ts";

const LOOK_MS = 20_000;
const LOOK_WHILE_OPEN_MS = 3_000;

export class OutputsController implements ReactiveController {
  /** The gateway lets us see outputs. */
  available = false;
  outputs: readonly RoomOutput[] = [];
  ingests: readonly RoomIngest[] = [];
  /** What is being started (its type) or stopped (its id). */
  busy: ReadonlySet<string> = new Set();
  readonly #host: ReactiveControllerHost;
  #api: OutputsApi | undefined;
  #run = new AbortController();
  #timer: number | undefined;
  #open = false;
  #lookProblem = "";
  #actProblem = "";

  constructor(host: ReactiveControllerHost) {
    this.#host = host;
    host.addController(this);
  }

  hostDisconnected(): void {
    this.#stop();
  }

  /** Looks at this room's outputs from now on; an empty token stops looking. */
  follow(room: string, token: string): void {
    this.#stop();
    this.available = false;
    this.outputs = [];
    this.ingests = [];
    if (token === "") return;
    this.#api = new OutputsApi(room, token);
    void this.#look();
  }

  /** Sentence: what went wrong last; empty once it works. */
  get problem(): string {
    return this.#actProblem || this.#lookProblem;
  }

  /** The panel is in sight. */
  setOpen(open: boolean): void {
    if (open === this.#open) return;
    this.#open = open;
    if (open && this.available) void this.#look();
  }

  get onAir(): OnAir {
    return onAirOf(this.outputs);
  }

  startOutput(wish: OutputWish): Promise<boolean> {
    return this.#attempt(wish.type, async (api) => {
      const output = await api.startOutput(wish);
      this.outputs = [...this.outputs.filter(({ id }) => id !== output.id), output];
    });
  }

  stopOutput(id: string): Promise<boolean> {
    return this.#attempt(id, async (api) => {
      await unlessGone(api.stopOutput(id));
      this.outputs = this.outputs.filter((output) => output.id !== id);
    });
  }

  createIngest(spec: IngestSpec): Promise<boolean> {
    return this.#attempt("ingest", async (api) => {
      const ingest = await api.createIngest(spec);
      this.ingests = [...this.ingests.filter(({ id }) => id !== ingest.id), ingest];
    });
  }

  removeIngest(id: string): Promise<boolean> {
    return this.#attempt(id, async (api) => {
      await unlessGone(api.removeIngest(id));
      this.ingests = this.ingests.filter((ingest) => ingest.id !== id);
    });
  }

  async #attempt(what: string, action: (api: OutputsApi) => Promise<void>): Promise<boolean> {
    const api = this.#api;
    if (api === undefined || this.busy.has(what)) return false;
    this.busy = new Set([...this.busy, what]);
    this.#host.requestUpdate();
    try {
      await action(api);
      this.#actProblem = "";
      return true;
    } catch (error) {
      this.#actProblem = sentenceOf(error);
      return false;
    } finally {
      this.busy = new Set([...this.busy].filter((other) => other !== what));
      this.#host.requestUpdate();
    }
  }

  async #look(): Promise<void> {
    const api = this.#api;
    this.#run.abort();
    this.#run = new AbortController();
    const { signal } = this.#run;
    window.clearTimeout(this.#timer);
    if (api === undefined) return;
    try {
      if (!document.hidden || !this.available) await this.#fetch(api, signal);
    } catch (error) {
      if (signal.aborted) return;
      const status = error instanceof GatewayRefusal ? error.status : 0;
      if (this.available) this.#lookProblem = sentenceOf(error);
      this.#host.requestUpdate();
      // Not for us, or there is nothing of the kind: not asked again. The token may also have run out meanwhile.
      if (status === 401 || status === 403 || status === 404) return;
    }
    if (signal.aborted) return;
    this.#timer = window.setTimeout(() => void this.#look(), this.#open ? LOOK_WHILE_OPEN_MS : LOOK_MS);
    this.#host.requestUpdate();
  }

  async #fetch(api: OutputsApi, signal: AbortSignal): Promise<void> {
    const busyBefore = this.busy;
    // Keys of ingests are fetched only where somebody looks at them.
    const [outputs, ingests] = await Promise.all([
      api.outputs(signal),
      this.#open ? api.ingests(signal) : undefined,
    ]);
    this.available = true;
    this.#lookProblem = "";
    // What was pressed meanwhile is newer than the answer.
    if (this.busy !== busyBefore || this.busy.size > 0) return;
    this.outputs = outputs;
    if (ingests !== undefined) this.ingests = ingests;
  }

  #stop(): void {
    this.#run.abort();
    window.clearTimeout(this.#timer);
    this.#api = undefined;
  }
}

async function unlessGone(deletion: Promise<void>): Promise<void> {
  try {
    await deletion;
  } catch (error) {
    if (!(error instanceof GatewayRefusal && error.status === 404)) throw error;
  }
}
