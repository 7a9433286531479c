/**
 * An etcd of one's own: started on free ports with an empty data folder, killed, frozen and restarted as a test or
 * benchmark needs it, and gone with its data at the end. ETCD_PATH names the binary.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

const START_TIMEOUT_MS = 20_000;
const LOOK_MS = 50;
const MAX_OUTPUT_CHARS = 20_000;

export class EtcdProcess {
  /** Base URL for clients; the same after a restart. */
  readonly url: string;
  readonly #peerPort: number;
  #folder: string;
  #child: ChildProcess | undefined;
  #exited: Promise<unknown> = Promise.resolve();
  readonly #endWithUs = (): void => void this.#child?.kill("SIGKILL");

  private constructor(clientPort: number, peerPort: number, folder: string) {
    this.#peerPort = peerPort;
    this.#folder = folder;
    this.url = `http://127.0.0.1:${clientPort}`;
  }

  /** Resolves when it answers. */
  static async start(): Promise<EtcdProcess> {
    const [clientPort, peerPort] = await freePorts();
    const etcd = new EtcdProcess(clientPort, peerPort, await newFolder());
    process.once("exit", etcd.#endWithUs);
    await etcd.restart();
    return etcd;
  }

  /** Starts it again after `kill`, with its data. */
  async restart(): Promise<void> {
    const peer = `http://127.0.0.1:${this.#peerPort}`;
    const settings = {
      name: "test",
      "data-dir": this.#folder,
      "listen-client-urls": this.url,
      "advertise-client-urls": this.url,
      "listen-peer-urls": peer,
      "initial-advertise-peer-urls": peer,
      "initial-cluster": `test=${peer}`,
      "log-level": "error",
    };
    const args = Object.entries(settings).map(([name, value]) => `--${name}=${value}`);
    const child = spawn(process.env.ETCD_PATH || "etcd", args, {
      stdio: ["ignore", "pipe", "pipe"],
      // Ctrl-C in a terminal is for us alone: others may still need it.
      detached: process.platform !== "win32",
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: unknown) => {
        output = (output + String(chunk)).slice(-MAX_OUTPUT_CHARS);
      });
    }
    let failure: string | undefined;
    this.#child = child;
    this.#exited = new Promise((resolve) => {
      child.once("error", (error) => {
        failure = error.message;
        resolve(undefined);
      });
      child.once("exit", (code, signal) => {
        failure = `it ended with ${signal ?? code}`;
        resolve(undefined);
      });
    });
    const lastMs = performance.now() + START_TIMEOUT_MS;
    while (!(await this.#answers())) {
      if (failure !== undefined || performance.now() > lastMs) {
        throw new Error(`etcd did not start (${failure ?? "no answer"}): ${output}`);
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  get pid(): number {
    return this.#child!.pid!;
  }

  /** Ends it at once, as a power cut would. Its data stay. */
  async kill(): Promise<void> {
    this.#child?.kill("SIGKILL");
    await this.#exited;
  }

  /** Between `kill` and `restart`: it comes back knowing nothing. */
  async forget(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
    this.#folder = await newFolder();
  }

  /** It keeps its connections and says nothing, until `thaw`. */
  freeze(): void {
    this.#child?.kill("SIGSTOP");
  }

  thaw(): void {
    this.#child?.kill("SIGCONT");
  }

  /** Ends it and removes its data. */
  async stop(): Promise<void> {
    await this.kill();
    process.removeListener("exit", this.#endWithUs);
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** A call of its JSON gateway, with `token` where users were set up. Rejects when it says no. */
  async post(path: string, body: object, token = ""): Promise<Record<string, unknown>> {
    const headers = token === "" ? {} : { authorization: token };
    const answer = await fetch(this.url + path, { method: "POST", headers, body: JSON.stringify(body) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`etcd answered ${answer.status} to ${path}: ${text}`);
    return JSON.parse(text) as Record<string, unknown>;
  }

  async #answers(): Promise<boolean> {
    try {
      const signal = AbortSignal.timeout(1_000);
      const answer = await fetch(`${this.url}/health`, { signal });
      return ((await answer.json()) as { health?: unknown }).health === "true";
    } catch {
      return false;
    }
  }
}

function newFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "tributary-etcd-"));
}

/** Two ports that are free now. They are held together, so that they are two. */
async function freePorts(): Promise<[number, number]> {
  const servers = [createServer(), createServer()] as const;
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve, reject) => {
          server.once("error", reject);
          server.listen(0, "127.0.0.1", () => {
            const address = server.address();
            resolve(typeof address === "object" && address ? address.port : 0);
          });
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return [ports[0] ?? 0, ports[1] ?? 0];
}
