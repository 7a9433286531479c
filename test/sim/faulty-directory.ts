/** One relay's view of the directory of a simulated cluster: it can be cut off for a while, or for ever when the relay is killed. */
import {
  type Ban,
  type Directory,
  DirectoryError,
  type DirectoryEvent,
  type Registration,
  type RelayRecord,
  type RoomClaim,
} from "../../core/directory/directory.ts";
import type { MemoryDirectory } from "../../core/directory/memory.ts";

export class FaultyDirectory implements Directory {
  readonly #directory: MemoryDirectory;
  readonly #relayId: string;
  #isCut = false;
  #isDead = false;
  /** What happened while it was cut off, for its listeners. */
  #missed: (() => void)[] = [];

  constructor(directory: MemoryDirectory, relayId: string) {
    this.#directory = directory;
    this.#relayId = relayId;
  }

  cut(): void {
    this.#isCut = true;
    this.#directory.cutOff(this.#relayId);
  }

  mend(): void {
    if (this.#isDead) return;
    this.#isCut = false;
    this.#directory.reconnect(this.#relayId);
    for (const tell of this.#missed.splice(0)) tell();
  }

  /** The relay is dead: it neither hears nor is heard any more. */
  kill(): void {
    this.cut();
    this.#isDead = true;
    this.#missed = [];
  }

  #require(): void {
    if (this.#isCut) throw new DirectoryError("the directory cannot be reached");
  }

  async register(relay: RelayRecord, ttlMs: number): Promise<Registration> {
    this.#require();
    const registration = await this.#directory.register(relay, ttlMs);
    const call = async <T>(made: () => Promise<T>): Promise<T> => {
      this.#require();
      return await made();
    };
    return {
      lost: registration.lost,
      update: (next) => call(() => registration.update(next)),
      claimRoom: (room, after) => call(() => registration.claimRoom(room, after)),
      supersedeRoom: (claim) => call(() => registration.supersedeRoom(claim)),
      releaseRoom: (room) => call(() => registration.releaseRoom(room)),
      end: () => call(() => registration.end()),
    };
  }

  async relays(): Promise<RelayRecord[]> {
    this.#require();
    return await this.#directory.relays();
  }

  async rooms(): Promise<RoomClaim[]> {
    this.#require();
    return await this.#directory.rooms();
  }

  async room(room: string): Promise<RoomClaim | undefined> {
    this.#require();
    return await this.#directory.room(room);
  }

  async ban(ban: Ban): Promise<void> {
    this.#require();
    await this.#directory.ban(ban);
  }

  async isBanned(room: string, token: string): Promise<boolean> {
    this.#require();
    return await this.#directory.isBanned(room, token);
  }

  watch(listener: (event: DirectoryEvent) => void): () => void {
    const stop = this.#directory.watch((event) => {
      if (this.#isDead) return;
      if (this.#isCut) this.#missed.push(() => listener(event));
      else listener(event);
    });
    return () => {
      stop();
      this.#missed = [];
    };
  }

  async close(): Promise<void> {
    // The cluster's directory is everybody's.
  }
}
