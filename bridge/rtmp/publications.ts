/** Who publishes what: the newest connection with a key has it, unless two take it from each other all the time. */
import type { Clock } from "../../core/clock.ts";
import { FLAP_WINDOW_MS, MAX_TAKEOVERS } from "./limits.ts";

export interface Holder {
  /** Another connection has the publication now. Must call `release`, or have called it. */
  takenOver(by: string): void;
}

interface Entry {
  holder: Holder;
  /** Of the newest takeovers, and of those that were refused: whoever goes on trying stays refused. */
  attempts: number[];
}

export class Publications {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Gives `publication` to `holder`; the one that had it hears of it. Returns why not, as a sentence. */
  claim(publication: string, holder: Holder, remoteAddress: string): string | undefined {
    const entry = this.#entries.get(publication);
    if (entry === undefined) {
      this.#entries.set(publication, { holder, attempts: [] });
      return undefined;
    }
    const nowUs = this.#clock.nowUs();
    const recent = entry.attempts.filter((time) => time > nowUs - FLAP_WINDOW_MS * 1000);
    entry.attempts = [...recent, nowUs].slice(-MAX_TAKEOVERS);
    if (recent.length >= MAX_TAKEOVERS) {
      return "Two programs take this stream key from each other: stop one of them, and wait a minute.";
    }
    const old = entry.holder;
    entry.holder = holder;
    old.takenOver(remoteAddress);
    return undefined;
  }

  /** The holder is done. Nothing happens where another has taken over. */
  release(publication: string, holder: Holder): void {
    if (this.#entries.get(publication)?.holder === holder) this.#entries.delete(publication);
  }
}
