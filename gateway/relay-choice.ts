/**
 * Which relay a participant is sent to. A room that has a root goes there; a room that has none goes to a
 * relay that follows from its name alone, so that two people who arrive first at the same moment, perhaps
 * through two gateways, meet on one relay.
 */
import type { RelayRecord, RoomClaim } from "../core/directory/directory.ts";

/** Undefined when no relay takes sessions. */
export function chooseRelay(
  room: string,
  relays: readonly RelayRecord[],
  claim: RoomClaim | undefined,
  region: string | undefined,
): RelayRecord | undefined {
  const open = relays.filter((relay) => !relay.draining);
  const root = claim && open.find((relay) => relay.id === claim.relayId);
  if (root) return root;
  const near = region ? open.filter((relay) => relay.region === region) : [];
  for (const candidates of [near.filter(hasSpace), open.filter(hasSpace), near, open]) {
    const best = highestScore(room, candidates);
    if (best) return best;
  }
  return undefined;
}

function hasSpace(relay: RelayRecord): boolean {
  return relay.participants < relay.capacity;
}

/**
 * Weighted rendezvous hashing: each relay gets its share of all rooms by capacity, and when a relay comes
 * or goes only its own rooms move. Load is left out but for full relays: it changes between two joins.
 */
function highestScore(room: string, relays: readonly RelayRecord[]): RelayRecord | undefined {
  let best: RelayRecord | undefined;
  let bestScore = Number.NEGATIVE_INFINITY;
  for (const relay of relays) {
    const uniform = (hashOf(`${relay.id} ${room}`) + 0.5) / 2 ** 32;
    const score = -relay.capacity / Math.log(uniform);
    if (score > bestScore || (score === bestScore && best && relay.id < best.id)) {
      best = relay;
      bestScore = score;
    }
  }
  return best;
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
