/**
 * A headless participant that looks after itself as the browser client does: told to go away, cut off or without a sign of its
 * relay for MAX_SILENCE_MS, it moves to another one.
 */
import { every, type Timer } from "../../core/clock.ts";
import type { AccessUnit } from "../../core/delivery/access-unit.ts";
import type { ParticipantEvent } from "../../core/participant/events.ts";
import { joinRelay } from "../../core/participant/participant.ts";
import type { Participant, RelayCandidate } from "../../core/participant/participant-api.ts";
import { MAX_SILENCE_MS } from "../../core/wire/limits.ts";
import { systemClock } from "../../relay/serving/clock.ts";
import { connectSession } from "../../relay/deno/session.ts";

const LOOK_MS = 25;
const MOVE_TIMEOUT_MS = 1_000;
/** All other relays have refused, or did not answer. */
const TRY_AGAIN_MS = 100;

export interface PersonOptions {
  first: RelayCandidate;
  /** Ways in at other relays than this one, in the order to try: what a gateway would answer. */
  others(relayId: string): Promise<RelayCandidate[]>;
  onUnit?(trackId: number, unit: AccessUnit, arrivedUs: number): void;
  onEvent?(event: ParticipantEvent): void;
}

export class Person {
  participant!: Participant;
  readonly #options: PersonOptions;
  #isMoving = false;
  #isOver = false;
  #timer: Timer | undefined;

  private constructor(options: PersonOptions) {
    this.#options = options;
  }

  static async join(options: PersonOptions): Promise<Person> {
    const person = new Person(options);
    person.participant = await joinRelay({
      connect: connectSession,
      clock: systemClock,
      random: Math.random,
      relay: options.first,
      client: "bench-failover",
      onEvent: (event) => person.#onEvent(event),
      onAccessUnit: (trackId, unit, arrivedUs) => options.onUnit?.(trackId, unit, arrivedUs),
    });
    person.#timer = every(systemClock, LOOK_MS, () => person.#look());
    return person;
  }

  #onEvent(event: ParticipantEvent): void {
    if (event.type === "go-away" || event.type === "interrupted") void this.#move();
    this.#options.onEvent?.(event);
  }

  #look(): void {
    const { lastHeardUs } = this.participant.linkStats();
    if (lastHeardUs > 0 && systemClock.nowUs() - lastHeardUs > MAX_SILENCE_MS * 1_000) void this.#move();
  }

  async #move(): Promise<void> {
    if (this.#isMoving) return;
    this.#isMoving = true;
    const from = this.participant.relayId;
    while (!this.#isOver && this.participant.relayId === from) {
      for (const candidate of await this.#options.others(from)) {
        if (this.#isOver || (await this.#moveTo(candidate))) break;
      }
      if (this.participant.relayId === from)
        await new Promise<void>((resolve) => void systemClock.after(TRY_AGAIN_MS, resolve));
    }
    this.#isMoving = false;
  }

  async #moveTo(candidate: RelayCandidate): Promise<boolean> {
    try {
      await this.participant.moveTo(candidate, { timeoutMs: MOVE_TIMEOUT_MS });
      return true;
    } catch {
      return false; // The next one is tried.
    }
  }

  /** Everybody else that it sees, with the number of their tracks. */
  get others(): ReadonlyMap<string, number> {
    const { participants } = this.participant;
    return new Map([...participants.values()].map(({ identity, tracks }) => [identity, tracks.length]));
  }

  async leave(): Promise<void> {
    this.#isOver = true;
    this.#timer?.cancel();
    await this.participant.leave();
  }
}
