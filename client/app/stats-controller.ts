/** Looks at `room.getStats()` once a second while the stats overlay is open, and keeps the last two looks. */
import type { ReactiveController, ReactiveControllerHost } from "lit";
import type { Room } from "../sdk/api.ts";
import type { StatsLook } from "./stats-text.ts";

const INTERVAL_MS = 1_000;

export class StatsController implements ReactiveController {
  now: StatsLook | undefined;
  before: StatsLook | undefined;
  #host: ReactiveControllerHost;
  #timer = 0;
  #problem: (error: unknown) => void;

  constructor(host: ReactiveControllerHost, problem: (error: unknown) => void) {
    this.#host = host;
    this.#problem = problem;
    host.addController(this);
  }

  get running(): boolean {
    return this.#timer !== 0;
  }

  start(room: Room): void {
    if (this.running) return;
    this.#timer = window.setInterval(() => void this.#look(room), INTERVAL_MS);
    void this.#look(room);
  }

  stop(): void {
    window.clearInterval(this.#timer);
    this.#timer = 0;
    this.now = undefined;
    this.before = undefined;
    this.#host.requestUpdate();
  }

  hostDisconnected(): void {
    this.stop();
  }

  async #look(room: Room): Promise<void> {
    try {
      const stats = await room.getStats();
      if (!this.running) return;
      this.before = this.now;
      this.now = { atMs: performance.now(), stats };
      this.#host.requestUpdate();
    } catch (error) {
      this.stop();
      this.#problem(error);
    }
  }
}
