/** How long a relay has been silent, and whether that is too long: it sends something several times a second. */
import { type Clock, every, type Timer } from "../../clock.ts";
import { MAX_SILENCE_MS, MAX_SILENCE_OVER_TCP_MS } from "../../wire/limits.ts";

const CHECK_EVERY_MS = 100;
/** A check that comes later than this tells more of this thread than of the relay. */
const LATE_MS = 200;
/** On a road with losses silence means less: with each false alarm it may last longer, and with each check a little less again. */
const FALSE_ALARM_FACTOR = 1.5;
const CALM_FACTOR = 0.998;
const MAX_PATIENCE_MS = 1_500;
/** After a sign that the network has changed, for so long, silence counts sooner: a relay says something each 200 ms. */
const SUSPICION_US = 3_000_000;
const SUSPECT_SILENCE_MS = 300;

export class SilenceWatch {
  readonly #clock: Clock;
  readonly #heardUs: () => number;
  readonly #isOverTcp: () => boolean;
  readonly #timer: Timer;
  #sinceUs: number;
  #dueUs: number;
  #isPardoned = false;
  #patienceMs = MAX_SILENCE_MS;
  #suspectUntilUs = 0;

  /**
   * @param heardUs when the relay was heard last, 0 = not yet
   * @param isOverTcp silence means less there: what is lost on the way holds up everything behind it
   * @param onCheck called several times a second, unless this thread was busy just before
   */
  constructor(clock: Clock, heardUs: () => number, isOverTcp: () => boolean, onCheck: () => void) {
    this.#clock = clock;
    this.#heardUs = heardUs;
    this.#isOverTcp = isOverTcp;
    this.#sinceUs = clock.nowUs();
    this.#dueUs = this.#sinceUs + CHECK_EVERY_MS * 1000;
    this.#timer = every(clock, CHECK_EVERY_MS, () => {
      if (this.#isTimely()) onCheck();
    });
  }

  /** What came while this thread was busy, or the machine asleep, is read before the next check. */
  #isTimely(): boolean {
    const nowUs = this.#clock.nowUs();
    const isLate = nowUs - this.#dueUs > LATE_MS * 1000;
    this.#dueUs = nowUs + CHECK_EVERY_MS * 1000;
    this.#isPardoned = isLate && !this.#isPardoned;
    this.#patienceMs = Math.max(MAX_SILENCE_MS, this.#patienceMs * CALM_FACTOR);
    return !this.#isPardoned;
  }

  get silentMs(): number {
    return (this.#clock.nowUs() - Math.max(this.#sinceUs, this.#heardUs())) / 1000;
  }

  get isSilent(): boolean {
    if (this.#isOverTcp()) return this.silentMs > Math.max(this.#patienceMs, MAX_SILENCE_OVER_TCP_MS);
    const isSuspect = this.#clock.nowUs() < this.#suspectUntilUs;
    return this.silentMs > (isSuspect ? SUSPECT_SILENCE_MS : this.#patienceMs);
  }

  /** The network may have changed, or the machine has slept. */
  suspect(): void {
    this.#suspectUntilUs = this.#clock.nowUs() + SUSPICION_US;
  }

  /** Another session counts from now on. */
  restart(): void {
    this.#suspectUntilUs = 0;
    this.#sinceUs = this.#clock.nowUs();
  }

  /** It was too long, and then the relay spoke again. */
  noteFalseAlarm(): void {
    this.#patienceMs = Math.min(MAX_PATIENCE_MS, this.#patienceMs * FALSE_ALARM_FACTOR);
  }

  stop(): void {
    this.#timer.cancel();
  }
}
