/**
 * Several relays on one machine, one a core: starts each as a process of its own, starts one that dies again, and ends when all
 * have ended. It carries no media and knows no rooms; the relays find one another in the directory like any others.
 */
import { RestartPace } from "./restart-pace.ts";
import { onDenoSignals } from "./signals.ts";

type Environment = Readonly<Record<string, string>>;

const READY = /^Tributary relay is ready: /;

export interface SupervisorOptions {
  /** One a worker. */
  environments: readonly Environment[];
  log(line: string): void;
}

/** Resolves to the exit status: 0 when every worker ended well. */
export async function supervise({ environments, log }: SupervisorOptions): Promise<number> {
  const workers = environments.map((environment) => new Worker(environment, log));
  onDenoSignals(
    () => {
      log(`ending ${workers.length} workers`);
      for (const worker of workers) worker.end();
    },
    () => {
      for (const worker of workers) worker.end();
    },
  );
  // What a relay by itself cannot start with, none of them can.
  const onFirstFailure = (): void => {
    for (const worker of workers) worker.end();
  };
  const statuses = await Promise.all(workers.map((worker) => worker.run(onFirstFailure)));
  return statuses.every((status) => status === 0) ? 0 : 1;
}

/** One relay process after another. */
class Worker {
  readonly #environment: Environment;
  readonly #log: (line: string) => void;
  readonly #pace = new RestartPace(Math.random);
  #child: Deno.ChildProcess | undefined;
  #wasReady = false;
  #isEnding = false;
  #wake: () => void = () => {};

  constructor(environment: Environment, log: (line: string) => void) {
    this.#environment = environment;
    this.#log = log;
  }

  get #id(): string {
    return this.#environment.RELAY_ID ?? "";
  }

  /** Asks it to end, or once more. */
  end(): void {
    this.#isEnding = true;
    this.#wake();
    try {
      this.#child?.kill("SIGTERM");
    } catch (error) {
      // It ended a moment ago.
      if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  /** Resolves to the last exit status once it is not to run any more. */
  async run(onFirstFailure: () => void): Promise<number> {
    for (;;) {
      const startMs = performance.now();
      const { code, signal } = await this.#live();
      // One that has not begun yet has nothing to drain.
      if (this.#isEnding) return signal === "SIGTERM" ? 0 : code;
      if (!this.#wasReady && code === 1) {
        onFirstFailure();
        return code;
      }
      const pauseMs = this.#pace.pauseMs(performance.now() - startMs);
      const how = signal === null ? `ended with status ${code}` : `was ended by ${signal}`;
      this.#log(`worker ${this.#id} ${how}: starting it again in ${Math.round(pauseMs)} ms`);
      await this.#pause(pauseMs);
      if (this.#isEnding) return code;
    }
  }

  async #live(): Promise<Deno.CommandStatus> {
    const config = decodeURIComponent(new URL("../../deno.json", import.meta.url).pathname);
    const main = new URL("./main.ts", import.meta.url).href;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", "--no-prompt", "--config", config, main],
      clearEnv: true,
      env: this.#environment,
      // Open for as long as we live: a worker whose supervisor was killed drains.
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#child = child;
    this.#log(`worker ${this.#id} is process ${child.pid}`);
    if (this.#isEnding) this.end();
    const [status] = await Promise.all([child.status, this.#passOn(child.stdout)]);
    this.#child = undefined;
    return status;
  }

  /** Its ready line is ours too. */
  async #passOn(stdout: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    let rest = "";
    for await (const text of stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        if (READY.test(line)) this.#wasReady = true;
        console.info(line);
      }
    }
  }

  #pause(pauseMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, pauseMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
