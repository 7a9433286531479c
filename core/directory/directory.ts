/**
 * Who is alive and which relay roots a room. Everything that a relay or gateway knows about the rest of a
 * cluster comes through this interface. Implementations: memory (one process), etcd. All run
 * core/directory/directory.contract.ts.
 */

/** A relay that takes sessions, as it describes itself. */
export interface RelayRecord {
  /** Unique in the cluster; what tickets are bound to. */
  id: string;
  /** Free name of a place ("eu-west"); gateways prefer the caller's. */
  region: string;
  /** WebTransport URL that browsers dial, e.g. https://relay1.example.org:4433/; "" = it has no UDP. */
  url: string;
  /** Where it takes sessions over TCP, for networks without UDP, e.g. https://relay1.example.org:4433/; "" = nowhere. */
  fallbackUrl: string;
  /** SHA-256 of the certificate's DER in base64, for self-signed certificates; empty otherwise. */
  certificateHashes: string[];
  /** Base URL of the relay's operations API, for gateways. */
  operationsUrl: string;
  /** Participants it wants to hold at most. */
  capacity: number;
  /** Participants it holds. */
  participants: number;
  /** Product version, for operators and compatibility checks. */
  version: string;
  /** True: takes no new sessions. */
  draining: boolean;
  /** Public half of the key that it signs its credentials for other relays with (P-256, "x.y" of the JWK); empty = it links to none. */
  linkKey: string;
}

/** Which relay is the root of a room. */
export interface RoomClaim {
  room: string;
  relayId: string;
  /** Grows each time the room gets a root, also when the old one comes back; a smaller epoch has lost. */
  epoch: number;
}

/** A join token that may not be used any more in a room. */
export interface Ban {
  room: string;
  /** Names the join token (RelayTicket.token). */
  token: string;
  /** Seconds since the Unix epoch; forgotten afterwards. */
  untilSeconds: number;
}

export type DirectoryEvent =
  | { type: "relay"; relay: RelayRecord }
  | { type: "relay-gone"; relayId: string }
  | { type: "room"; claim: RoomClaim }
  | { type: "room-gone"; room: string }
  | { type: "ban"; ban: Ban };

/** A relay's presence. While it is kept alive, the record and its room claims stand; when it ends, they vanish. */
export interface Registration {
  /** Replaces the record (load, draining). Rejects with DirectoryError when the lease was lost. */
  update(relay: RelayRecord): Promise<void>;
  /**
   * Claims a room unless a live relay holds it; returns the claim that stands after the call. A new claim has a
   * larger epoch than any that the room had before and than `after`: what a relay knows of the room's past, which
   * a directory that lost its memory does not. Rejects with DirectoryError when `after` is above MAX_EPOCH.
   */
  claimRoom(room: string, after?: number): Promise<RoomClaim>;
  /**
   * Takes a room over from a holder that is believed dead. Where `claim` still stands (its epoch decides), or no
   * claim does, this relay has the room afterwards, with a larger epoch than `claim`'s; otherwise nothing changes.
   * Returns the claim that stands after the call. Of several that supersede one claim exactly one has the room. The
   * old holder learns of it by watching; what it releases or loses later no longer concerns the room.
   */
  supersedeRoom(claim: RoomClaim): Promise<RoomClaim>;
  /** Gives a room up if this relay holds it. */
  releaseRoom(room: string): Promise<void>;
  /** Resolves when the lease is gone and everything must be registered anew. Never rejects. */
  readonly lost: Promise<void>;
  /** Takes the record and its claims back. */
  end(): Promise<void>;
}

export interface Directory {
  /**
   * Announces a relay under a lease of `ttlMs`, which the implementation keeps alive by itself. An id that is
   * there already (a relay that restarted at once) is taken over: the older registration is lost, with its claims.
   */
  register(relay: RelayRecord, ttlMs: number): Promise<Registration>;
  relays(): Promise<RelayRecord[]>;
  rooms(): Promise<RoomClaim[]>;
  room(room: string): Promise<RoomClaim | undefined>;
  /** Remembers a ban; of two for the same token the longer one stands. Rejects with DirectoryError when the list is full. */
  ban(ban: Ban): Promise<void>;
  isBanned(room: string, token: string): Promise<boolean>;
  /**
   * Calls `listener` with what is there (as events), then with each change. An implementation that loses
   * its place starts over and says what vanished meanwhile. Every listener sees the same order; it must not
   * throw. The returned function ends the watch.
   */
  watch(listener: (event: DirectoryEvent) => void): () => void;
  close(): Promise<void>;
}

/** The directory could not do what was asked; `message` says what to do. */
export class DirectoryError extends Error {
  override readonly name = "DirectoryError";
}
