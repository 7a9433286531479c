/** What is known of relays, rooms and bans in etcd, as one picture (KeptView in view-keeper.ts). */
import type { Ban, DirectoryEvent, RelayRecord, RoomClaim } from "../directory.ts";
import { MAX_BANS, MAX_RELAYS, MAX_ROOM_CLAIMS } from "../limits.ts";
import { copyOfRecord } from "../relay-record.ts";
import type { KeyValue } from "./answers.ts";
import { banName, type Entry, encodedName, type KeySpace, type Subject } from "./key-space.ts";
import type { KeptView } from "./view-keeper.ts";

export class EtcdView implements KeptView<DirectoryEvent> {
  readonly #keys: KeySpace;
  /** By the name in their key. */
  readonly #relays = new Map<string, RelayRecord>();
  readonly #claims = new Map<string, RoomClaim>();
  readonly #bans = new Map<string, Ban>();

  constructor(keys: KeySpace) {
    this.#keys = keys;
  }

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

  write(kv: KeyValue): DirectoryEvent | undefined {
    const entry = this.#keys.entryOf(kv);
    if (entry && this.#put(entry)) return eventOf(entry);
    if (entry) this.#keys.skip(kv.key, "is one of too many");
    return this.erase(kv.key);
  }

  erase(key: string): DirectoryEvent | undefined {
    const subject = this.#keys.subjectOf(key);
    return subject && this.#remove(subject);
  }

  /** False when there are too many of its kind: the entry is left out. */
  #put(entry: Entry): boolean {
    if (entry.kind === "relay") return putWithin(this.#relays, entry.name, entry.relay, MAX_RELAYS);
    if (entry.kind === "room") return putWithin(this.#claims, entry.name, entry.claim, MAX_ROOM_CLAIMS);
    return putWithin(this.#bans, entry.name, entry.ban, MAX_BANS);
  }

  /** What there is to tell of a key that vanished. */
  #remove({ kind, name }: Subject): DirectoryEvent | undefined {
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
function eventOf(entry: Entry): DirectoryEvent {
  if (entry.kind === "relay") return { type: "relay", relay: copyOfRecord(entry.relay) };
  if (entry.kind === "room") return { type: "room", claim: { ...entry.claim } };
  return { type: "ban", ban: { ...entry.ban } };
}

function putWithin<Value>(map: Map<string, Value>, name: string, value: Value, max: number): boolean {
  if (map.size >= max && !map.has(name)) return false;
  map.set(name, value);
  return true;
}
