/**
 * Brings a participant onto another session: dials a relay that the gateway has named before, if there is one, and asks the gateway
 * for others at the same time; whichever leads in first is taken. Goes on with capped, jittered back-off.
 */
import type { Clock, Random } from "../../clock.ts";
import type { Participant } from "../participant-api.ts";
import { isFinal } from "./join-refusal.ts";
import type { RelayCandidates } from "./relay-candidates.ts";

/** For each of: opening a session, and the answer to hello. */
const ATTEMPT_TIMEOUT_MS = 3_000;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

/** What is moved, with the candidates to try. */
type Moving = Pick<Participant, "relayId" | "moveTo">;

/** Pauses between attempts: longer each time. */
export class BackOff {
  readonly #clock: Clock;
  readonly #random: Random;
  #pauseMs = FIRST_PAUSE_MS;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  pause(): Promise<void> {
    // Full jitter keeps a thousand clients of one dead relay from coming back at once.
    const delayMs = this.#pauseMs * (0.5 + this.#random() / 2);
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2);
    return new Promise((resolve) => this.#clock.after(delayMs, resolve));
  }
}

export class FailOver {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #candidates: RelayCandidates;

  constructor(clock: Clock, random: Random, candidates: RelayCandidates) {
    this.#clock = clock;
    this.#random = random;
    this.#candidates = candidates;
  }

  /** Resolves with true when the participant has moved, with false when it need not any more. Rejects when trying again is of no use. */
  async run(participant: Moving, isNeeded: () => boolean): Promise<boolean> {
    const backOff = new BackOff(this.#clock, this.#random);
    while (isNeeded()) {
      try {
        await this.#round(participant, isNeeded);
        return true;
      } catch (error) {
        const final = (error as AggregateError).errors.find(isFinal);
        if (final !== undefined && isNeeded()) throw final;
      }
      if (isNeeded()) await backOff.pause();
    }
    return false;
  }

  /** Rejects with an AggregateError when nothing leads in. */
  #round(participant: Moving, isNeeded: () => boolean): Promise<void> {
    const tried = new Set([participant.relayId]);
    let moved = false;
    const isWanted = (): boolean => !moved && isNeeded();
    const dial = async (): Promise<void> => {
      let failure: unknown;
      while (isWanted()) {
        const relay = this.#candidates.take(tried);
        if (relay === undefined) break;
        tried.add(relay.relayId);
        try {
          await participant.moveTo(relay, { timeoutMs: ATTEMPT_TIMEOUT_MS, isWanted });
          moved = true;
          return;
        } catch (error) {
          failure = error;
          if (isFinal(error)) break;
        }
      }
      throw failure ?? new Error("no relay is left to try");
    };
    return Promise.any([dial(), this.#candidates.refresh().then(dial)]);
  }
}
