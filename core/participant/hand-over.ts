/** When a session may be left whose participant has gone on in another one: as soon as nothing comes on it alone any more. */
import { type Clock, every, type Timer } from "../clock.ts";
import type { Link } from "../session/link.ts";
import { MAX_SILENCE_MS } from "../wire/limits.ts";

const LOOK_EVERY_MS = 50;
/** What was sent before the other session was there is on its way for so long, or so many round trips with repair. */
const LEAST_MS = 300;
const LEAST_ROUNDS = 3;
/** What has not come on the other session by then is not waited for. */
const LONGEST_MS = 1_500;

export class HandOver {
  readonly #clock: Clock;
  readonly #older: Link;
  readonly #isServed: () => boolean;
  readonly #leave: () => void;
  readonly #sinceUs: number;
  readonly #timer: Timer;

  /**
   * @param isServed whether everything that is subscribed to comes on the newer session
   * @param leave called once, unless `end` is before
   */
  constructor(clock: Clock, older: Link, isServed: () => boolean, leave: () => void) {
    this.#clock = clock;
    this.#older = older;
    this.#isServed = isServed;
    this.#leave = leave;
    this.#sinceUs = clock.nowUs();
    this.#timer = every(clock, LOOK_EVERY_MS, () => this.#look());
  }

  #look(): void {
    const older = this.#older;
    const nowUs = this.#clock.nowUs();
    const passedMs = (nowUs - this.#sinceUs) / 1000;
    const leastMs = Math.max(LEAST_MS, LEAST_ROUNDS * (older.rttMs ?? 0));
    const isSilent = nowUs - older.lastHeardUs > MAX_SILENCE_MS * 1000;
    if (!isSilent && passedMs < LONGEST_MS && (passedMs < leastMs || !this.#isServed())) return;
    this.end();
    this.#leave();
  }

  end(): void {
    this.#timer.cancel();
  }
}
