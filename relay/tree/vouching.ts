/**
 * Asks the relays above whether another relay may attach below: each of them up to the root sees that it is not itself the one
 * that asks, and that it is not moving at the moment. So two relays that move at once cannot make a loop.
 */
import type { Clock, Timer } from "../../core/clock.ts";
import { MAX_OPEN_VOUCHES } from "../../core/wire/limits.ts";
import type { RelayLink } from "./relay-link.ts";

const TIMEOUT_MS = 1_000;

interface Question {
  resolve(ok: boolean): void;
  timer: Timer;
}

export class Vouching {
  readonly #clock: Clock;
  readonly #open = new Map<number, Question>();
  #next = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** False also when no answer comes in time. */
  ask(parent: RelayLink, relayId: string): Promise<boolean> {
    if (this.#open.size >= MAX_OPEN_VOUCHES) return Promise.resolve(false);
    return new Promise((resolve) => {
      const request = this.#next++;
      const timer = this.#clock.after(TIMEOUT_MS, () => this.answer(request, false));
      this.#open.set(request, { resolve, timer });
      parent.send({ type: "vouch", request, relayId });
    });
  }

  answer(request: number, ok: boolean): void {
    const question = this.#open.get(request);
    if (question === undefined) return;
    this.#open.delete(request);
    question.timer.cancel();
    question.resolve(ok);
  }

  end(): void {
    for (const request of [...this.#open.keys()]) this.answer(request, false);
  }
}
