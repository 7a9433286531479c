/** What must hold of a room's tree at every moment, looked at from outside. */
import { MAX_TREE_DEPTH } from "../../core/wire/limits.ts";
import type { Relay } from "../../relay/relay.ts";
import type { RelayLink } from "../../relay/tree/relay-link.ts";

/** Follows parents from a relay to the top. */
export function placeFault(
  relays: ReadonlyMap<string, Relay>,
  relayId: string,
  room: string,
): string | undefined {
  let at = relayId;
  for (let depth = 1; depth <= MAX_TREE_DEPTH; depth++) {
    const parent = relays.get(at)?.rooms.tree(room)?.parent;
    if (parent === undefined || !parent.isOpen) return undefined;
    at = parent.relay.id;
    if (at === relayId) return "is in a loop";
  }
  return `is more than ${MAX_TREE_DEPTH} floors down`;
}

/** Of several links to one relay, only one that stays may carry a track. */
export function copyFaults(links: Iterable<RelayLink>, where: string): string[] {
  const carried = new Set<string>();
  const faults: string[] = [];
  for (const link of links) {
    if (link.isFading) continue;
    for (const { track, rendition } of link.subscriptions.values()) {
      const copy = `${track.trackId} ${rendition} to ${link.relay.id}`;
      if (carried.has(copy)) faults.push(`${where} sends track ${copy} twice`);
      carried.add(copy);
    }
  }
  return faults;
}
