/** Session over the browser's WebTransport (core/session/session.ts), for workers and windows. */
import {
  type ByteStream,
  type Connect,
  emptyCounters,
  type SendFault,
  type Session,
  type SessionClose,
  SessionClosedError,
  type SessionCounters,
} from "../../core/session/session.ts";
import { WebByteStream } from "../../core/session/web-byte-stream.ts";
import { CLOSE_CODES } from "../../core/wire/close-codes.ts";
import { LANE_PATH, MAX_CLOSE_REASON_BYTES } from "../../core/wire/limits.ts";
import { cutToUtf8Bytes } from "../../core/wire/utf8.ts";
import { DatagramQueue, type DatagramWriter } from "./datagram-queue.ts";

/** Datagrams that wait this long on average are held up by the browser's congestion control: another lane is opened. */
const LANE_AFTER_WAIT_MS = 12;
/** What a new lane helps is seen after this time; and so long after one that could not be opened no other is tried: handshakes are lost too. */
const LANE_PAUSE_MS = 700;
const LANE_FAILED_PAUSE_MS = 2_000;
const LANE_TIMEOUT_MS = 5_000;
const LANE_KEY_BYTES = 18;
/** Datagrams that the browser may hold for us while this thread is busy. */
const INCOMING_DATAGRAMS = 1_024;

let nextId = 1;

/** Opens a session with a relay; the hashes are for relays with a self-signed certificate. */
export const connectBrowser: Connect = async (url, { certificateHashes, timeoutMs }) => {
  if (typeof WebTransport === "undefined") {
    throw new SessionClosedError("this browser has no WebTransport; use a current Chrome, Edge or Firefox");
  }
  const open = (to: string, withinMs: number) => openTransport(to, certificateHashes, withinMs);
  return new BrowserSession(await open(url, timeoutMs), new URL(url), open);
};

/** Rejects with SessionClosedError. */
async function openTransport(
  url: string,
  certificateHashes: readonly Uint8Array[],
  timeoutMs: number,
): Promise<WebTransport> {
  const options: WebTransportOptions = { congestionControl: "low-latency", requireUnreliable: true };
  if (certificateHashes.length > 0) {
    options.serverCertificateHashes = certificateHashes.map((hash) => ({
      algorithm: "sha-256",
      value: hash.slice(),
    }));
  }
  const transport = new WebTransport(url, options);
  transport.closed.catch(() => undefined);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new SessionClosedError(`no answer in ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    await Promise.race([transport.ready, timeout]);
  } catch (cause) {
    transport.close();
    if (cause instanceof SessionClosedError) throw cause;
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new SessionClosedError(`the WebTransport session was refused or cut off: ${detail}`, { cause });
  } finally {
    clearTimeout(timer);
  }
  return transport;
}

type OpenTransport = (url: string, timeoutMs: number) => Promise<WebTransport>;

class BrowserSession implements Session {
  readonly id = `wt-${nextId++}`;
  readonly remoteAddress: string;
  readonly path: string;
  readonly datagramHeadroom = 0;
  readonly keepsDatagramBuffer = true;
  readonly closed: Promise<SessionClose>;
  readonly laneKey = laneKey();
  readonly #transport: WebTransport;
  readonly #open: OpenTransport;
  readonly #laneUrl: string;
  readonly #laneTransports = new Set<WebTransport>();
  readonly #counters = emptyCounters();
  readonly #queue: DatagramQueue;
  readonly #earlyStreams: ByteStream[] = [];
  #maxLanes = 0;
  /** No lane is opened before. */
  #nextLaneMs = 0;
  #over = false;
  /** Set by our own close: browsers then resolve `closed` with it. */
  #ownClose: SessionClose | undefined;
  #onStream: ((stream: ByteStream) => void) | undefined;
  onDatagram: (bytes: Uint8Array) => void = () => undefined;

  constructor(transport: WebTransport, url: URL, open: OpenTransport) {
    this.#transport = transport;
    this.#open = open;
    this.#laneUrl = new URL(LANE_PATH + this.laneKey, url).href;
    this.#queue = new DatagramQueue(
      () => performance.now(),
      (fault, bytes) => this.#takeBack(fault, bytes),
    );
    this.#queue.add(writerOf(transport));
    this.remoteAddress = url.host;
    this.path = url.pathname + url.search;
    transport.datagrams.incomingHighWaterMark = INCOMING_DATAGRAMS;
    this.closed = this.#watchClose();
    void this.#readDatagrams();
    void this.#acceptStreams();
  }

  allowLanes(count: number): void {
    this.#maxLanes = count;
  }

  get lanes(): number {
    return this.#laneTransports.size;
  }

  get counters(): Readonly<SessionCounters> {
    return this.#counters;
  }

  get maxDatagramBytes(): number {
    return this.#transport.datagrams.maxDatagramSize;
  }

  get onStream(): (stream: ByteStream) => void {
    return this.#onStream ?? (() => undefined);
  }

  set onStream(handler: (stream: ByteStream) => void) {
    this.#onStream = handler;
    for (const stream of this.#earlyStreams.splice(0)) handler(stream);
  }

  sendDatagram(buffer: Uint8Array): SendFault | undefined {
    if (this.#over) return this.#refuse("closed");
    if (buffer.length > this.maxDatagramBytes) return this.#refuse("oversized");
    this.#counters.datagramsSent++;
    this.#counters.datagramBytesSent += buffer.length;
    const fault = this.#queue.push(buffer as Uint8Array<ArrayBuffer>);
    if (fault !== undefined) this.#takeBack(fault, buffer.length);
    if (this.#queue.waitMs > LANE_AFTER_WAIT_MS) this.#widen();
    return fault;
  }

  /** A datagram that was counted as sent was not. */
  #takeBack(fault: SendFault, bytes: number): void {
    this.#refuse(fault);
    this.#counters.datagramsSent--;
    this.#counters.datagramBytesSent -= bytes;
  }

  /** One lane more, if that may be. */
  #widen(): void {
    if (this.#laneTransports.size >= this.#maxLanes || performance.now() < this.#nextLaneMs) return;
    this.#nextLaneMs = Number.POSITIVE_INFINITY;
    this.#open(this.#laneUrl, LANE_TIMEOUT_MS).then(
      (lane) => {
        this.#nextLaneMs = performance.now() + LANE_PAUSE_MS;
        if (this.#over) return lane.close();
        this.#laneTransports.add(lane);
        const writer = writerOf(lane);
        this.#queue.add(writer);
        const forget = (): void => {
          this.#laneTransports.delete(lane);
          this.#queue.remove(writer);
        };
        lane.closed.then(forget, forget);
      },
      () => {
        // The session goes on with what it has.
        this.#nextLaneMs = performance.now() + LANE_FAILED_PAUSE_MS;
      },
    );
  }

  #refuse(fault: SendFault): SendFault {
    this.#counters.dropped[fault]++;
    return fault;
  }

  async openStream(): Promise<ByteStream> {
    try {
      return new WebByteStream(await this.#transport.createBidirectionalStream());
    } catch (cause) {
      throw new SessionClosedError("the session is over; no stream can be opened", { cause });
    }
  }

  close(code: number, reason: string): void {
    if (this.#over) return;
    this.#end();
    const shortReason = cutToUtf8Bytes(reason, MAX_CLOSE_REASON_BYTES);
    this.#ownClose = { code, reason: shortReason, clean: true };
    this.#transport.close({ closeCode: code, reason: shortReason });
  }

  async #watchClose(): Promise<SessionClose> {
    try {
      const info = await this.#transport.closed;
      return this.#ownClose ?? { code: info.closeCode ?? 0, reason: info.reason ?? "", clean: true };
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      return this.#ownClose ?? { code: CLOSE_CODES.lost, reason, clean: false };
    } finally {
      this.#end();
    }
  }

  #end(): void {
    this.#over = true;
    this.#queue.clear();
    for (const lane of this.#laneTransports) lane.close();
    this.#laneTransports.clear();
  }

  async #readDatagrams(): Promise<void> {
    const reader = this.#transport.datagrams.readable.getReader();
    try {
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        const bytes: Uint8Array = value;
        this.#counters.datagramsReceived++;
        this.#counters.datagramBytesReceived += bytes.length;
        this.onDatagram(bytes);
      }
    } catch {
      // The session is ending; `closed` says why.
    }
  }

  async #acceptStreams(): Promise<void> {
    const reader = this.#transport.incomingBidirectionalStreams.getReader();
    try {
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        const stream = new WebByteStream(value);
        if (this.#onStream === undefined) this.#earlyStreams.push(stream);
        else this.#onStream(stream);
      }
    } catch {
      // The session is ending; `closed` says why.
    }
  }
}

function writerOf({ datagrams }: WebTransport): DatagramWriter {
  const writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>> = datagrams.writable.getWriter();
  writer.closed.catch(() => {
    // Each write says so too.
  });
  return {
    get maxDatagramBytes() {
      return datagrams.maxDatagramSize;
    },
    write: (bytes) => writer.write(bytes),
  };
}

/** Base64url: nobody else may guess it. */
function laneKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(LANE_KEY_BYTES));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_");
}
