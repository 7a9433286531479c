/**
 * Simulated time. Timers run in order of time, then of creation; between two instants every promise that can go
 * on does so, so that code with `await` in it behaves the same in each run.
 */
import type { Clock, Timer } from "../../core/clock.ts";

interface Event {
  atUs: number;
  order: number;
  task: (() => void) | undefined;
}

/** Every promise callback that is ready has run when this resolves. */
function drained(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export class VirtualClock implements Clock {
  readonly #heap: Event[] = [];
  #nowUs: number;
  #order = 0;
  #ran = 0;

  /** Starts at a fixed date, 2025-01-01, unless told otherwise. */
  constructor(startUs = 1_735_689_600_000_000) {
    this.#nowUs = startUs;
  }

  nowUs(): number {
    return this.#nowUs;
  }

  /** Timers that have run. */
  get ran(): number {
    return this.#ran;
  }

  /** Timers that wait, cancelled ones not counted. */
  get waiting(): number {
    return this.#heap.filter((event) => event.task !== undefined).length;
  }

  after(delayMs: number, task: () => void): Timer {
    const atUs = this.#nowUs + Math.max(0, Math.round(delayMs * 1000));
    const event: Event = { atUs, order: this.#order++, task };
    this.#push(event);
    return {
      cancel: () => {
        event.task = undefined;
      },
    };
  }

  /** Lets `durationMs` pass. `eachInstant` is called between instants, when nothing is half done. */
  async advance(durationMs: number, eachInstant?: () => void): Promise<void> {
    const endUs = this.#nowUs + Math.round(durationMs * 1000);
    await drained();
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.atUs > endUs) break;
      this.#nowUs = next.atUs;
      while (this.#heap[0] !== undefined && this.#heap[0].atUs === next.atUs) this.#runNext();
      await drained();
      eachInstant?.();
    }
    this.#nowUs = endUs;
  }

  /** Lets time pass until the promise is settled, at most `patienceMs`; returns its value. */
  async until<T>(promise: Promise<T>, patienceMs = 10_000): Promise<T> {
    let settled = false;
    const mark = (): void => {
      settled = true;
    };
    promise.then(mark, mark);
    const endUs = this.#nowUs + patienceMs * 1000;
    await drained();
    while (!settled && this.#nowUs < endUs) {
      const next = this.#heap[0];
      await this.advance(next === undefined ? patienceMs : Math.max(0, next.atUs - this.#nowUs) / 1000);
    }
    if (!settled) throw new Error(`nothing came of it within ${patienceMs} ms of simulated time`);
    return await promise;
  }

  #runNext(): void {
    const { task } = this.#pop();
    if (task === undefined) return;
    this.#ran++;
    task();
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(event, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): Event {
    const heap = this.#heap;
    const top = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return top;
  }
}

function before(a: Event, b: Event): boolean {
  return a.atUs < b.atUs || (a.atUs === b.atUs && a.order < b.order);
}
