/**
 * A directory whose relays are written down in configuration, for a gateway that runs apart from its relays
 * and has no etcd. It knows nobody's load and not who is alive: a listed relay counts as alive until the
 * list changes. It learns no room claims, and bans are remembered by this process alone.
 */
import type { Clock } from "../clock.ts";
import { type Directory, DirectoryError, type RelayRecord } from "./directory.ts";
import { MemoryDirectory } from "./memory.ts";

/** Throws DirectoryError when two relays share an id. */
export async function staticDirectory(relays: readonly RelayRecord[], clock: Clock): Promise<Directory> {
  const directory = new MemoryDirectory(clock);
  const ids = new Set<string>();
  for (const relay of relays) {
    if (ids.has(relay.id)) throw new DirectoryError(`two relays have the id ${relay.id}: give each its own`);
    ids.add(relay.id);
    // The lease never ends: nothing cuts these relays off.
    await directory.register(relay, Number.MAX_SAFE_INTEGER);
  }
  return directory;
}
