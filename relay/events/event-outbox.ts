/**
 * Events on their way to the application: those of one room in order, each until it is taken, is not wanted, or is too old. What fails is
 * tried again after a pause that grows, with jitter; meanwhile other rooms go on. The queue is bounded, and says what it dropped.
 */
import type { Clock, Random, Timer } from "../../core/clock.ts";
import { MAX_EVENT_AGE_MS, MAX_EVENT_POSTS, MAX_QUEUED_EVENTS } from "../../core/wire/limits.ts";
import type { EventDelivery, RoomEvent } from "../../core/wire/room-events.ts";
import { MetricsText, seriesBy } from "../metrics-text.ts";
import { eventOf, type Happening } from "./happening.ts";

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** A relay that ends waits so long for what is under way. */
const FLUSH_MS = 2_000;
const FLUSH_LOOK_MS = 50;

/** Must not reject. */
export type DeliverEvent = (event: RoomEvent) => Promise<EventDelivery>;
type Drop = "queue-full" | "too-old" | "refused";

interface RoomQueue {
  readonly waiting: { happening: Happening; queuedUs: number }[];
  /** Attempts for the first one that failed. */
  failures: number;
}

export interface OutboxOptions {
  clock: Clock;
  random: Random;
  deliver: DeliverEvent;
}

export class EventOutbox {
  readonly #options: OutboxOptions;
  readonly #queues = new Map<string, RoomQueue>();
  /** Rooms whose first event may be sent now. */
  readonly #ready: string[] = [];
  readonly #pauses = new Set<Timer>();
  readonly dropped: Record<Drop, number> = { "queue-full": 0, "too-old": 0, refused: 0 };
  #delivered = 0;
  #failed = 0;
  #size = 0;
  #busy = 0;
  #isEnded = false;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#size;
  }

  push(happening: Happening): void {
    if (this.#size >= MAX_QUEUED_EVENTS) {
      this.dropped["queue-full"]++;
      return;
    }
    this.#size++;
    const entry = { happening, queuedUs: this.#options.clock.nowUs() };
    const queue = this.#queues.get(happening.room);
    if (queue !== undefined) return void queue.waiting.push(entry);
    this.#queues.set(happening.room, { waiting: [entry], failures: 0 });
    this.#ready.push(happening.room);
    this.#pump();
  }

  #pump(): void {
    while (this.#busy < MAX_EVENT_POSTS && !this.#isEnded) {
      const room = this.#ready.shift();
      if (room === undefined) return;
      this.#busy++;
      void this.#sendFirst(room).finally(() => {
        this.#busy--;
        this.#pump();
      });
    }
  }

  async #sendFirst(room: string): Promise<void> {
    const queue = this.#queues.get(room)!;
    const { happening, queuedUs } = queue.waiting[0]!;
    const { clock, deliver } = this.#options;
    const isOld = (): boolean => clock.nowUs() - queuedUs >= MAX_EVENT_AGE_MS * 1000;
    const outcome = isOld() ? "too-old" : await deliver(await eventOf(happening));
    if (outcome === "again") {
      this.#failed++;
      return this.#pause(room, queue);
    }
    if (outcome === "delivered") this.#delivered++;
    else this.dropped[outcome]++;
    this.#size--;
    queue.waiting.shift();
    queue.failures = 0;
    if (queue.waiting.length > 0) this.#ready.push(room);
    else this.#queues.delete(room);
  }

  #pause(room: string, queue: RoomQueue): void {
    const { clock, random } = this.#options;
    const longestMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(16, queue.failures++));
    const timer = clock.after(longestMs * (0.5 + random() / 2), () => {
      this.#pauses.delete(timer);
      this.#ready.push(room);
      this.#pump();
    });
    this.#pauses.add(timer);
  }

  /** Waits a little for what is on its way; what is left then is lost. */
  async end(): Promise<void> {
    const { clock } = this.#options;
    const deadlineUs = clock.nowUs() + FLUSH_MS * 1000;
    while (this.#size > 0 && clock.nowUs() < deadlineUs)
      await new Promise<void>((resolve) => void clock.after(FLUSH_LOOK_MS, resolve));
    this.#isEnded = true;
    for (const timer of this.#pauses) timer.cancel();
  }

  /** In Prometheus' text format. */
  metrics(): string {
    const text = new MetricsText();
    text.gauge("tributary_events_queued", "Room events that wait to be taken.", this.#size);
    text.counter("tributary_events_delivered_total", "Room events taken.", this.#delivered);
    text.counter("tributary_events_failed_total", "Attempts that are made again.", this.#failed);
    text.counters(
      "tributary_events_dropped_total",
      "Room events that nobody was told of, by reason.",
      seriesBy("reason", this.dropped),
    );
    return text.toString();
  }
}
