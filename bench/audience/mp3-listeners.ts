/** Thousands of MP3 listeners on plain sockets: they note when how many bytes came, which is all that their delay is worked out from. */
import { connect, type Socket } from "node:net";

/** Listeners that connect at the same time. */
const CONNECTING_AT_ONCE = 100;

export class Mp3Listener {
  /** Of each arrival: when, and bytes of sound until then. */
  readonly arrivalsUs: number[] = [];
  readonly arrivedBytes: number[] = [];
  bytes = 0;
  /** It ended, for whatever reason. */
  over = false;
  #inBody = false;
  #head = "";
  readonly #socket: Socket;

  /** HTTP/1.0, so that the body comes without chunks around it. */
  constructor(port: number, nowUs: () => number, begun: (error?: Error) => void) {
    this.#socket = connect(port, "127.0.0.1", () => {
      this.#socket.write("GET /listen/hall.mp3 HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n");
    });
    this.#socket.on("data", (bytes) => {
      let size = bytes.length;
      if (!this.#inBody) {
        this.#head += bytes.toString("latin1");
        const end = this.#head.indexOf("\r\n\r\n");
        if (end < 0) return;
        this.#inBody = true;
        size = this.#head.length - end - 4;
        begun(this.#head.startsWith("HTTP/1.1 200") ? undefined : new Error(this.#head.slice(0, 100)));
      }
      if (size === 0) return;
      this.bytes += size;
      this.arrivalsUs.push(nowUs());
      this.arrivedBytes.push(this.bytes);
    });
    this.#socket.on("error", (error) => begun(error));
    this.#socket.on("close", () => {
      this.over = true;
    });
  }

  /** What came until now is not looked at: the burst of the past, and others joining. */
  forget(): void {
    this.arrivalsUs.length = 0;
    this.arrivedBytes.length = 0;
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

export async function joinMp3(port: number, count: number, nowUs: () => number): Promise<Mp3Listener[]> {
  const listeners: Mp3Listener[] = [];
  while (listeners.length < count) {
    const batch = Math.min(CONNECTING_AT_ONCE, count - listeners.length);
    const begun = Array.from(
      { length: batch },
      () =>
        new Promise<void>((resolve, reject) => {
          const listener = new Mp3Listener(port, nowUs, (error) =>
            error === undefined ? resolve() : reject(error),
          );
          listeners.push(listener);
        }),
    );
    await Promise.all(begun);
  }
  return listeners;
}
