/**
 * One connection of a source client: reads a request, judges its key before anything is said to have worked, and takes its body as sound.
 * Each refusal has an HTTP status for the sender and a log line.
 */
import { type Clock, every } from "../../core/clock.ts";
import { type ByteSocket, SocketError } from "../net/byte-socket.ts";
import type { Publications } from "../rtmp/publications.ts";
import type { ForeignFormat, OpenSoundDecoder } from "../sound/sound-decoder.ts";
import { type BodyDecoder, bodyDecoder } from "./body-decoder.ts";
import { streamKeyOf } from "./credentials.ts";
import { IcecastError } from "./icecast-error.ts";
import type { AuthoriseIcecast, IcecastAnswer, IcecastEnd, IcecastRequest } from "./icecast-sink.ts";
import { AUTHORISE_MS, HEAD_MS, IDLE_MS, LINGER_MS, MAX_HEAD_BYTES, MAX_TEXT_CHARS } from "./limits.ts";
import { endOfHead, parseHead, type RequestHead, tooLarge } from "./request-head.ts";
import { Source } from "./source.ts";
import { sourceFormat } from "./source-format.ts";

export interface SourceSessionOptions {
  socket: ByteSocket;
  clock: Clock;
  authorise: AuthoriseIcecast;
  openDecoder: OpenSoundDecoder;
  publications: Publications;
  /** Running sources by publication. */
  sources: Map<string, Source>;
  log(line: string): void;
  isBlocked(): boolean;
  onWrongKey(): void;
  /** It sends sound from now on. */
  onSource(): void;
}

type Grant = Extract<IcecastAnswer, { granted: true }>;

const METADATA_PATH = "/admin/metadata";
const WATCH_MS = 1_000;

export class SourceSession {
  readonly #options: SourceSessionOptions;
  #source: Source | undefined;
  /** When it is over, with what; while nothing is read from it there is no limit. */
  #deadline: { atUs: number; error: IcecastError } | undefined;
  #timedOut: IcecastError | undefined;
  #closing: string | undefined;

  constructor(options: SourceSessionOptions) {
    this.#options = options;
  }

  /** Resolves when the connection is gone; rejects only with faults of ours. */
  async run(): Promise<void> {
    const watch = every(this.#options.clock, WATCH_MS, () => this.#watch());
    try {
      await this.#serve();
    } catch (error) {
      if (!(await this.#conclude(error))) throw error;
    } finally {
      watch.cancel();
      this.#source?.finishWith({ code: "ended-here", message: "The server has met a fault of its own." });
      this.#options.socket.destroy();
    }
  }

  /** Ends it from our side. */
  shutDown(message: string): void {
    this.#closing = message;
    if (this.#source !== undefined) this.#source.end(message);
    else this.#options.socket.destroy();
  }

  async #serve(): Promise<void> {
    const { head, rest } = await this.#readHead();
    if (head.method === "GET" && head.path === METADATA_PATH) return this.#metadata(head);
    if (head.method !== "PUT" && head.method !== "SOURCE") {
      const status = head.method === "GET" || head.method === "HEAD" ? 404 : 405;
      throw new IcecastError(
        status,
        "Nothing is to be had here: this server takes sources (PUT, SOURCE) only.",
      );
    }
    const grant = await this.#authorised(head, "source");
    const format = sourceFormat(head.headers.get("content-type"));
    const body = bodyDecoder(head);
    const source = this.#begin(grant, format);
    const waits = head.headers.get("expect")?.toLowerCase() === "100-continue";
    // Whoever asks for 100 waits for nothing else until its body is done; others wait for 200 before they begin.
    await this.#options.socket.write(
      utf8(waits ? "HTTP/1.1 100 Continue\r\n\r\n" : answer(200, "OK", "", head)),
    );
    this.#options.log(
      `Icecast source ${where(head)} from ${this.#options.socket.remoteAddress} begins (${format}).`,
    );
    if (await this.#readBody(source, body, rest)) await source.finish();
    if (waits) await this.#say(answer(200, "OK", "", head));
    else await this.#linger();
  }

  async #readHead(): Promise<{ head: RequestHead; rest: Uint8Array }> {
    const late = new IcecastError(408, "The request took too long: send its headers at once.");
    this.#deadline = { atUs: this.#options.clock.nowUs() + HEAD_MS * 1000, error: late };
    let bytes: Uint8Array = new Uint8Array(0);
    for (;;) {
      const more = await this.#read();
      if (more === undefined)
        throw this.#timedOut ?? new SocketError("it ended before its request was whole");
      // Its answer is on its way, and what still comes is of no use.
      if (this.#timedOut !== undefined) continue;
      const known = bytes.length;
      bytes = joined(bytes, more);
      const end = endOfHead(bytes, known);
      if (end < 0 ? bytes.length > MAX_HEAD_BYTES : end > MAX_HEAD_BYTES) throw tooLarge();
      if (end < 0) continue;
      this.#deadline = undefined;
      return { head: parseHead(bytes.subarray(0, end)), rest: bytes.subarray(end) };
    }
  }

  async #authorised(head: RequestHead, purpose: IcecastRequest["purpose"]): Promise<Grant> {
    const { socket, isBlocked, onWrongKey } = this.#options;
    if (isBlocked()) {
      throw new IcecastError(429, "Too many wrong stream keys came from this address: wait a minute.");
    }
    const path = purpose === "metadata" ? (head.query.get("mount") ?? "") : head.path;
    const answer = await this.#asked({
      purpose,
      mount: path.replace(/^\//, ""),
      streamKey: streamKeyOf(head),
      remoteAddress: socket.remoteAddress,
      stationName: head.headers.get("ice-name")?.slice(0, MAX_TEXT_CHARS),
      format: purpose === "metadata" ? undefined : sourceFormatOrMp3(head),
    });
    if (answer.granted) return answer;
    if (answer.wrongKey) onWrongKey();
    throw new IcecastError(403, answer.message);
  }

  async #asked(request: IcecastRequest): Promise<IcecastAnswer> {
    const { clock, authorise } = this.#options;
    const unavailable = "The stream key cannot be checked now: try again in a moment.";
    let timer = clock.after(AUTHORISE_MS, () => undefined);
    try {
      return await new Promise<IcecastAnswer>((resolve, reject) => {
        timer.cancel();
        timer = clock.after(AUTHORISE_MS, () => reject(new IcecastError(503, unavailable)));
        authorise(request).then(resolve, (cause: unknown) => {
          reject(new IcecastError(503, unavailable, { cause }));
        });
      });
    } finally {
      timer.cancel();
    }
  }

  #begin(grant: Grant, format: ForeignFormat): Source {
    const { clock, socket, openDecoder, publications, sources, log } = this.#options;
    if (this.#closing !== undefined) throw new IcecastError(503, this.#closing);
    const holder = {
      takenOver: (by: string) =>
        this.#source?.finishWith({
          code: "taken-over",
          message: `Another connection (${by}) sends with this stream key now.`,
        }),
    };
    const refusal = publications.claim(grant.publication, holder, socket.remoteAddress);
    if (refusal !== undefined) throw new IcecastError(409, refusal);
    const over = (): void => publications.release(grant.publication, holder);
    let source: Source;
    try {
      source = new Source({
        clock,
        format,
        remoteAddress: socket.remoteAddress,
        openDecoder,
        open: grant.open,
        onOver: (end) => {
          over();
          if (sources.get(grant.publication) === source) sources.delete(grant.publication);
          log(`Icecast source from ${socket.remoteAddress} is over (${end.code}): ${end.message}`);
          // A read that waits ends with it; after "finished" there is none, and the answer is still to be sent.
          if (end.code !== "finished") socket.destroy();
        },
      });
    } catch (error) {
      over();
      throw error;
    }
    this.#source = source;
    sources.set(grant.publication, source);
    this.#options.onSource();
    return source;
  }

  /** False: the source is over already. */
  async #readBody(source: Source, body: BodyDecoder, rest: Uint8Array): Promise<boolean> {
    const idle = new IcecastError(408, `Nothing came for ${IDLE_MS / 1000} s.`);
    let bytes: Uint8Array | undefined = rest;
    while (bytes !== undefined) {
      this.#deadline = undefined;
      for (const part of body.push(bytes)) await source.push(part);
      if (source.over || body.over) return !source.over;
      this.#deadline = { atUs: this.#options.clock.nowUs() + IDLE_MS * 1000, error: idle };
      bytes = await this.#read();
    }
    this.#deadline = undefined;
    return true;
  }

  async #metadata(head: RequestHead): Promise<void> {
    const grant = await this.#authorised(head, "metadata");
    if (head.query.get("mode") !== "updinfo") {
      throw new IcecastError(400, "Only mode=updinfo is understood here.");
    }
    const source = this.#options.sources.get(grant.publication);
    if (source === undefined) throw new IcecastError(404, "No source with this stream key is connected.");
    source.title(head.query.get("song") ?? head.query.get("title") ?? "");
    const said =
      '<?xml version="1.0"?>\n<iceresponse><message>Metadata update successful</message><return>1</return></iceresponse>\n';
    await this.#say(answer(200, "OK", said, head, "text/xml; charset=utf-8"));
  }

  async #read(): Promise<Uint8Array | undefined> {
    try {
      return await this.#options.socket.read();
    } catch (error) {
      throw this.#timedOut ?? error;
    }
  }

  #watch(): void {
    const deadline = this.#deadline;
    if (deadline === undefined || this.#options.clock.nowUs() < deadline.atUs) return;
    this.#deadline = undefined;
    this.#timedOut = deadline.error;
    const over: IcecastEnd = { code: "idle", message: deadline.error.message };
    if (this.#source !== undefined) return this.#source.finishWith(over);
    const { log, socket, clock } = this.#options;
    log(`Icecast from ${socket.remoteAddress} refused (408): ${deadline.error.message}`);
    // The read that waits goes on until the connection ends.
    const said = socket.write(utf8(answer(408, deadline.error.phrase, `${deadline.error.message}\n`)));
    said.then(
      () => socket.finish(),
      () => socket.destroy(),
    );
    clock.after(LINGER_MS, () => socket.destroy());
  }

  /** True: the error was the connection's or the sender's, and everybody has been told. */
  async #conclude(error: unknown): Promise<boolean> {
    const { log, socket } = this.#options;
    if (error === this.#timedOut || this.#source?.over === true) return true;
    if (error instanceof SocketError) {
      const message = `The connection is gone: ${error.message}.`;
      if (this.#source !== undefined) this.#source.finishWith({ code: "disconnected", message });
      else if (this.#timedOut === undefined)
        log(`Icecast from ${socket.remoteAddress} is gone: ${error.message}`);
      return true;
    }
    if (!(error instanceof IcecastError)) return false;
    if (this.#source !== undefined) {
      this.#source.finishWith({ code: "malformed", message: error.message });
      return true;
    }
    log(`Icecast from ${socket.remoteAddress} refused (${error.status}): ${error.message}`);
    try {
      await this.#say(answer(error.status, error.phrase, `${error.message}\n`));
    } catch (gone) {
      if (!(gone instanceof SocketError)) throw gone;
    }
    return true;
  }

  async #say(text: string): Promise<void> {
    await this.#options.socket.write(utf8(text));
    await this.#linger();
  }

  /** Ends our direction, and reads what is on its way until the sender has ended its own. */
  async #linger(): Promise<void> {
    const { socket, clock } = this.#options;
    socket.finish();
    const timer = clock.after(LINGER_MS, () => socket.destroy());
    try {
      while ((await socket.read()) !== undefined) {
        // It is of no use to anybody.
      }
    } catch (error) {
      if (!(error instanceof SocketError)) throw error;
    } finally {
      timer.cancel();
    }
  }
}

function where(head: RequestHead): string {
  return JSON.stringify(head.path.slice(0, MAX_TEXT_CHARS));
}

/** What a request says when its key is judged: a type that is not taken is told after that, to who may know. */
function sourceFormatOrMp3(head: RequestHead): IcecastRequest["format"] {
  try {
    return sourceFormat(head.headers.get("content-type"));
  } catch (error) {
    if (!(error instanceof IcecastError)) throw error;
    return undefined;
  }
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b;
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}

/** HTTP/1.0 as icecast answers, so that nobody expects the connection to stay open. */
function answer(
  status: number,
  phrase: string,
  body: string,
  head?: RequestHead,
  type = "text/plain; charset=utf-8",
): string {
  const lines = [`HTTP/${head?.http11 === true ? "1.1" : "1.0"} ${status} ${phrase}`, "Connection: close"];
  if (status === 401) lines.push('WWW-Authenticate: Basic realm="Tributary"');
  if (status === 429 || status === 503) lines.push("Retry-After: 60");
  if (body !== "") lines.push(`Content-Type: ${type}`, `Content-Length: ${utf8(body).length}`);
  return `${lines.join("\r\n")}\r\n\r\n${body}`;
}
