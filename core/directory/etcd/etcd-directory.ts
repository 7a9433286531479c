/**
 * The directory of a cluster, in etcd v3, through its JSON gateway: runs wherever there is a fetch, Workers included.
 * Reads are etcd's own; while it does not answer they come from what is known of it, so that joins go on.
 */
import type { Clock, Random } from "../../clock.ts";
import {
  type Ban,
  type Directory,
  DirectoryError,
  type DirectoryEvent,
  type Registration,
  type RelayRecord,
  type RoomClaim,
} from "../directory.ts";
import { ETCD_READ_TIMEOUT_MS, MAX_ETCD_VIEW_AGE_MS, MAX_RELAYS, MAX_ROOM_CLAIMS } from "../limits.ts";
import { DirectoryListeners } from "../listeners.ts";
import { copyOfRecord } from "../relay-record.ts";
import { rangeAnswer } from "./answers.ts";
import { Epochs } from "./epochs.ts";
import { EtcdBans } from "./etcd-bans.ts";
import { EtcdBridges } from "./etcd-bridges.ts";
import { EtcdClient } from "./etcd-client.ts";
import { EtcdRegistration } from "./etcd-registration.ts";
import type { EtcdSettings } from "./etcd-settings.ts";
import { EtcdView } from "./etcd-view.ts";
import { EtcdRefusalError } from "./failures.ts";
import type { HttpPost } from "./http-post.ts";
import { type Entry, KeySpace } from "./key-space.ts";
import { LastReads } from "./last-reads.ts";
import { Lease } from "./lease.ts";
import { readRange } from "./transaction.ts";
import { ViewKeeper } from "./view-keeper.ts";

export interface EtcdDirectoryOptions {
  settings: EtcdSettings;
  /** See httpPost (http-post.ts). */
  post: HttpPost;
  clock: Clock;
  random: Random;
  /** One line for operators: outages, values that are passed over. */
  log(line: string): void;
  /** A watch that says nothing for so long is started again; default ETCD_WATCH_IDLE_MS. */
  watchIdleMs?: number;
  /** How old what is known may be while etcd does not answer; default MAX_ETCD_VIEW_AGE_MS. */
  maxViewAgeMs?: number;
}

export class EtcdDirectory implements Directory {
  /** The part that relays have no use for, over the same connection; ends with this. */
  readonly bridges: EtcdBridges;
  readonly #options: EtcdDirectoryOptions;
  readonly #client: EtcdClient;
  readonly #keys: KeySpace;
  readonly #epochs: Epochs;
  readonly #bans: EtcdBans;
  readonly #listeners = new DirectoryListeners<DirectoryEvent>();
  readonly #keeper: ViewKeeper<EtcdView, DirectoryEvent>;
  readonly #lastReads = new LastReads();
  readonly #leases = new Set<Lease>();
  #closed = false;

  constructor(options: EtcdDirectoryOptions) {
    const { settings, clock, random, log } = options;
    this.#options = options;
    this.#client = new EtcdClient(options);
    this.#keys = new KeySpace(settings.prefix, log);
    this.#epochs = new Epochs(this.#client, this.#keys, clock, random);
    this.#bans = new EtcdBans(this.#client, this.#keys, clock);
    this.#keeper = new ViewKeeper({
      client: this.#client,
      prefix: settings.prefix,
      range: this.#keys.range(),
      newView: () => new EtcdView(this.#keys),
      epochs: this.#epochs,
      listeners: this.#listeners,
      clock,
      random,
      log,
      watchIdleMs: options.watchIdleMs,
    });
    this.bridges = new EtcdBridges({
      ...options,
      client: this.#client,
      epochs: this.#epochs,
      prefix: settings.prefix,
      epoch: this.#keys.epoch,
    });
  }

  /** Times that a value in etcd was passed over because it is not ours. */
  get skippedValues(): number {
    return this.#keys.skippedValues;
  }

  async register(relay: RelayRecord, ttlMs: number): Promise<Registration> {
    this.#assertOpen();
    const lease = await Lease.grant(this.#client, this.#options.clock, ttlMs);
    this.#leases.add(lease);
    void lease.over.then(() => this.#leases.delete(lease));
    const parts = { client: this.#client, keys: this.#keys, epochs: this.#epochs };
    const registration = new EtcdRegistration(parts, relay.id, lease);
    try {
      await registration.begin(relay);
      this.#assertOpen();
      return registration;
    } catch (error) {
      // It would be kept alive for nothing; if etcd does not hear of its end, it runs out.
      await lease.end().catch(() => undefined);
      throw error;
    }
  }

  async relays(): Promise<RelayRecord[]> {
    const relays = await this.#read(
      "relays",
      () => this.#list("relay", MAX_RELAYS, (entry) => (entry.kind === "relay" ? entry.relay : undefined)),
      (view) => view.relays,
    );
    return relays.map(copyOfRecord);
  }

  async rooms(): Promise<RoomClaim[]> {
    const claims = await this.#read(
      "rooms",
      () => this.#list("room", MAX_ROOM_CLAIMS, (entry) => (entry.kind === "room" ? entry.claim : undefined)),
      (view) => view.claims,
    );
    return claims.map((claim) => ({ ...claim }));
  }

  async room(room: string): Promise<RoomClaim | undefined> {
    const claim = await this.#read(
      `room ${room}`,
      async () => {
        const body = { key: this.#keys.room(room) };
        const [kv] = (await this.#client.call("/v3/kv/range", body, rangeAnswer, ETCD_READ_TIMEOUT_MS)).kvs;
        const entry = kv && this.#keys.entryOf(kv);
        return entry?.kind === "room" ? entry.claim : undefined;
      },
      (view) => view.claim(room),
    );
    return claim && { ...claim };
  }

  async ban(ban: Ban): Promise<void> {
    this.#assertOpen();
    await this.#bans.add(ban);
  }

  async isBanned(room: string, token: string): Promise<boolean> {
    const ban = await this.#read(
      `ban ${room} ${token}`,
      () => this.#bans.find(room, token, ETCD_READ_TIMEOUT_MS),
      (view) => view.ban(room, token),
    );
    return ban !== undefined && ban.untilSeconds > this.#nowSeconds();
  }

  watch(listener: (event: DirectoryEvent) => void): () => void {
    this.#assertOpen();
    for (const event of this.#keeper.view?.all(this.#nowSeconds()) ?? []) listener(event);
    const end = this.#listeners.add(listener);
    this.#keeper.start();
    return end;
  }

  /** Keeps a view of etcd from now on, also when nobody watches, so that all reads can be answered without it. */
  follow(): void {
    this.#assertOpen();
    this.#keeper.start();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#listeners.clear();
    this.#keeper.stop();
    // A lease whose end etcd does not hear of runs out by itself.
    await Promise.allSettled([this.bridges.close(), ...[...this.#leases].map((lease) => lease.end())]);
  }

  /** From etcd; when that does not answer, from the view, or from what it answered last to the same question. */
  async #read<T>(question: string, ask: () => Promise<T>, look: (view: EtcdView) => T): Promise<T> {
    this.#assertOpen();
    const known = this.#known(question, look);
    if (known && this.#client.isDown) return known.value;
    try {
      const value = await ask();
      this.#lastReads.remember(question, value, this.#options.clock.nowUs());
      return value;
    } catch (error) {
      // What etcd refuses is a setting to be put right, not an outage to be bridged.
      if (error instanceof EtcdRefusalError) throw error;
      const nowKnown = this.#known(question, look);
      if (nowKnown) return nowKnown.value;
      throw error;
    }
  }

  #known<T>(question: string, look: (view: EtcdView) => T): { value: T } | undefined {
    const { clock, maxViewAgeMs = MAX_ETCD_VIEW_AGE_MS } = this.#options;
    const sinceUs = clock.nowUs() - maxViewAgeMs * 1000;
    const { view, confirmedUs } = this.#keeper;
    if (view && confirmedUs >= sinceUs) return { value: look(view) };
    return this.#lastReads.find(question, sinceUs) as { value: T } | undefined;
  }

  async #list<T>(kind: Entry["kind"], max: number, pick: (entry: Entry) => T | undefined): Promise<T[]> {
    const range = this.#keys.range(kind);
    let list: T[] = [];
    const take = (kv: Parameters<KeySpace["entryOf"]>[0]): void => {
      const entry = this.#keys.entryOf(kv);
      const value = entry && pick(entry);
      if (value !== undefined && list.length < max) list.push(value);
    };
    try {
      await readRange(this.#client, range, take, ETCD_READ_TIMEOUT_MS);
    } catch (error) {
      if (!(error instanceof EtcdRefusalError && error.isRevisionGone)) throw error;
      // etcd was compacted between two pages.
      list = [];
      await readRange(this.#client, range, take, ETCD_READ_TIMEOUT_MS);
    }
    return list;
  }

  #nowSeconds(): number {
    return this.#options.clock.nowUs() / 1_000_000;
  }

  #assertOpen(): void {
    if (this.#closed) throw new DirectoryError("the directory was closed: open a new one");
  }
}
