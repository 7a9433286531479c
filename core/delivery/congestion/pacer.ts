/**
 * Spreads pictures over time where the network has set a limit, so that sound never waits behind a whole keyframe in the
 * bottleneck's queue. Sound, repair and feedback do not pass through here. Where no limit is known all leaves at once.
 */
import type { Clock, Timer } from "../../clock.ts";
import { MAX_MEDIA_DATAGRAM_BYTES, MAX_PACED_DATAGRAMS } from "../../wire/limits.ts";

/** Speed above the rate, so that the encoder's pictures leave before the next one comes. */
const PACE = 1.1;
/** Nothing waits longer than about this: a longer queue leaves faster. */
const MAX_WAIT_US = 300_000;
/** What timers are late by is caught up on. */
const LATENESS_US = 8_000;

/** Who sends what was held back; `datagram` is valid until the call returns. */
export interface PacedSink {
  sendPaced(datagram: Uint8Array): void;
}

interface Slot {
  readonly bytes: Uint8Array;
  length: number;
  /** Undefined = taken back. */
  sink: PacedSink | undefined;
}

export class Pacer {
  readonly #clock: Clock;
  readonly #rateBps: () => number | undefined;
  readonly #slots: Slot[] = [];
  #head = 0;
  #count = 0;
  #queuedBytes = 0;
  #nextUs = 0;
  #timer: Timer | undefined;

  /** `rateBps` is asked for the rate at each datagram; undefined = no limit is known. */
  constructor(clock: Clock, rateBps: () => number | undefined) {
    this.#clock = clock;
    this.#rateBps = rateBps;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Sends now or soon, in order. Returns false when MAX_PACED_DATAGRAMS wait: it is not sent. */
  push(datagram: Uint8Array, sink: PacedSink): boolean {
    const nowUs = this.#clock.nowUs();
    if (this.#count === 0 && (this.#rateBps() === undefined || this.#nextUs <= nowUs)) {
      this.#spend(datagram.length, nowUs);
      sink.sendPaced(datagram);
      return true;
    }
    if (this.#count === MAX_PACED_DATAGRAMS) return false;
    const slot = this.#slotAt(this.#count);
    slot.bytes.set(datagram);
    slot.length = datagram.length;
    slot.sink = sink;
    this.#count++;
    this.#queuedBytes += datagram.length;
    this.#wait(nowUs);
    return true;
  }

  /** Takes back what waits for `sink`; returns how many datagrams that was. */
  cancel(sink: PacedSink): number {
    let cancelled = 0;
    for (let i = 0; i < this.#count; i++) {
      const slot = this.#slotAt(i);
      if (slot.sink !== sink) continue;
      slot.sink = undefined;
      cancelled++;
    }
    return cancelled;
  }

  /** Nothing is sent after that. */
  end(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#count = 0;
    this.#queuedBytes = 0;
  }

  /** The ring grows to its longest and stays. */
  #slotAt(position: number): Slot {
    const index = (this.#head + position) % MAX_PACED_DATAGRAMS;
    this.#slots[index] ??= { bytes: new Uint8Array(MAX_MEDIA_DATAGRAM_BYTES), length: 0, sink: undefined };
    return this.#slots[index];
  }

  #spend(bytes: number, nowUs: number): void {
    const rateBps = this.#rateBps();
    if (rateBps === undefined) return;
    const fast = Math.max(rateBps * PACE, (this.#queuedBytes * 8_000_000) / MAX_WAIT_US);
    this.#nextUs = Math.max(this.#nextUs, nowUs - LATENESS_US) + (bytes * 8_000_000) / fast;
  }

  #wait(nowUs: number): void {
    this.#timer ??= this.#clock.after(Math.max(1, Math.ceil(this.#nextUs - nowUs)) / 1000, this.#drain);
  }

  readonly #drain = (): void => {
    this.#timer = undefined;
    const nowUs = this.#clock.nowUs();
    while (this.#count > 0 && (this.#nextUs <= nowUs || this.#rateBps() === undefined)) {
      const slot = this.#slotAt(0);
      this.#head = (this.#head + 1) % MAX_PACED_DATAGRAMS;
      this.#count--;
      if (slot.sink !== undefined) {
        this.#spend(slot.length, nowUs);
        slot.sink.sendPaced(slot.bytes.subarray(0, slot.length));
      }
      this.#queuedBytes -= slot.length;
    }
    if (this.#count > 0) this.#wait(nowUs);
  };
}
