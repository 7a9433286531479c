/**
 * Join tokens of removed participants: remembered on the relay itself, so that a ban holds without the directory, and kept in the
 * directory, so that it holds on other relays.
 */
import type { Clock } from "../core/clock.ts";
import type { Directory } from "../core/directory/directory.ts";
import { MAX_REMEMBERED_BANS } from "../core/wire/limits.ts";
import type { TicketHolder } from "../core/wire/tokens.ts";
import { Refusal } from "./refusal.ts";
import { RESUME_MEMORY_SECONDS } from "./resume-tickets.ts";

export class Bans {
  readonly #clock: Clock;
  readonly #directory: Directory;
  readonly #log: (line: string) => void;
  readonly #maxBans: number;
  readonly #untilSeconds = new Map<string, number>();

  constructor(
    clock: Clock,
    directory: Directory,
    log: (line: string) => void,
    maxBans = MAX_REMEMBERED_BANS,
  ) {
    this.#clock = clock;
    this.#directory = directory;
    this.#log = log;
    this.#maxBans = maxBans;
  }

  get size(): number {
    return this.#untilSeconds.size;
  }

  /** How long a ban must be remembered on a token that ends at `tokenExp`: resume tickets may be good for longer. */
  endOf(tokenExp: number): number {
    return Math.max(tokenExp, Math.ceil(this.#clock.nowUs() / 1_000_000) + RESUME_MEMORY_SECONDS);
  }

  /** Somebody was removed here. */
  ban(room: string, token: string, tokenExp: number): void {
    const untilSeconds = this.endOf(tokenExp);
    this.remember(room, token, untilSeconds);
    this.#directory.ban({ room, token, untilSeconds }).catch((error: unknown) => {
      this.#log(`the directory did not take a ban, this relay keeps it alone: ${String(error)}`);
    });
  }

  /** Somebody was removed, here or elsewhere. */
  remember(room: string, token: string, untilSeconds: number): void {
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

  /** Rejects with Refusal `removed` for a token that is banned. */
  async require({ room, token }: TicketHolder): Promise<void> {
    if (this.has(room, token) || (await this.#isBannedElsewhere(room, token)))
      throw new Refusal("removed", "an admin removed this participant from the room");
  }

  async #isBannedElsewhere(room: string, token: string): Promise<boolean> {
    try {
      return await this.#directory.isBanned(room, token);
    } catch (error) {
      // A directory that is down keeps nobody out who was not removed on this relay.
      this.#log(`the directory did not answer about a ban: ${String(error)}`);
      return false;
    }
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
