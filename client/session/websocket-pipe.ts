/** A session of the WebSocket ponyfill as a MessagePipe (core/session/message-pipe.ts): each message is a datagram capsule. */
import type { MessagePipe } from "../../core/session/message-pipe.ts";
import { MAX_TCP_WAITING_BYTES } from "../../core/wire/limits.ts";
import type { Ponyfill } from "./ponyfill.ts";

const DATAGRAM_CAPSULE = 0;
/** A WebSocket does not say when it has drained. */
const LOOK_EVERY_MS = 4;
const NORMAL_CLOSURE = 1000;

export class WebSocketPipe implements MessagePipe {
  onMessage: (message: Uint8Array) => void = () => undefined;
  onWritable: () => void = () => undefined;
  onOver: (detail: string) => void = () => undefined;
  readonly #socket: WebSocket;
  readonly #send: (message: Uint8Array) => void;
  #isEnded = false;
  #look: ReturnType<typeof setTimeout> | undefined;

  /** To be made in the moment that the ponyfill is ready. */
  constructor({ sessionint: session }: Ponyfill) {
    const { ws, capsParser } = session.objint;
    this.#socket = ws;
    this.#send = (payload) => capsParser.writeCapsule({ type: DATAGRAM_CAPSULE, headerVints: [], payload });
    session.onDatagramReceived = ({ datagram }) => {
      if (!this.#isEnded) this.onMessage(datagram);
    };
    // The relay opens no streams of the ponyfill.
    session.onStream = () => this.#finish("the relay broke the rules: it opened a stream below the session");
    session.closed.catch(() => undefined);
    ws.addEventListener("close", ({ code, reason }) =>
      this.#finish(`the WebSocket was closed: ${code} ${reason}`.trim()),
    );
    ws.addEventListener("error", () => this.#finish("the WebSocket broke"));
  }

  get waitingBytes(): number {
    const { bufferedAmount } = this.#socket;
    if (bufferedAmount >= MAX_TCP_WAITING_BYTES) this.#lookAgain();
    return bufferedAmount;
  }

  #lookAgain(): void {
    this.#look ??= setTimeout(() => {
      this.#look = undefined;
      if (!this.#isEnded) this.onWritable();
    }, LOOK_EVERY_MS);
  }

  send(message: Uint8Array): void {
    if (!this.#isEnded && this.#socket.readyState === WebSocket.OPEN) this.#send(message);
  }

  end(): void {
    this.#isEnded = true;
    clearTimeout(this.#look);
    // The browser sends what waits before it says goodbye.
    this.#socket.close(NORMAL_CLOSURE);
  }

  #finish(detail: string): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.onOver(detail);
    this.end();
  }
}
