/**
 * What a join looks up in the directory: the relays, and which of them roots the room. An answer is used again for a moment, so that
 * a burst of joins does not ask etcd for the same thing each time. Nothing else goes by these: bans, events and the room API ask anew.
 */
import type { Clock } from "../core/clock.ts";
import type { Directory, RelayRecord, RoomClaim } from "../core/directory/directory.ts";
import { MAX_REMEMBERED_ROOTS } from "./limits.ts";

export interface JoinLookupsOptions {
  directory: Pick<Directory, "relays" | "room">;
  clock: Clock;
  /** An answer is used again for so long; 0: never. */
  reuseMs: number;
}

export class JoinLookups {
  readonly #options: JoinLookupsOptions;
  #relays: { value: readonly RelayRecord[]; readUs: number } | undefined;
  /** In order of reading. */
  readonly #roots = new Map<string, { value: RoomClaim; readUs: number }>();

  constructor(options: JoinLookupsOptions) {
    this.#options = options;
  }

  /** Rejects with DirectoryError. Where there were none, they are asked for each time. */
  async relays(): Promise<readonly RelayRecord[]> {
    if (this.#relays && this.#isFresh(this.#relays)) return this.#relays.value;
    const { directory, clock } = this.#options;
    const value = await directory.relays();
    this.#relays = value.length > 0 ? { value, readUs: clock.nowUs() } : undefined;
    return value;
  }

  /** Rejects with DirectoryError. A room without a root is asked for each time: it gets one with its first join. */
  async root(room: string): Promise<RoomClaim | undefined> {
    const known = this.#roots.get(room);
    if (known && this.#isFresh(known)) return known.value;
    const { directory, clock } = this.#options;
    const value = await directory.room(room);
    this.#roots.delete(room);
    if (!value) return undefined;
    this.#roots.set(room, { value, readUs: clock.nowUs() });
    const oldest = this.#roots.keys().next();
    if (this.#roots.size > MAX_REMEMBERED_ROOTS && !oldest.done) this.#roots.delete(oldest.value);
    return value;
  }

  #isFresh({ readUs }: { readUs: number }): boolean {
    return this.#options.clock.nowUs() - readUs < this.#options.reuseMs * 1_000;
  }
}
