/** Names of what is good once and was used, each until it would be refused anyway. */
import type { Clock } from "../core/clock.ts";
import { MAX_REMEMBERED_TICKETS } from "../core/wire/limits.ts";
import { Refusal } from "./refusal.ts";

export class UsedTickets {
  readonly #clock: Clock;
  readonly #max: number;
  /** Name -> seconds since the Unix epoch after which it is refused anyway. In order of use. */
  readonly #untilSeconds = new Map<string, number>();

  constructor(clock: Clock, max = MAX_REMEMBERED_TICKETS) {
    this.#clock = clock;
    this.#max = max;
  }

  get size(): number {
    return this.#untilSeconds.size;
  }

  /** Throws Refusal: `ticket-replayed`, or `relay-full` when too many are remembered. All names must live equally long. */
  use(name: string, untilSeconds: number): void {
    const nowSeconds = this.#clock.nowUs() / 1_000_000;
    // So the first in are the first out.
    for (const [oldest, until] of this.#untilSeconds) {
      if (until >= nowSeconds) break;
      this.#untilSeconds.delete(oldest);
    }
    if (this.#untilSeconds.has(name))
      throw new Refusal("ticket-replayed", "the ticket was used before: join anew");
    if (this.#untilSeconds.size >= this.#max)
      throw new Refusal("relay-full", "the relay takes no more joins for a minute");
    this.#untilSeconds.set(name, untilSeconds);
  }
}
