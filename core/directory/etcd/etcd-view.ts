/** What is known of etcd's keys, as one picture: changes become events, a fresh picture tells what differs. */
import type { Ban, DirectoryEvent, RelayRecord, RoomClaim } from "../directory.ts";
import { MAX_BANS, MAX_RELAYS, MAX_ROOM_CLAIMS } from "../limits.ts";
import { copyOfRecord } from "../relay-record.ts";
import { banName, type Entry, encodedName, type Subject } from "./key-space.ts";

export class EtcdView {
  /** By the name in their key. */
  readonly #relays = new Map<string, RelayRecord>();
  readonly #claims = new Map<string, RoomClaim>();
  readonly #bans = new Map<string, Ban>();

  get relays(): RelayRecord[] {
    return [...this.#relays.values()];
  }

  get claims(): RoomClaim[] {
    return [...this.#claims.values()];
  }

  claim(room: string): RoomClaim | undefined {
    return this.#claims.get(encodedName(room));
  }

  ban(room: string, token: string): Ban | undefined {
    return this.#bans.get(banName(room, token));
  }

  /** False when there are too many of its kind: the entry is left out. */
  put(entry: Entry): boolean {
    if (entry.kind === "relay") return putWithin(this.#relays, entry.name, entry.relay, MAX_RELAYS);
    if (entry.kind === "room") return putWithin(this.#claims, entry.name, entry.claim, MAX_ROOM_CLAIMS);
    return putWithin(this.#bans, entry.name, entry.ban, MAX_BANS);
  }

  /** What there is to tell of a key that vanished. */
  remove({ kind, name }: Subject): DirectoryEvent | undefined {
    if (kind === "relay") {
      const relay = this.#relays.get(name);
      return this.#relays.delete(name) && relay ? { type: "relay-gone", relayId: relay.id } : undefined;
    }
    if (kind === "room") {
      const claim = this.#claims.get(name);
      return this.#claims.delete(name) && claim ? { type: "room-gone", room: claim.room } : undefined;
    }
    this.#bans.delete(name);
    return undefined;
  }

  /** Everything there is, as events. */
  all(nowSeconds: number): DirectoryEvent[] {
    return [
      ...this.relays.map((relay) => eventOf({ kind: "relay", name: "", relay })),
      ...this.claims.map((claim) => eventOf({ kind: "room", name: "", claim })),
      ...[...this.#bans.values()]
        .filter((ban) => ban.untilSeconds > nowSeconds)
        .map((ban) => eventOf({ kind: "ban", name: "", ban })),
    ];
  }

  /** What has changed since `older`: first what is gone, then what is new or other. */
  since(older: EtcdView | undefined, nowSeconds: number): DirectoryEvent[] {
    if (older === undefined) return this.all(nowSeconds);
    const gone: DirectoryEvent[] = [];
    for (const [name, { room }] of older.#claims) {
      if (!this.#claims.has(name)) gone.push({ type: "room-gone", room });
    }
    for (const [name, { id }] of older.#relays) {
      if (!this.#relays.has(name)) gone.push({ type: "relay-gone", relayId: id });
    }
    const known = new Set(older.all(nowSeconds).map((event) => JSON.stringify(event)));
    return [...gone, ...this.all(nowSeconds).filter((event) => !known.has(JSON.stringify(event)))];
  }
}

/** Events are handed out: what they hold is a copy. */
export function eventOf(entry: Entry): DirectoryEvent {
  if (entry.kind === "relay") return { type: "relay", relay: copyOfRecord(entry.relay) };
  if (entry.kind === "room") return { type: "room", claim: { ...entry.claim } };
  return { type: "ban", ban: { ...entry.ban } };
}

function putWithin<Value>(map: Map<string, Value>, name: string, value: Value, max: number): boolean {
  if (map.size >= max && !map.has(name)) return false;
  map.set(name, value);
  return true;
}
