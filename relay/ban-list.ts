/** Join tokens of removed participants, remembered on the relay itself so that a ban holds without the directory. */
import type { Clock } from "../core/clock.ts";
import { MAX_REMEMBERED_BANS } from "../core/wire/limits.ts";

export class BanList {
  readonly #clock: Clock;
  readonly #maxBans: number;
  readonly #untilSeconds = new Map<string, number>();

  constructor(clock: Clock, maxBans = MAX_REMEMBERED_BANS) {
    this.#clock = clock;
    this.#maxBans = maxBans;
  }

  get size(): number {
    return this.#untilSeconds.size;
  }

  add(room: string, token: string, untilSeconds: number): void {
    if (this.#untilSeconds.size >= this.#maxBans) this.#makeSpace();
    this.#untilSeconds.set(keyOf(room, token), untilSeconds);
  }

  has(room: string, token: string): boolean {
    const key = keyOf(room, token);
    const untilSeconds = this.#untilSeconds.get(key);
    if (untilSeconds === undefined) return false;
    if (untilSeconds > this.#clock.nowUs() / 1_000_000) return true;
    this.#untilSeconds.delete(key);
    return false;
  }

  #makeSpace(): void {
    const nowSeconds = this.#clock.nowUs() / 1_000_000;
    for (const [key, untilSeconds] of this.#untilSeconds) {
      if (untilSeconds <= nowSeconds) this.#untilSeconds.delete(key);
    }
    const oldest = this.#untilSeconds.keys().next();
    if (this.#untilSeconds.size >= this.#maxBans && !oldest.done) this.#untilSeconds.delete(oldest.value);
  }
}

/** Room names hold no spaces. */
function keyOf(room: string, token: string): string {
  return `${room} ${token}`;
}
