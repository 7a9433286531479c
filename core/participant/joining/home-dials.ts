/**
 * Dials the relay that a participant is with, by the ticket that it has from there: again, because a session that is being opened over a
 * network that is gone never will be, and the next one may. And not often: Chromium counts each WebTransport handshake that has failed for
 * five minutes, and with the nth of them the next one waits 10 ms x 2^n, a minute at most.
 */
import type { Clock, Random } from "../../clock.ts";
import { JoinFailedError } from "../participant.ts";
import type { RelayCandidate } from "../participant-api.ts";
import { BackOff } from "./back-off.ts";

/** So many pauses at first are short: most gaps between two networks are over by then. */
const SHORT_PAUSES = 4;
const FIRST_PAUSE_MS = 600;
const SHORT_FACTOR = 1.1;
const LONG_FACTOR = 2.2;
const LONGEST_PAUSE_MS = 60_000;
/** Nothing is so new that another dial follows sooner. */
const LEAST_PAUSE_US = 400_000;
/** Other relays say hello later than this, so that nobody leaves a relay where no more than the network has changed. */
const HEAD_START_MS = 100;

export interface HomeDialOptions {
  isWanted(): boolean;
  /** It is known that no network is there. */
  isOffline(): boolean;
  /** Rejects with JoinFailedError. */
  move(relay: RelayCandidate): Promise<void>;
}

export class HomeDials {
  /** Settles when no further dial will be made. */
  readonly over: Promise<void>;
  readonly #clock: Clock;
  readonly #options: HomeDialOptions;
  readonly #pause: BackOff;
  #lastUs = 0;
  #end: () => void = () => undefined;
  #isStopped = false;

  constructor(clock: Clock, random: Random, options: HomeDialOptions) {
    this.#clock = clock;
    this.#options = options;
    this.#pause = new BackOff(clock, random, pauseMs);
    this.over = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** Settles when others may go first: some time after the newest dial. */
  get turn(): Promise<void> {
    const waitMs = HEAD_START_MS - (this.#clock.nowUs() - this.#lastUs) / 1000;
    return waitMs <= 0
      ? Promise.resolve()
      : new Promise((resolve) => void this.#clock.after(waitMs, resolve));
  }

  /** There may be another network, or there is one again: dials now. */
  hurry(): void {
    if (this.#clock.nowUs() - this.#lastUs >= LEAST_PAUSE_US) this.#pause.wake();
  }

  /** No further dials; those under way are waited for. */
  stop(): void {
    this.#isStopped = true;
    this.#pause.wake();
  }

  /** Resolves with true when a dial has led in. Rejects when none can. */
  async run(home: RelayCandidate | undefined): Promise<boolean> {
    const dials: Promise<boolean>[] = [];
    const { isWanted, isOffline } = this.#options;
    while (home !== undefined && isWanted() && !this.#isStopped) {
      if (!isOffline()) dials.push(this.#dial(home));
      await this.#pause.pause();
    }
    this.#end();
    return await Promise.any(dials);
  }

  #dial(home: RelayCandidate): Promise<boolean> {
    this.#lastUs = this.#clock.nowUs();
    const dial = this.#try(home);
    dial.catch(() => undefined);
    return dial;
  }

  async #try(home: RelayCandidate): Promise<boolean> {
    try {
      await this.#options.move(home);
      this.#pause.wake();
      return true;
    } catch (error) {
      // A ticket that was refused is good for nothing more.
      if (error instanceof JoinFailedError && error.reason !== "lost") this.stop();
      throw error;
    }
  }
}

function pauseMs(pauses: number): number {
  const short = FIRST_PAUSE_MS * SHORT_FACTOR ** Math.min(pauses, SHORT_PAUSES);
  return Math.min(LONGEST_PAUSE_MS, short * LONG_FACTOR ** Math.max(0, pauses - SHORT_PAUSES));
}
