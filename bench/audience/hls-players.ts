/**
 * The audience of the HLS row: players with a connection each that always hold a blocking reload for the next part (RFC 8216bis, 6.2.5.2), as light
 * as they can be, so that the bridge is what is measured. Prints "ready", then, when the time is over, when each playlist was there.
 */
import { connect, type Socket } from "node:net";
import process from "node:process";

const [port = 0, clients = 0, seconds = 0] = process.argv.slice(2, 5).map(Number);
const fetchParts = process.argv[5] === "yes";

const samples = new Map<string, number[]>();
let failed = 0;
let partsFetched = 0;
let over = false;

/** One keep-alive connection that takes one answer after the other. */
class Connection {
  readonly #socket: Socket;
  #text: Buffer = Buffer.alloc(0);
  #waiting:
    | { resolve(answer: { status: number; body: Buffer }): void; reject(error: Error): void }
    | undefined;

  constructor() {
    this.#socket = connect(port, "127.0.0.1");
    this.#socket.setNoDelay(true);
    this.#socket.on("data", (chunk) => this.#take(chunk));
    this.#socket.on("error", (error) => this.#waiting?.reject(error));
    this.#socket.on("close", () => this.#waiting?.reject(new Error("closed")));
  }

  get(path: string): Promise<{ status: number; body: Buffer }> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(`GET /hls/stage/${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`);
    });
  }

  #take(chunk: Buffer): void {
    this.#text = this.#text.length === 0 ? chunk : Buffer.concat([this.#text, chunk]);
    const end = this.#text.indexOf("\r\n\r\n");
    if (end === -1) return;
    const head = this.#text.toString("latin1", 0, end);
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? Number.NaN);
    if (Number.isNaN(length)) throw new Error("An answer without content-length.");
    if (this.#text.length < end + 4 + length) return;
    const body = this.#text.subarray(end + 4, end + 4 + length);
    this.#text = Buffer.alloc(0);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve({ status: Number(head.slice(9, 12)), body });
  }
}

/** What comes behind the end of a playlist, from its hint. */
function nextOf(playlist: Buffer): { sequence: number; part: number } {
  const [, sequence, part] = /p(\d+)\.(\d+)\.m4s"\n(?:#EXT-X-REND.*\n)*$/.exec(playlist.toString("latin1"))!;
  return { sequence: Number(sequence), part: Number(part) };
}

async function play(): Promise<void> {
  const connection = new Connection();
  const { body } = await connection.get("main.m3u8");
  let next = nextOf(body);
  while (!over) {
    const key = `${next.sequence}.${next.part}`;
    const query = `_HLS_msn=${next.sequence}&_HLS_part=${next.part}&_HLS_skip=YES`;
    const answer = await connection.get(`main.m3u8?${query}`);
    const atMs = performance.timeOrigin + performance.now();
    if (answer.status !== 200) {
      failed += 1;
      continue;
    }
    const all = samples.get(key) ?? [];
    all.push(atMs);
    samples.set(key, all);
    next = nextOf(answer.body);
    if (fetchParts) {
      const part = await connection.get(`p${key}.m4s`);
      if (part.status === 200) partsFetched += 1;
      else failed += 1;
    }
  }
}

const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
for (let client = 0; client < clients; client++) {
  play().catch(() => {
    if (!over) failed += 1;
  });
  // Not all at once, as no audience comes.
  if (client % 50 === 49) await new Promise((resolve) => setTimeout(resolve, 20));
}
say({ ready: true });
await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
over = true;
say({ samples: [...samples].map(([key, atMs]) => ({ key, atMs })), failed, parts: partsFetched });
