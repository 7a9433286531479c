/**
 * A load generator for HTTP/1.1 with keep-alive: requests that are bytes already, written to bare sockets, of whose answers status and
 * length alone are read. So it costs a fraction of what the servers that it asks do; its ceiling is measured beside them
 * (canned-server.ts).
 */
import { connect, type Socket } from "node:net";
import process from "node:process";

/** Connections of a paced load; a request that finds all of them taken waits, which counts as its time. */
const MAX_CONNECTIONS = 256;

export interface LoadResult {
  /** Milliseconds from when a request was due to the end of its answer, of those that were answered 200. */
  latenciesMs: number[];
  /** What was not answered 200: how many by status, 0 for connections that broke. */
  failures: Map<number, number>;
  seconds: number;
  /** CPU time of this process over time. */
  generatorCores: number;
}

export class HttpLoad {
  readonly #target: { host: string; port: number };
  readonly #requests: readonly Buffer[];
  #next = 0;

  /** `requests` are sent in turn, each a whole HTTP/1.1 request. */
  constructor(url: string, requests: readonly Buffer[]) {
    const { hostname, port } = new URL(url);
    this.#target = { host: hostname, port: Number(port) };
    this.#requests = requests;
  }

  /** Each connection sends its next request when the one before is answered: as much as the server can do. */
  async full(connections: number, seconds: number): Promise<LoadResult> {
    return this.#measured(async (result) => {
      const endMs = performance.now() + seconds * 1000;
      const loop = async () => {
        const connection = await Connection.open(this.#target);
        while (performance.now() < endMs) await this.#one(connection, performance.now(), result);
        connection.close();
      };
      await Promise.all(Array.from({ length: connections }, loop));
    });
  }

  /** So many requests a second, due at even distances whether the server keeps up or not. */
  async paced(ratePerSecond: number, seconds: number): Promise<LoadResult> {
    return this.#measured(async (result) => {
      const idle: Connection[] = [];
      const all = new Set<Connection>();
      const startMs = performance.now();
      const total = Math.round(ratePerSecond * seconds);
      let due = 0;
      const worker = async () => {
        const connection = await Connection.open(this.#target);
        all.add(connection);
        idle.push(connection);
      };
      await Promise.all(Array.from({ length: 8 }, worker));
      const open: Promise<void>[] = [];
      while (due < total) {
        const dueMs = startMs + (due / ratePerSecond) * 1000;
        const waitMs = dueMs - performance.now();
        if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
        if (idle.length === 0 && all.size < MAX_CONNECTIONS) await worker();
        const connection = idle.pop();
        if (!connection) {
          await new Promise((resolve) => setTimeout(resolve, 1));
          continue;
        }
        due += 1;
        open.push(this.#one(connection, dueMs, result).then(() => void idle.push(connection)));
      }
      await Promise.all(open);
      for (const connection of all) connection.close();
    });
  }

  async #one(connection: Connection, dueMs: number, result: LoadResult): Promise<void> {
    const request = this.#requests[this.#next++ % this.#requests.length]!;
    const status = await connection.exchange(request);
    if (status === 200) result.latenciesMs.push(performance.now() - dueMs);
    else result.failures.set(status, (result.failures.get(status) ?? 0) + 1);
  }

  async #measured(run: (result: LoadResult) => Promise<void>): Promise<LoadResult> {
    const result: LoadResult = { latenciesMs: [], failures: new Map(), seconds: 0, generatorCores: 0 };
    const before = process.cpuUsage();
    const startMs = performance.now();
    await run(result);
    result.seconds = (performance.now() - startMs) / 1000;
    const { user, system } = process.cpuUsage(before);
    result.generatorCores = (user + system) / 1e6 / result.seconds;
    return result;
  }
}

/** One keep-alive connection with one request at a time, opened anew when the server ends it. */
class Connection {
  readonly #target: { host: string; port: number };
  #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #done: ((status: number) => void) | undefined;

  private constructor(target: { host: string; port: number }, socket: Socket) {
    this.#target = target;
    this.#socket = socket;
    this.#listen(socket);
  }

  static async open(target: { host: string; port: number }): Promise<Connection> {
    return new Connection(target, await opened(target));
  }

  /** Resolves to the status; 0 when the connection breaks. */
  async exchange(request: Buffer): Promise<number> {
    if (this.#socket.destroyed || !this.#socket.writable) {
      this.#socket = await opened(this.#target);
      this.#listen(this.#socket);
    }
    this.#received = Buffer.alloc(0);
    return new Promise((resolve) => {
      this.#done = resolve;
      this.#socket.write(request);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #listen(socket: Socket): void {
    socket.on("data", (chunk) => {
      this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
      const status = wholeAnswer(this.#received);
      if (status !== undefined) this.#finish(status);
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#finish(0));
  }

  #finish(status: number): void {
    const done = this.#done;
    this.#done = undefined;
    done?.(status);
  }
}

function opened(target: { host: string; port: number }): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...target, noDelay: true }, () => {
      socket.off("error", reject);
      resolve(socket);
    });
    socket.once("error", reject);
  });
}

/** The status once the answer is whole. */
function wholeAnswer(received: Buffer): number | undefined {
  const headEnd = received.indexOf("\r\n\r\n");
  if (headEnd < 0) return undefined;
  const head = received.toString("latin1", 0, headEnd);
  const [, length] = /\ncontent-length: *(\d+)/i.exec(head) ?? [];
  const isWhole =
    length === undefined
      ? received.toString("latin1", received.length - 5) === "0\r\n\r\n"
      : received.length >= headEnd + 4 + Number(length);
  return isWhole ? Number(head.slice(9, 12)) : undefined;
}
