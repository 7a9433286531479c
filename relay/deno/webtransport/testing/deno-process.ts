/** Starts echo-server.ts in a Deno process from a Node test, and waits for the lines that it prints. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** One line of the server: `event` says which, the rest depends on it. */
export type ServerEvent = { readonly event: string } & Readonly<Record<string, unknown>>;

interface Waiter {
  readonly event: string;
  readonly matches: (event: ServerEvent) => boolean;
  readonly resolve: (event: ServerEvent) => void;
}

const fromHere = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export class EchoServerProcess {
  readonly #child: ChildProcess;
  #events: ServerEvent[] = [];
  #waiters: Waiter[] = [];

  constructor() {
    const deno = fromHere("../../../../node_modules/deno/bin.cjs");
    const config = fromHere("../../../../deno.json");
    this.#child = spawn(
      process.execPath,
      [deno, "run", "-A", "--config", config, fromHere("./echo-server.ts")],
      {
        stdio: ["pipe", "pipe", "inherit"],
      },
    );
    if (this.#child.stdout === null) throw new Error("The Deno process has no standard output.");
    createInterface({ input: this.#child.stdout }).on("line", (line) =>
      this.#receive(JSON.parse(line) as ServerEvent),
    );
  }

  /** The next event of this name that fits, also one that came before the call; each is handed out once. */
  next(event: string, matches: (event: ServerEvent) => boolean = () => true): Promise<ServerEvent> {
    const index = this.#events.findIndex((candidate) => candidate.event === event && matches(candidate));
    if (index !== -1) return Promise.resolve(this.#events.splice(index, 1)[0] as ServerEvent);
    return new Promise((resolve) => this.#waiters.push({ event, matches, resolve }));
  }

  /** Sends one command line. */
  command(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  async stop(): Promise<void> {
    const exited = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.stdin?.end();
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 3000);
    await exited;
    clearTimeout(timer);
  }

  #receive(event: ServerEvent): void {
    const index = this.#waiters.findIndex((waiter) => waiter.event === event.event && waiter.matches(event));
    if (index === -1) this.#events.push(event);
    else this.#waiters.splice(index, 1)[0]?.resolve(event);
  }
}
