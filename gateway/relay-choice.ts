/**
 * Which relays a participant is sent to, best first. Relays of a room find each other, so any will do; those of one room and region
 * should meet on one of them all the same, so that each track crosses to that region once. The choice follows from the
 * directory alone: two people who come at the same moment, perhaps through two gateways, meet. docs/operating.md, "Regions".
 */
import type { RelayRecord, RoomClaim } from "../core/directory/directory.ts";
import { MAX_JOIN_CANDIDATES } from "./limits.ts";

/** In the order to try, at most MAX_JOIN_CANDIDATES; empty when no relay takes sessions. `region`: the caller's, where it is known. */
export function chooseRelays(
  room: string,
  relays: readonly RelayRecord[],
  claim: RoomClaim | undefined,
  region: string | undefined,
): RelayRecord[] {
  const open = relays.filter((relay) => !relay.draining);
  const root = open.find((relay) => relay.id === claim?.relayId);
  // A relay that links to none is the whole room.
  if (root && !root.linkKey) return [root];
  const [first, ...others] = open
    .map((relay) => ({
      relay,
      distance: distanceOf(relay, relay === root, region),
      score: scoreOf(room, relay),
    }))
    .sort((a, b) => a.distance - b.distance || b.score - a.score || (a.relay.id < b.relay.id ? -1 : 1))
    .map(({ relay }) => relay);
  if (!first?.linkKey) return first ? [first] : [];
  const [second, ...further] = others.filter((relay) => relay.linkKey);
  // A whole region may die: the last one to try is elsewhere.
  const last = further.find((relay) => relay.region !== first.region) ?? further[0];
  return [first, ...(second ? [second] : []), ...(last ? [last] : [])].slice(0, MAX_JOIN_CANDIDATES);
}

/** Smaller is better. Full relays come last; the room's root is the best of its region, and of all where the caller's has none. */
function distanceOf(relay: RelayRecord, isRoot: boolean, region: string | undefined): number {
  const isFull = relay.participants >= relay.capacity;
  const isNear = Boolean(region) && relay.region === region;
  return (isFull ? 4 : 0) + (isNear ? 0 : 2) + (isRoot ? 0 : 1);
}

/**
 * Weighted rendezvous hashing: each relay gets its share of all rooms by capacity, and when a relay comes
 * or goes only its own rooms move. Load is left out but for full relays: it changes between two joins.
 */
function scoreOf(room: string, { id, capacity }: RelayRecord): number {
  const uniform = (hashOf(`${id} ${room}`) + 0.5) / 2 ** 32;
  return -capacity / Math.log(uniform);
}

/** FNV-1a over UTF-16 units, then a mixing step so that all bits depend on the last characters too. 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
