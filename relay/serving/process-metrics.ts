/** How the process of a relay or a bridge is: its memory, and how late its event loop was since the last look. */
import type { MetricsText } from "../metrics-text.ts";

/** A timer is set so often; whatever keeps the loop busy when it is due makes it late. */
const TICK_MS = 20;
/** Latenesses kept for the quantiles: at more, the oldest are forgotten. Enough for two minutes between two looks. */
const MAX_KEPT = 6_000;

export class ProcessMetrics {
  readonly #timer: ReturnType<typeof setInterval>;
  #dueMs = performance.now() + TICK_MS;
  readonly #lagSeconds = new Float64Array(MAX_KEPT);
  #kept = 0;
  #next = 0;
  #sum = 0;
  #count = 0;

  readonly #memory: () => { rss: number; heapUsed: number };

  /** `memory` is the runtime's. */
  constructor(memory: () => { rss: number; heapUsed: number }) {
    this.#memory = memory;
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  #tick(): void {
    const nowMs = performance.now();
    const lagSeconds = Math.max(0, nowMs - this.#dueMs) / 1_000;
    this.#dueMs = nowMs + TICK_MS;
    this.#lagSeconds[this.#next] = lagSeconds;
    this.#next = (this.#next + 1) % MAX_KEPT;
    this.#kept = Math.min(MAX_KEPT, this.#kept + 1);
    this.#sum += lagSeconds;
    this.#count++;
  }

  end(): void {
    clearInterval(this.#timer);
  }

  /** Quantiles begin anew with each call. */
  write(text: MetricsText): void {
    const sorted = this.#lagSeconds.slice(0, this.#kept).sort();
    const quantile = (share: number): number =>
      sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
    this.#kept = 0;
    this.#next = 0;
    text.summary(
      "tributary_event_loop_lag_seconds",
      "How late a timer fired; quantiles since the last time that anybody looked.",
      {
        quantiles: { "0.5": quantile(0.5), "0.99": quantile(0.99), "1": quantile(1) },
        sum: this.#sum,
        count: this.#count,
      },
    );
    const { rss, heapUsed } = this.#memory();
    text.gauge("process_resident_memory_bytes", "Memory of the process in RAM.", rss);
    text.gauge("process_heap_bytes", "JavaScript heap in use.", heapUsed);
  }
}
