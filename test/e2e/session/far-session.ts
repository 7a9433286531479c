/**
 * The far end's session as the page sees it. Getters and sendDatagram answer at once, as a Session must, by asking
 * with a synchronous request: what they say is what the real session says.
 */
import {
  type ByteStream,
  type SendFault,
  type Session,
  type SessionClose,
  SessionClosedError,
  type SessionCounters,
} from "../../../core/session/session.ts";
import type { FarAnswer, FarCall, FarEvent, FarState } from "./far-end-messages.ts";

export class FarSession implements Session {
  readonly id: string;
  readonly remoteAddress = "";
  readonly path: string;
  readonly datagramHeadroom: number;
  readonly keepsDatagramBuffer: boolean;
  readonly closed: Promise<SessionClose>;
  onDatagram: (bytes: Uint8Array) => void = () => undefined;
  readonly #number: number;
  readonly #early: ByteStream[] = [];
  #end: (close: SessionClose) => void = () => undefined;
  #closing: Promise<unknown> = Promise.resolve();
  #onStream: ((stream: ByteStream) => void) | undefined;

  constructor(opened: Extract<FarEvent, { type: "opened" }>) {
    this.#number = opened.session;
    this.id = `far-${opened.session}`;
    this.path = opened.path;
    this.datagramHeadroom = opened.datagramHeadroom;
    this.keepsDatagramBuffer = opened.keepsDatagramBuffer;
    this.closed = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** Takes an event of this session. */
  receive(event: FarEvent): void {
    if (event.type === "datagram") this.onDatagram(bytesOf(event.bytes));
    else if (event.type === "closed") this.#end(event.close);
    else if (event.type === "stream") {
      const stream = new FarStream(this.#number, event.stream);
      if (this.#onStream === undefined) this.#early.push(stream);
      else this.#onStream(stream);
    }
  }

  get counters(): SessionCounters {
    return this.#state().counters;
  }

  get maxDatagramBytes(): number {
    return this.#state().maxDatagramBytes;
  }

  get onStream(): (stream: ByteStream) => void {
    return this.#onStream ?? (() => undefined);
  }

  set onStream(handler: (stream: ByteStream) => void) {
    this.#onStream = handler;
    for (const stream of this.#early.splice(0)) handler(stream);
  }

  sendDatagram(buffer: Uint8Array): SendFault | undefined {
    const fault = callNow({ session: this.#number, operation: "send", bytes: base64(buffer) });
    return (fault as SendFault | null) ?? undefined;
  }

  async openStream(): Promise<ByteStream> {
    const stream = await call({ session: this.#number, operation: "open-stream" });
    return new FarStream(this.#number, stream as number);
  }

  close(code: number, reason: string): void {
    // Not at once: a page that is blocked while its session ends may hear of the end before it hears of the code.
    const request = { session: this.#number, operation: "close", code, reason } as const;
    this.#closing = this.#closing.then(() => call(request)).catch(reportError);
  }

  #state(): FarState {
    return callNow({ session: this.#number, operation: "state" }) as FarState;
  }
}

class FarStream implements ByteStream {
  readonly #session: number;
  readonly #stream: number;

  constructor(session: number, stream: number) {
    this.#session = session;
    this.#stream = stream;
  }

  async write(bytes: Uint8Array): Promise<void> {
    await call({ session: this.#session, stream: this.#stream, operation: "write", bytes: base64(bytes) });
  }

  async read(): Promise<Uint8Array | undefined> {
    const bytes = await call({ session: this.#session, stream: this.#stream, operation: "read" });
    return typeof bytes === "string" ? bytesOf(bytes) : undefined;
  }

  async finish(): Promise<void> {
    await call({ session: this.#session, stream: this.#stream, operation: "finish" });
  }
}

async function call(request: FarCall): Promise<FarAnswer["value"]> {
  const response = await fetch("/call", { method: "POST", body: JSON.stringify(request) });
  return answerOf(response.status, await response.text());
}

function callNow(request: FarCall): FarAnswer["value"] {
  const exchange = new XMLHttpRequest();
  exchange.open("POST", "/call", false);
  exchange.send(JSON.stringify(request));
  return answerOf(exchange.status, exchange.responseText);
}

function answerOf(status: number, text: string): FarAnswer["value"] {
  if (status !== 200) throw new Error(`the far end failed: ${text}`);
  const answer = JSON.parse(text) as FarAnswer;
  if (answer.closed !== undefined) throw new SessionClosedError(answer.closed);
  return answer.value;
}

function base64(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}
