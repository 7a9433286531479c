/**
 * Datagrams on their way into the browser: over one connection, or several (lanes) where the browser's own congestion control holds one up.
 * Bounded in number and age, since the browser's queue has no drop policy.
 */
import type { SendFault } from "../../core/session/session.ts";
import { MAX_PENDING_DATAGRAMS } from "../../core/wire/limits.ts";

/**
 * Writes that may be under way on one connection at once. With more, the browser's own queue would fill with stale datagrams on a
 * slow uplink, out of our reach.
 */
const MAX_WRITES_UNDER_WAY = 2;
/** A datagram that waited this long is of no use any more and is dropped as `queue-full`. */
const MAX_QUEUE_AGE_MS = 250;
/** The mean wait is that of about this time. */
const WAIT_SMOOTHING_MS = 500;

/** What takes datagrams. */
export interface DatagramWriter {
  readonly maxDatagramBytes: number;
  /** Resolves when it could take another one. Rejects when it is over. */
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
}

interface Lane {
  readonly writer: DatagramWriter;
  underWay: number;
}

interface QueuedDatagram {
  bytes: Uint8Array<ArrayBuffer>;
  queuedMs: number;
}

export class DatagramQueue {
  readonly #nowMs: () => number;
  readonly #onDropped: (fault: SendFault, bytes: number) => void;
  readonly #lanes: Lane[] = [];
  readonly #queue: QueuedDatagram[] = [];
  #waitMs = 0;
  #waitedAtMs = 0;

  /** `onDropped`: a datagram of so many bytes was taken and is dropped after all. */
  constructor(nowMs: () => number, onDropped: (fault: SendFault, bytes: number) => void) {
    this.#nowMs = nowMs;
    this.#onDropped = onDropped;
  }

  /** Time that datagrams have waited of late. */
  get waitMs(): number {
    return this.#waitMs;
  }

  /** Uses this writer too. The first one added is preferred, so that others idle while they are not needed. */
  add(writer: DatagramWriter): void {
    this.#lanes.push({ writer, underWay: 0 });
    this.#pump();
  }

  remove(writer: DatagramWriter): void {
    const index = this.#lanes.findIndex((lane) => lane.writer === writer);
    if (index >= 0) this.#lanes.splice(index, 1);
  }

  push(bytes: Uint8Array<ArrayBuffer>): SendFault | undefined {
    if (this.#queue.length >= MAX_PENDING_DATAGRAMS) return "queue-full";
    this.#queue.push({ bytes, queuedMs: this.#nowMs() });
    this.#pump();
    return undefined;
  }

  /** The session is over. */
  clear(): void {
    for (const { bytes } of this.#queue) this.#onDropped("closed", bytes.length);
    this.#queue.length = 0;
  }

  #pump(): void {
    for (;;) {
      const next = this.#queue[0];
      if (next === undefined) return;
      const lane = this.#freest(next.bytes.length);
      if (lane === undefined) return;
      this.#queue.shift();
      const waitedMs = this.#nowMs() - next.queuedMs;
      this.#noteWait(waitedMs);
      if (waitedMs > MAX_QUEUE_AGE_MS) this.#onDropped("queue-full", next.bytes.length);
      else this.#write(lane, next.bytes);
    }
  }

  /** A lane with the fewest writes under way that carries so much; undefined while none is free. */
  #freest(bytes: number): Lane | undefined {
    let freest: Lane | undefined;
    for (const lane of this.#lanes) {
      const isFree = lane.underWay < (freest?.underWay ?? MAX_WRITES_UNDER_WAY);
      if (isFree && bytes <= lane.writer.maxDatagramBytes) freest = lane;
    }
    return freest;
  }

  #write(lane: Lane, bytes: Uint8Array<ArrayBuffer>): void {
    lane.underWay++;
    lane.writer.write(bytes).then(
      () => {
        lane.underWay--;
        this.#pump();
      },
      () => {
        // It is over: the rest goes another way, where there is one.
        this.remove(lane.writer);
        this.#onDropped("closed", bytes.length);
        this.#pump();
      },
    );
  }

  #noteWait(waitedMs: number): void {
    const nowMs = this.#nowMs();
    const weight = 1 - Math.exp((this.#waitedAtMs - nowMs) / WAIT_SMOOTHING_MS);
    this.#waitMs += (waitedMs - this.#waitMs) * weight;
    this.#waitedAtMs = nowMs;
  }
}
