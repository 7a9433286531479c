import { beforeEach, describe, expect, it } from "vitest";
import { VirtualClock } from "../../test/sim/virtual-clock.ts";
import type { ByteSocket } from "../net/byte-socket.ts";
import { memorySocketPair } from "../net/memory-socket.ts";
import { MAX_WRONG_KEYS } from "../rtmp/limits.ts";
import type { AuthoriseIcecast, IcecastControl, IcecastEnd, IcecastRequest } from "./icecast-sink.ts";
import {
  AUTHORISE_MS,
  HEAD_MS,
  IDLE_MS,
  LINGER_MS,
  MAX_CONNECTIONS,
  MAX_HEAD_BYTES,
  MAX_WAITING_BLOCKS,
  MAX_WAITING_PER_ADDRESS,
} from "./limits.ts";
import { SourceServer } from "./source-server.ts";
import { openPlainDecoder } from "./testing/plain-decoder.ts";

const KEY = "the-right-key-of-radio-1";
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const auth = (key = KEY, user = "source"): string => `Authorization: Basic ${btoa(`${user}:${key}`)}\r\n`;

interface Taken {
  control: IcecastControl;
  blocks: number;
  titles: string[];
  ends: IcecastEnd[];
}

let clock: VirtualClock;
let log: string[];
let taken: Taken[];
let requests: IcecastRequest[];
let faults: unknown[];
let authorise: AuthoriseIcecast;
let server: SourceServer;

beforeEach(() => {
  clock = new VirtualClock();
  log = [];
  taken = [];
  requests = [];
  faults = [];
  authorise = async (request) => {
    requests.push(request);
    if (request.streamKey !== KEY) return { granted: false, wrongKey: true, message: "The key is wrong." };
    return { granted: true, publication: "radio", open };
  };
  server = new SourceServer({
    clock,
    openDecoder: openPlainDecoder,
    authorise: (request) => authorise(request),
    log: (line) => log.push(line),
  });
});

function open(control: IcecastControl) {
  const one: Taken = { control, blocks: 0, titles: [], ends: [] };
  taken.push(one);
  return {
    onSound: () => void one.blocks++,
    onTitle: (title: string) => void one.titles.push(title),
    onEnd: (end: IcecastEnd) => void one.ends.push(end),
  };
}

class Client {
  said = "";
  gone = false;
  readonly #socket: ByteSocket;

  constructor(address = "192.0.2.1:40000") {
    const [near, far] = memorySocketPair([address, "192.0.2.9:8000"]);
    this.#socket = near;
    server.accept(far).catch((error: unknown) => faults.push(error));
    void this.#listen();
  }

  async #listen(): Promise<void> {
    try {
      for (let bytes = await this.#socket.read(); bytes !== undefined; bytes = await this.#socket.read()) {
        this.said += new TextDecoder().decode(bytes);
      }
      // As a sender that has been answered does.
      this.#socket.finish();
    } catch {
      this.gone = true;
    }
  }

  /** Not awaited where the server may make it wait. */
  async send(text: string | Uint8Array, ms = 0): Promise<void> {
    this.#socket.write(typeof text === "string" ? utf8(text) : text).catch(() => undefined);
    await clock.advance(ms);
  }

  async finish(): Promise<void> {
    this.#socket.finish();
    await clock.advance(0);
  }

  cut(): void {
    this.#socket.destroy();
  }
}

async function answered(head: string, address?: string): Promise<string> {
  const client = new Client(address);
  await client.send(head, 10);
  await clock.advance(LINGER_MS);
  expect(faults).toEqual([]);
  return client.said;
}

const source = (more = "", method = "SOURCE /radio HTTP/1.0"): string => `${method}\r\n${auth()}${more}\r\n`;

describe("a source", () => {
  it("by SOURCE is let in with 200 at once, and plays what it sends", async () => {
    const client = new Client();
    await client.send(source("Content-Type: audio/mpeg\r\nice-name: Radio One\r\n"));
    expect(client.said).toBe("HTTP/1.0 200 OK\r\nConnection: close\r\n\r\n");
    expect(requests).toEqual([
      {
        purpose: "source",
        mount: "radio",
        streamKey: KEY,
        remoteAddress: "192.0.2.1:40000",
        stationName: "Radio One",
        format: "mp3",
      },
    ]);
    await client.send(new Uint8Array(48_000));
    await clock.advance(2_000);
    expect(taken[0]).toMatchObject({ blocks: 50, ends: [] });
    expect(server.sources).toBe(1);
    await client.finish();
    expect(taken[0]!.ends).toEqual([{ code: "finished", message: "The sender is done." }]);
    await clock.advance(LINGER_MS);
    expect([server.connections, server.sources]).toEqual([0, 0]);
    expect(log).toEqual([
      'Icecast source "/radio" from 192.0.2.1:40000 begins (mp3).',
      "Icecast source from 192.0.2.1:40000 is over (finished): The sender is done.",
    ]);
  });

  it("by PUT gets 100 when it asks, and 200 when its body is done and played", async () => {
    const client = new Client();
    await client.send(
      source("Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n", "PUT /radio HTTP/1.1"),
    );
    expect(client.said).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    await client.send(`4b0\r\n${"x".repeat(1_200)}\r\n0\r\n\r\n`);
    await clock.advance(100);
    expect(taken[0]).toMatchObject({ blocks: 2, ends: [{ code: "finished" }] });
    expect(client.said).toBe("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    expect(server.connections).toBe(0);
  });

  it("is made to wait when it is faster than its sound", async () => {
    const client = new Client();
    await client.send(source());
    for (let i = 0; i < 40; i++) await client.send(new Uint8Array(48_000));
    expect(taken[0]!.control.delayMs).toBeLessThanOrEqual((MAX_WAITING_BLOCKS + 5) * 20);
    await clock.advance(25_000);
    // That nothing is read meanwhile is no silence of the sender.
    expect(taken[0]!.ends).toEqual([]);
    await client.finish();
    await clock.advance(20_000);
    expect(taken[0]).toMatchObject({ blocks: 40 * 50, ends: [{ code: "finished" }] });
    expect(taken[0]!.control.stats).toEqual({ bytes: 40 * 48_000, blocks: 2_000, gaps: 0, skippedBlocks: 0 });
  });

  it("that falls silent is ended as idle", async () => {
    const client = new Client();
    await client.send(source());
    await client.send(new Uint8Array(960));
    await clock.advance(IDLE_MS - 1_500);
    expect(taken[0]!.ends).toEqual([]);
    await clock.advance(3_000);
    expect(taken[0]!.ends).toEqual([{ code: "idle", message: "Nothing came for 20 s." }]);
    expect([client.gone, server.connections]).toEqual([true, 0]);
  });

  it("whose connection breaks is ended as disconnected", async () => {
    const client = new Client();
    await client.send(source());
    client.cut();
    await clock.advance(0);
    expect(taken[0]!.ends).toMatchObject([{ code: "disconnected" }]);
    expect(server.connections).toBe(0);
  });

  it.each([
    ["does not decode", "", "bad sound"],
    ["has malformed chunks", "Transfer-Encoding: chunked\r\n", "nonsense\r\n"],
  ])("that %s is ended as malformed", async (_, headers, body) => {
    const client = new Client();
    await client.send(source(headers));
    await client.send(body);
    expect(taken[0]!.ends).toMatchObject([{ code: "malformed" }]);
    expect([client.gone, server.connections, server.sources]).toEqual([true, 0, 0]);
  });

  it("is taken over from by the same key, until two do so all the time", async () => {
    const clients: Client[] = [];
    for (let i = 0; i < 6; i++) {
      const client = new Client();
      clients.push(client);
      await client.send(source());
    }
    expect(taken.length).toBe(5);
    expect(taken.map(({ ends }) => ends.map(({ code }) => code))).toEqual([
      ...Array.from({ length: 4 }, () => ["taken-over"]),
      [],
    ]);
    expect(clients[5]!.said).toMatch(/^HTTP\/1\.0 409 Conflict/);
    expect(clients.slice(0, 4).every(({ gone }) => gone)).toBe(true);
    expect(server.sources).toBe(1);
  });

  it("is ended by its sink's maker, and by a server that closes", async () => {
    const first = new Client();
    await first.send(source());
    taken[0]!.control.end("The ingest was deleted.");
    await clock.advance(0);
    expect(taken[0]!.ends).toEqual([{ code: "ended-here", message: "The ingest was deleted." }]);
    const second = new Client();
    await second.send(source());
    server.close("The server closes.");
    await clock.advance(0);
    expect(taken[1]!.ends).toEqual([{ code: "ended-here", message: "The server closes." }]);
    expect(server.connections).toBe(0);
    expect(await answered(source())).toBe("");
  });

  it("leaves nothing behind when its sink cannot be made", async () => {
    authorise = async () => ({
      granted: true,
      publication: "radio",
      open() {
        throw new Error("no room");
      },
    });
    const client = new Client();
    await client.send(source());
    expect(faults).toMatchObject([{ message: "no room" }]);
    faults = [];
    expect([client.gone, server.connections, server.sources]).toEqual([true, 0, 0]);
  });
});

describe("a title", () => {
  const update = (query: string, key = KEY): string =>
    `GET /admin/metadata?${query} HTTP/1.0\r\n${auth(key)}\r\n`;
  it("reaches the running source of its key", async () => {
    const client = new Client();
    await client.send(source());
    const said = await answered(update("mode=updinfo&mount=%2Fradio&song=Satie+%2D%20Gymnop%E9die%0a"));
    expect(said).toMatch(/^HTTP\/1\.0 200 OK\r\n.*Content-Type: text\/xml.*<return>1<\/return>/s);
    expect(taken[0]!.titles).toEqual(["Satie - Gymnopédie"]);
    expect(requests[1]).toMatchObject({ purpose: "metadata", mount: "radio", format: undefined });
    expect(await answered(update("mode=updinfo&song=x", "wrong"))).toMatch(/ 403 /);
    expect(await answered(update("mode=shutdown"))).toMatch(/ 400 /);
    expect(taken[0]!.titles.length).toBe(1);
  });
  it("needs one", async () => {
    expect(await answered(update("mode=updinfo&song=x"))).toMatch(/ 404 .*No source with this stream key/s);
  });
});

describe("refused", () => {
  it.each([
    ["without credentials", 401, "PUT /radio HTTP/1.1\r\n\r\n"],
    ["with another user", 401, `PUT /radio HTTP/1.1\r\n${auth(KEY, "admin")}\r\n`],
    ["with Digest", 401, 'PUT /radio HTTP/1.1\r\nAuthorization: Digest username="source"\r\n\r\n'],
    ["with Base64 that is none", 401, "PUT /radio HTTP/1.1\r\nAuthorization: Basic YWJjZ\r\n\r\n"],
    ["with a wrong key", 403, `PUT /radio HTTP/1.1\r\n${auth("guess")}\r\n`],
    ["with a picture", 415, source("Content-Type: image/png\r\n")],
    ["with two lengths", 400, source("Content-Length: 1\r\nContent-Length: 2\r\n")],
    ["as a listener", 404, "GET /radio HTTP/1.1\r\n\r\n"],
    ["by another method", 405, "POST /radio HTTP/1.1\r\n\r\n"],
    ["as no HTTP", 400, "letmein\r\n\r\n"],
    ["with long headers", 431, `PUT /radio HTTP/1.1\r\nx: ${"y".repeat(MAX_HEAD_BYTES)}`],
  ])("%s: %i, a sentence and a log line without the key", async (_, status, head) => {
    const said = await answered(head);
    expect(said).toMatch(new RegExp(`^HTTP/1\\.0 ${status} .*\\r\\n\\r\\n[A-Z].*\\.\\n$`, "s"));
    expect(said.includes("WWW-Authenticate: Basic")).toBe(status === 401);
    expect(log).toEqual([expect.stringMatching(new RegExp(`refused \\(${status}\\): .*\\.$`))]);
    expect(log.join("").includes(KEY)).toBe(false);
    expect(taken).toEqual([]);
    expect(server.connections).toBe(0);
  });

  it("after too many wrong keys from its address, even with the right one, for a while", async () => {
    for (let i = 0; i < MAX_WRONG_KEYS; i++) {
      expect(await answered(`PUT / HTTP/1.1\r\n${auth(`guess-${i}`)}\r\n`, `192.0.2.1:${i}`)).toMatch(
        / 403 /,
      );
    }
    expect(await answered(source(), "192.0.2.1:99")).toMatch(/ 429 .*Retry-After: 60/s);
    expect(requests.length).toBe(MAX_WRONG_KEYS);
    const elsewhere = new Client("192.0.2.2:1");
    await elsewhere.send(source());
    expect(elsewhere.said).toMatch(/ 200 /);
    await clock.advance(60_000);
    const later = new Client("192.0.2.1:100");
    await later.send(source());
    expect(later.said).toMatch(/ 200 /);
  });

  it("when the key cannot be judged, or not in time", async () => {
    authorise = async () => {
      throw new Error("no directory");
    };
    expect(await answered(source())).toMatch(/ 503 .*try again/s);
    authorise = () => new Promise(() => undefined);
    const client = new Client();
    await client.send(source(), AUTHORISE_MS + 10);
    expect(client.said).toMatch(/ 503 /);
    await clock.advance(LINGER_MS);
    expect(server.connections).toBe(0);
  });

  it("when its headers do not come to an end, however it drips them", async () => {
    const client = new Client();
    for (let i = 0; i < HEAD_MS / 100; i++) await client.send("x", 100);
    await clock.advance(1_000);
    expect(client.said).toMatch(/^HTTP\/1\.0 408 .*at once\.\n$/s);
    await client.send("more", LINGER_MS);
    expect(server.connections).toBe(0);
    expect(log).toEqual([expect.stringContaining("refused (408)")]);
  });

  it("when too many connections are open", async () => {
    for (let i = 0; i < MAX_WAITING_PER_ADDRESS; i++) new Client(`192.0.2.1:${i}`);
    await clock.advance(0);
    expect(server.connections).toBe(MAX_WAITING_PER_ADDRESS);
    const extra = new Client("192.0.2.1:999");
    await clock.advance(0);
    expect([extra.gone, server.connections]).toEqual([true, MAX_WAITING_PER_ADDRESS]);
    for (let i = MAX_WAITING_PER_ADDRESS; i < MAX_CONNECTIONS; i++)
      new Client(`198.51.${i % 256}.${i >> 8}:1`);
    await clock.advance(0);
    const last = new Client("203.0.113.1:1");
    await clock.advance(0);
    expect([last.gone, server.connections]).toEqual([true, MAX_CONNECTIONS]);
  });
});
