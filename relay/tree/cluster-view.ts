/**
 * What this relay knows of the cluster from watching the directory: relays, roots of rooms, bans. It stays as it was while the
 * directory cannot be reached, so that rooms go on.
 */
import type { Directory, DirectoryEvent, RelayRecord, RoomClaim } from "../../core/directory/directory.ts";
import type { RelayAddress } from "../../core/wire/tree-messages.ts";

export interface ClusterViewEvents {
  /** A room has another root, or its root another epoch. */
  onClaim(claim: RoomClaim): void;
  onBan(room: string, token: string, untilSeconds: number): void;
}

export class ClusterView {
  readonly relays = new Map<string, RelayRecord>();
  readonly claims = new Map<string, RoomClaim>();
  readonly #events: ClusterViewEvents;
  #stop: (() => void) | undefined;

  constructor(events: ClusterViewEvents) {
    this.#events = events;
  }

  start(directory: Directory): void {
    this.#stop = directory.watch((event) => this.#onEvent(event));
  }

  stop(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  addressOf(relayId: string): RelayAddress | undefined {
    const relay = this.relays.get(relayId);
    return relay && addressOf(relay);
  }

  #onEvent(event: DirectoryEvent): void {
    switch (event.type) {
      case "relay":
        return void this.relays.set(event.relay.id, event.relay);
      case "relay-gone":
        return void this.relays.delete(event.relayId);
      case "room":
        this.claims.set(event.claim.room, event.claim);
        return this.#events.onClaim(event.claim);
      case "room-gone":
        return void this.claims.delete(event.room);
      case "ban":
        return this.#events.onBan(event.ban.room, event.ban.token, event.ban.untilSeconds);
    }
  }
}

export function addressOf({ id, region, url, fallbackUrl, certificateHashes }: RelayRecord): RelayAddress {
  return { id, region, url, fallbackUrl, certificateHashes };
}
