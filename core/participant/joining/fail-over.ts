/**
 * Brings a participant onto another session. Dials the relay that it is with, by the ticket that it has from there, again and again, as
 * another network may carry what the one before does not; beside that the relays that the gateway has named, and asks the gateway for
 * others at the same time. Whichever leads in first is taken. Goes on with capped, jittered pauses.
 */
import type { Clock, Random } from "../../clock.ts";
import type { Participant, RelayCandidate } from "../participant-api.ts";
import { BackOff } from "./back-off.ts";
import { HomeDials } from "./home-dials.ts";
import { isFinal } from "./join-refusal.ts";
import type { RelayCandidates } from "./relay-candidates.ts";

/** For each of: opening a session, and the answer to hello. */
const ATTEMPT_TIMEOUT_MS = 3_000;

/** What is moved. */
type Moving = Pick<Participant, "relayId" | "resumeAt" | "moveTo">;

export interface FailOverWish {
  isNeeded(): boolean;
  /** The relay that the participant is with is no place to go to. */
  isLeaving?(): boolean;
}

export class FailOver {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #candidates: RelayCandidates;
  readonly #isOffline: () => boolean;
  #hurry: () => void = () => undefined;

  /** `isOffline`: it is known that no network is there. */
  constructor(clock: Clock, random: Random, candidates: RelayCandidates, isOffline = () => false) {
    this.#clock = clock;
    this.#random = random;
    this.#candidates = candidates;
    this.#isOffline = isOffline;
  }

  /** The network may have changed: what waits for its next attempt makes it now. */
  hurry(): void {
    this.#hurry();
  }

  /** Resolves with true when the participant has moved, with false when it need not any more. Rejects when trying again is of no use. */
  async run(participant: Moving, { isNeeded, isLeaving = () => false }: FailOverWish): Promise<boolean> {
    let moved = false;
    const isWanted = (): boolean => !moved && isNeeded();
    const move = async (relay: RelayCandidate, turn?: Promise<unknown>): Promise<void> => {
      const options = { timeoutMs: ATTEMPT_TIMEOUT_MS, isWanted, ...(turn === undefined ? {} : { turn }) };
      await participant.moveTo(relay, options);
      moved = true;
    };
    const home = new HomeDials(this.#clock, this.#random, {
      isWanted: () => isWanted() && !isLeaving(),
      isOffline: this.#isOffline,
      move,
    });
    const pause = new BackOff(this.#clock, this.#random);
    this.#hurry = () => {
      home.hurry();
      pause.wake();
    };
    /** Relays that were named a while ago are tried once: nothing says that there is a network to reach them by. */
    const known = new Set([participant.relayId]);
    const go = async (): Promise<boolean> => {
      while (isWanted()) {
        try {
          await this.#round(participant, move, isWanted, home, known);
          break;
        } catch (error) {
          const final = (error as AggregateError).errors.find(isFinal);
          if (final !== undefined) throw final;
        }
        if (isWanted()) await pause.pause();
      }
      return moved;
    };
    const stayed = home.run(participant.resumeAt);
    const gone = go();
    gone.catch(() => home.stop());
    try {
      return await Promise.any([stayed, gone]);
    } catch {
      return isNeeded() ? await gone : false;
    }
  }

  /** Tries relays that the gateway names, each once. Rejects with an AggregateError when nothing leads in. */
  #round(
    participant: Moving,
    move: (relay: RelayCandidate, turn?: Promise<unknown>) => Promise<void>,
    isWanted: () => boolean,
    home: HomeDials,
    known: Set<string>,
  ): Promise<void> {
    const tried = new Set([participant.relayId]);
    const dial = async (): Promise<void> => {
      let failure: unknown;
      while (isWanted() && !this.#isOffline()) {
        const relay = this.#candidates.take(tried) ?? this.#known(known, participant.resumeAt);
        if (relay === undefined) break;
        // There is another ticket for that one already.
        if (relay.relayId === participant.relayId) await home.over;
        if (!isWanted()) break;
        tried.add(relay.relayId);
        known.add(relay.relayId);
        try {
          return await move(relay, home.turn);
        } catch (error) {
          failure = error;
          if (isFinal(error)) break;
        }
      }
      throw failure ?? new Error("no relay is left to try");
    };
    const ask = async (): Promise<void> => {
      await this.#candidates.refresh();
      // Where the gateway answers there is a network again.
      home.hurry();
      await dial();
    };
    return Promise.any([dial(), ask()]);
  }

  /** One that the gateway named a while ago, with the ticket of the relay that we are with. */
  #known(tried: ReadonlySet<string>, resumeAt: RelayCandidate | undefined): RelayCandidate | undefined {
    const relay = resumeAt && this.#candidates.takeKnown(tried);
    return relay && { ...relay, ticket: resumeAt.ticket };
  }
}
