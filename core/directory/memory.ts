/**
 * The directory of a cluster that is one process: `npm start`, tests, simulation. Leases are kept alive
 * simply by the process living; `cutOff` and `reconnect` play the network between a relay and its directory.
 */
import type { Clock, Timer } from "../clock.ts";
import {
  type Ban,
  type Directory,
  DirectoryError,
  type DirectoryEvent,
  type Registration,
  type RelayRecord,
  type RoomClaim,
} from "./directory.ts";
import { assertEpoch } from "./epoch.ts";
import { MAX_BANS } from "./limits.ts";
import { DirectoryListeners } from "./listeners.ts";
import { copyOfRecord } from "./relay-record.ts";

interface Lease {
  relay: RelayRecord;
  readonly ttlMs: number;
  /** Rooms that this relay roots. */
  readonly rooms: Set<string>;
  /** Runs while the relay is cut off; when it fires the lease is over. */
  expiry: Timer | undefined;
  over: boolean;
  onLost: () => void;
}

export class MemoryDirectory implements Directory {
  readonly #clock: Clock;
  readonly #leases = new Map<string, Lease>();
  readonly #claims = new Map<string, RoomClaim>();
  readonly #bans = new Map<string, Ban>();
  readonly #listeners = new DirectoryListeners<DirectoryEvent>();
  #lastEpoch = 0;
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async register(relay: RelayRecord, ttlMs: number): Promise<Registration> {
    this.#assertOpen();
    const older = this.#leases.get(relay.id);
    if (older) this.#endLease(older);
    let onLost = (): void => {};
    const lost = new Promise<void>((resolve) => {
      onLost = resolve;
    });
    const lease: Lease = {
      relay: copyOfRecord(relay),
      ttlMs,
      rooms: new Set(),
      expiry: undefined,
      over: false,
      onLost,
    };
    this.#leases.set(relay.id, lease);
    this.#listeners.tell({ type: "relay", relay: copyOfRecord(relay) });
    return {
      lost,
      update: async (next) => this.#update(lease, next),
      claimRoom: async (room, after = 0) => this.#claim(lease, room, after),
      supersedeRoom: async (claim) => this.#supersede(lease, claim),
      releaseRoom: async (room) => this.#release(lease, room),
      end: async () => this.#endLease(lease),
    };
  }

  async relays(): Promise<RelayRecord[]> {
    this.#assertOpen();
    return [...this.#leases.values()].map((lease) => copyOfRecord(lease.relay));
  }

  async rooms(): Promise<RoomClaim[]> {
    this.#assertOpen();
    return [...this.#claims.values()].map((claim) => ({ ...claim }));
  }

  async room(room: string): Promise<RoomClaim | undefined> {
    this.#assertOpen();
    const claim = this.#claims.get(room);
    return claim && { ...claim };
  }

  async ban(ban: Ban): Promise<void> {
    this.#assertOpen();
    const nowSeconds = this.#nowSeconds();
    if (ban.untilSeconds <= nowSeconds) return;
    const key = banKey(ban.room, ban.token);
    const standing = this.#bans.get(key);
    if (standing && standing.untilSeconds >= ban.untilSeconds) return;
    if (!standing && this.#bans.size >= MAX_BANS) this.#forgetEndedBans(nowSeconds);
    if (!standing && this.#bans.size >= MAX_BANS) {
      throw new DirectoryError(
        `the ban list is full (${MAX_BANS}): give join tokens a shorter life, so that bans run out`,
      );
    }
    this.#bans.set(key, { ...ban });
    this.#listeners.tell({ type: "ban", ban: { ...ban } });
  }

  async isBanned(room: string, token: string): Promise<boolean> {
    this.#assertOpen();
    const ban = this.#bans.get(banKey(room, token));
    return ban !== undefined && ban.untilSeconds > this.#nowSeconds();
  }

  watch(listener: (event: DirectoryEvent) => void): () => void {
    this.#assertOpen();
    const nowSeconds = this.#nowSeconds();
    for (const lease of this.#leases.values()) listener({ type: "relay", relay: copyOfRecord(lease.relay) });
    for (const claim of this.#claims.values()) listener({ type: "room", claim: { ...claim } });
    for (const ban of this.#bans.values()) {
      if (ban.untilSeconds > nowSeconds) listener({ type: "ban", ban: { ...ban } });
    }
    return this.#listeners.add(listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#listeners.clear();
    for (const lease of [...this.#leases.values()]) this.#endLease(lease);
  }

  /** Plays a relay that cannot reach the directory: its calls fail at once, its lease ends after its ttl. */
  cutOff(relayId: string): void {
    const lease = this.#leases.get(relayId);
    if (!lease || lease.expiry) return;
    lease.expiry = this.#clock.after(lease.ttlMs, () => this.#endLease(lease));
  }

  /** Ends what `cutOff` began. A lease that has not ended by then lives on. */
  reconnect(relayId: string): void {
    const lease = this.#leases.get(relayId);
    lease?.expiry?.cancel();
    if (lease) lease.expiry = undefined;
  }

  #update(lease: Lease, next: RelayRecord): void {
    this.#assertHeld(lease);
    if (next.id !== lease.relay.id) {
      throw new DirectoryError(
        `relay ${lease.relay.id} cannot become ${next.id}: register the new id instead`,
      );
    }
    lease.relay = copyOfRecord(next);
    this.#listeners.tell({ type: "relay", relay: copyOfRecord(next) });
  }

  #claim(lease: Lease, room: string, after: number): RoomClaim {
    this.#assertHeld(lease);
    const standing = this.#claims.get(room);
    return standing ? { ...standing } : this.#give(lease, room, after);
  }

  #supersede(lease: Lease, claim: RoomClaim): RoomClaim {
    this.#assertHeld(lease);
    const standing = this.#claims.get(claim.room);
    if (standing && standing.epoch !== claim.epoch) return { ...standing };
    if (standing) this.#leases.get(standing.relayId)?.rooms.delete(claim.room);
    return this.#give(lease, claim.room, claim.epoch);
  }

  #give(lease: Lease, room: string, after: number): RoomClaim {
    assertEpoch(after);
    // One counter for all rooms: it grows for each of them, and nothing must be remembered of rooms that are gone.
    this.#lastEpoch = Math.max(this.#lastEpoch, after) + 1;
    const claim = { room, relayId: lease.relay.id, epoch: this.#lastEpoch };
    this.#claims.set(room, claim);
    lease.rooms.add(room);
    this.#listeners.tell({ type: "room", claim: { ...claim } });
    return { ...claim };
  }

  #release(lease: Lease, room: string): void {
    this.#assertHeld(lease);
    if (!lease.rooms.delete(room)) return;
    this.#claims.delete(room);
    this.#listeners.tell({ type: "room-gone", room });
  }

  #endLease(lease: Lease): void {
    if (lease.over) return;
    lease.over = true;
    lease.expiry?.cancel();
    this.#leases.delete(lease.relay.id);
    for (const room of lease.rooms) {
      this.#claims.delete(room);
      this.#listeners.tell({ type: "room-gone", room });
    }
    this.#listeners.tell({ type: "relay-gone", relayId: lease.relay.id });
    lease.onLost();
  }

  #forgetEndedBans(nowSeconds: number): void {
    for (const [key, ban] of this.#bans) {
      if (ban.untilSeconds <= nowSeconds) this.#bans.delete(key);
    }
  }

  #nowSeconds(): number {
    return this.#clock.nowUs() / 1_000_000;
  }

  #assertOpen(): void {
    if (this.#closed) throw new DirectoryError("the directory was closed: open a new one");
  }

  #assertHeld(lease: Lease): void {
    if (lease.over)
      throw new DirectoryError(`the lease of relay ${lease.relay.id} is gone: register it again`);
    if (lease.expiry) {
      throw new DirectoryError(
        `relay ${lease.relay.id} cannot reach the directory: try again, or wait for \`lost\``,
      );
    }
  }
}

/** Room names hold no spaces, so this cannot collide. */
function banKey(room: string, token: string): string {
  return `${room} ${token}`;
}
