/** Sessions of participants that have ended of late: an offer that was under way meanwhile must not bring one back. */
import { MAX_PARTICIPANTS_PER_ROOM } from "../../core/wire/limits.ts";
import type { ParticipantRecord } from "../../core/wire/tree-messages.ts";

/** Longer than a link lives without a sign of life. */
const REMEMBERED_US = 30_000_000;

export class EndedSessions {
  /** By identity, the oldest first. */
  readonly #byIdentity = new Map<string, { stamp: number; atUs: number }>();

  /** False for one that is known to have ended. */
  add(identity: string, stamp: number, nowUs: number): boolean {
    if (this.stampOf(identity) >= stamp) return false;
    this.#byIdentity.delete(identity);
    this.#byIdentity.set(identity, { stamp, atUs: nowUs });
    for (const [oldest, { atUs }] of this.#byIdentity) {
      if (this.#byIdentity.size <= MAX_PARTICIPANTS_PER_ROOM && nowUs - atUs < REMEMBERED_US) break;
      this.#byIdentity.delete(oldest);
    }
    return true;
  }

  /** 0 = none that is remembered. */
  stampOf(identity: string): number {
    return this.#byIdentity.get(identity)?.stamp ?? 0;
  }

  includes({ participant: { identity }, stamp }: ParticipantRecord): boolean {
    return this.stampOf(identity) >= stamp;
  }
}
