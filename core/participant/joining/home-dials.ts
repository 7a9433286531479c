/**
 * Dials the relay that a participant is with, by the ticket that it has from there: again and again, because a session that is being
 * opened over a network that is gone never will be, and the next one may.
 */
import type { Clock, Random } from "../../clock.ts";
import { JoinFailedError } from "../participant.ts";
import type { RelayCandidate } from "../participant-api.ts";
import { BackOff } from "./back-off.ts";

const REDIALS = { firstMs: 450, longestMs: 1_500, factor: 1.15 };
/** Other relays say hello later than this, so that nobody leaves a relay where no more than the network has changed. */
const HEAD_START_MS = 100;

export interface HomeDialOptions {
  isWanted(): boolean;
  /** Rejects with JoinFailedError. */
  move(relay: RelayCandidate): Promise<void>;
}

export class HomeDials {
  /** Settles when others may go first. */
  readonly turn: Promise<void>;
  readonly #options: HomeDialOptions;
  readonly #pause: BackOff;
  #endTurn: () => void = () => undefined;
  #isStopped = false;

  constructor(clock: Clock, random: Random, options: HomeDialOptions) {
    this.#options = options;
    this.#pause = new BackOff(clock, random, REDIALS);
    this.turn = new Promise((resolve) => {
      const timer = clock.after(HEAD_START_MS, resolve);
      this.#endTurn = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  /** The network may have changed: dials now. */
  hurry(): void {
    this.#pause.wake();
  }

  /** No further dials; those under way are waited for. */
  stop(): void {
    this.#isStopped = true;
    this.#pause.wake();
  }

  /** Resolves with true when a dial has led in. Rejects when none can. */
  async run(home: RelayCandidate | undefined): Promise<boolean> {
    const dials: Promise<boolean>[] = [];
    while (home !== undefined && this.#options.isWanted() && !this.#isStopped) {
      const dial = this.#dial(home);
      dial.catch(() => undefined);
      dials.push(dial);
      await this.#pause.pause();
    }
    this.#endTurn();
    return await Promise.any(dials);
  }

  async #dial(home: RelayCandidate): Promise<boolean> {
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
