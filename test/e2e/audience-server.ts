/** Serves the built pages of the audience with media that ffmpeg makes, and the API from memory: no room, relay or bridge. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import type { NowHeard } from "../../core/wire/now-heard.ts";
import { ensureClient } from "../../start/build.mjs";
import { ROOT } from "../../start/dependencies.mjs";
import { FakeJobs } from "./fake-jobs.ts";
import { type LiveMedia, makeRecording, type Radio, startLive, startRadio } from "./test-media.ts";

const DIST = join(ROOT, "client/dist");
const MIME: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".m3u8": "application/vnd.apple.mpegurl",
  ".mp4": "video/mp4",
  ".m4s": "video/mp4",
  ".jpg": "image/jpeg",
};
const PAGE = /^\/(watch|listen|history)(\/[^/]*)?$/;

export class AudienceServer {
  readonly jobs = new FakeJobs();
  /** Answers to media are this status, as of a server that has gone wrong. */
  mediaStatus = 200;
  /** Names of who speaks, in every room that is on the air. */
  speaking: string[] = [];
  /** How often somebody asked for them. */
  heardAsked = 0;
  readonly #folder = mkdtempSync(join(tmpdir(), "audience-"));
  readonly #server = createServer((request, response) => void this.#answer(request, response));
  readonly #live = new Map<string, LiveMedia>();
  readonly #radios = new Map<string, Radio>();

  static async open(): Promise<AudienceServer> {
    ensureClient();
    const server = new AudienceServer();
    await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", resolve));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Media lie at /recordings/<id>/. */
  addRecording(id: string, seconds: number): void {
    makeRecording(join(this.#folder, "recordings", id), seconds);
  }

  async goLive(room: string, picture: boolean): Promise<void> {
    this.#live.set(room, await startLive(join(this.#folder, "hls", room), picture));
  }

  /** Its playlist stays, and says that it is over. */
  async endLive(room: string): Promise<void> {
    await this.#live.get(room)?.end();
    this.#live.delete(room);
  }

  startRadio(room: string): void {
    this.#radios.set(room, startRadio());
  }

  /** Listeners are cut off, and the address is not there any more. */
  async endRadio(room: string): Promise<void> {
    const radio = this.#radios.get(room);
    this.#radios.delete(room);
    await radio?.end();
    this.#server.closeAllConnections();
  }

  async close(): Promise<void> {
    for (const room of [...this.#live.keys()]) await this.endLive(room);
    for (const room of [...this.#radios.keys()]) await this.endRadio(room);
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader("cross-origin-opener-policy", "same-origin");
    response.setHeader("cross-origin-embedder-policy", "require-corp");
    const path = decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = chunks.length === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString());
    const { authorization = "" } = request.headers;
    const answer = this.jobs.answer({
      method: request.method ?? "GET",
      path: request.url ?? "/",
      authorization,
      body,
    });
    if (answer !== undefined) {
      response.writeHead(answer.status, { "content-type": "application/json" });
      response.end(answer.body === undefined ? undefined : JSON.stringify(answer.body));
      return;
    }
    const told = /^\/listen\/(.+)\.json$/.exec(path)?.[1];
    if (told !== undefined) return this.#tell(told, response);
    const radio = /^\/listen\/(.+)\.mp3$/.exec(path)?.[1];
    if (radio !== undefined) return this.#radio(radio, response);
    const isMedia = /^\/(hls|recordings)\//.test(path);
    const root = isMedia ? this.#folder : DIST;
    const file = join(root, normalize(PAGE.test(path) ? "/audience.html" : path));
    if (!file.startsWith(root) || !existsSync(file) || extname(file) === "") {
      response.writeHead(404, { "content-type": "text/plain" }).end("There is nothing here.");
      return;
    }
    if (isMedia && this.mediaStatus !== 200) return void response.writeHead(this.mediaStatus).end();
    response.setHeader("cache-control", "no-store");
    response.writeHead(200, { "content-type": MIME[extname(file)] ?? "application/octet-stream" });
    response.end(readFileSync(file));
  }

  #tell(room: string, response: ServerResponse): void {
    this.heardAsked += 1;
    const { speaking } = this;
    const heard: NowHeard = { room, title: speaking.join(", ") || room, speaking, listeners: 12 };
    response.writeHead(this.#radios.has(room) ? 200 : 404, { "content-type": "application/json" });
    response.end(JSON.stringify(heard));
  }

  #radio(room: string, response: ServerResponse): void {
    const radio = this.#radios.get(room);
    if (radio === undefined || this.mediaStatus !== 200) {
      response.writeHead(radio === undefined ? 404 : this.mediaStatus).end();
      return;
    }
    response.writeHead(200, { "content-type": "audio/mpeg", "cache-control": "no-store" });
    const stop = radio.listen((bytes) => response.write(bytes));
    response.on("close", stop);
  }
}
