/**
 * Fills a link with probes at a growing rate, to find out whether it would carry so much more before anybody depends on it: repair symbols
 * that may be of use, where there are any, and probe datagrams.
 * docs/wire.md, "Datagrams".
 */
import { type Clock, every, type Timer } from "../core/clock.ts";
import { HOP_HEADER_BYTES } from "../core/wire/datagram.ts";
import { MAX_MEDIA_DATAGRAM_BYTES } from "../core/wire/limits.ts";

const STEP_MS = 10;
/** Beyond this a late timer is not made up for. */
const MAX_OWED_BYTES = 10_000;

export class Padding {
  readonly #clock: Clock;
  readonly #sendRepair: () => number;
  readonly #send: (body: Uint8Array) => void;
  readonly #body = new Uint8Array(MAX_MEDIA_DATAGRAM_BYTES - HOP_HEADER_BYTES);
  #timer: Timer | undefined;

  /** `sendRepair` sends a repair symbol and returns its bytes, 0 when there is none; `send` puts a body behind a hop header. */
  constructor(clock: Clock, sendRepair: () => number, send: (body: Uint8Array) => void) {
    this.#clock = clock;
    this.#sendRepair = sendRepair;
    this.#send = send;
  }

  /** Sends up to so many bits a second, after `growsUs`, until `stop`. */
  start(bps: number, growsUs: number): void {
    this.stop();
    const startUs = this.#clock.nowUs();
    let lastUs = startUs;
    let owedBytes = 0;
    this.#timer = every(this.#clock, STEP_MS, () => {
      const nowUs = this.#clock.nowUs();
      const share = Math.min(1, (nowUs - startUs) / growsUs);
      owedBytes = Math.min(MAX_OWED_BYTES, owedBytes + ((nowUs - lastUs) * bps * share) / 8_000_000);
      lastUs = nowUs;
      while (owedBytes >= MAX_MEDIA_DATAGRAM_BYTES) {
        const repairBytes = this.#sendRepair();
        if (repairBytes === 0) this.#send(this.#body);
        owedBytes -= repairBytes === 0 ? MAX_MEDIA_DATAGRAM_BYTES : repairBytes;
      }
    });
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
