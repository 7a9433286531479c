/**
 * Keeps a view of all keys up to date over one watch, for all listeners of a directory. After whatever ends the watch it
 * goes on from the revision where it was; where that is impossible (etcd has forgotten that far back, or is not the
 * etcd that it was) it reads everything again and tells what differs.
 */
import { ZodError } from "zod";
import type { Clock, Random, Timer } from "../../clock.ts";
import { ETCD_WATCH_IDLE_MS, ETCD_WATCH_RETRY_MS, MAX_ETCD_WATCH_RETRY_MS } from "../limits.ts";
import type { DirectoryListeners } from "../listeners.ts";
import { type WatchLine, watchLine } from "./answers.ts";
import type { Epochs } from "./epochs.ts";
import type { EtcdClient } from "./etcd-client.ts";
import { EtcdView, eventOf } from "./etcd-view.ts";
import { EtcdAnswerTooLargeError, EtcdTimeoutError, type Exchange } from "./exchange.ts";
import { jsonOf, refusalOf } from "./failures.ts";
import type { KeySpace } from "./key-space.ts";
import { readRange } from "./transaction.ts";

export interface ViewKeeperOptions {
  client: EtcdClient;
  keys: KeySpace;
  epochs: Epochs;
  clock: Clock;
  random: Random;
  listeners: DirectoryListeners;
  log(line: string): void;
  /** Default: ETCD_WATCH_IDLE_MS. */
  watchIdleMs?: number | undefined;
}

/** Where in etcd's history the view is. */
interface Position {
  instance: string;
  revision: number;
}

export class ViewKeeper {
  readonly #options: ViewKeeperOptions;
  #view: EtcdView | undefined;
  #position: Position | undefined;
  #confirmedUs = Number.NEGATIVE_INFINITY;
  #exchange: Exchange | undefined;
  #pause: { timer: Timer; end: () => void } | undefined;
  #started = false;
  #stopped = false;
  #isTroubled = false;

  constructor(options: ViewKeeperOptions) {
    this.#options = options;
  }

  /** Undefined until everything was read once. */
  get view(): EtcdView | undefined {
    return this.#view;
  }

  /** When etcd last said something that shows the view to be true. */
  get confirmedUs(): number {
    return this.#confirmedUs;
  }

  /** Does nothing when it runs already. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    void this.#run();
  }

  stop(): void {
    this.#stopped = true;
    this.#exchange?.close();
    this.#pause?.timer.cancel();
    this.#pause?.end();
  }

  async #run(): Promise<void> {
    let retryMs = ETCD_WATCH_RETRY_MS;
    while (!this.#stopped) {
      try {
        await this.#follow();
        retryMs = ETCD_WATCH_RETRY_MS;
      } catch (error) {
        if (this.#stopped) return;
        this.#noteTrouble(error);
        // Many watch one etcd: they do not all come back at the same moment.
        await this.#sleep(retryMs * (0.5 + this.#options.random()));
        retryMs = Math.min(MAX_ETCD_WATCH_RETRY_MS, retryMs * 2);
      }
    }
  }

  /** One watch from its beginning to its end. Resolves when the next is to begin at once. */
  async #follow(): Promise<void> {
    const { client, keys, epochs, watchIdleMs = ETCD_WATCH_IDLE_MS } = this.#options;
    const { instance, seenAt } = await epochs.read();
    if (this.#stopped) return;
    const place = this.#position;
    const canGoOn = place?.instance === instance && place.revision <= seenAt;
    const position = canGoOn ? place : await this.#readAll(instance);
    if (this.#stopped) return;
    const { exchange, first } = await client.openWatch({
      ...keys.range(),
      start_revision: String(position.revision + 1),
      progress_notify: true,
    });
    this.#exchange = exchange;
    if (this.#stopped) return exchange.close();
    try {
      let line: WatchLine | undefined = first;
      while (line !== undefined && this.#take(line, position)) line = await this.#next(exchange, watchIdleMs);
    } catch (error) {
      // Nothing was said: perhaps there was nothing to say. The next round finds out whether etcd is there.
      if (!(error instanceof EtcdTimeoutError)) throw error;
    } finally {
      exchange.close();
    }
  }

  async #next(exchange: Exchange, idleMs: number): Promise<WatchLine> {
    try {
      const text = await exchange.nextLine(idleMs);
      if (this.#stopped || text === undefined) throw new Error("the watch has ended");
      return watchLine.parse(jsonOf(text)).result;
    } catch (error) {
      // What cannot be read would come again at the same place: everything is read anew, past it.
      if (error instanceof EtcdAnswerTooLargeError || error instanceof ZodError) this.#position = undefined;
      throw error;
    }
  }

  /** False when the watch has ended in a way that needs no pause. */
  #take(line: WatchLine, position: Position): boolean {
    const { client, keys, listeners } = this.#options;
    if (line.canceled) {
      this.#position = undefined;
      if (line.compact_revision > 0) return false;
      const refusal = refusalOf(0, line.cancel_reason, keys.prefix);
      if (refusal.isTokenWorthless) client.forgetToken();
      throw refusal;
    }
    this.#confirm();
    for (const { type, kv } of line.events) {
      if (kv.mod_revision <= position.revision) continue;
      const subject = keys.subjectOf(kv.key);
      const entry = type === "PUT" ? keys.entryOf(kv) : undefined;
      if (entry && this.#view?.put(entry)) listeners.tell(eventOf(entry));
      else {
        if (entry) keys.skip(kv.key, "is one of too many");
        const event = subject && this.#view?.remove(subject);
        if (event) listeners.tell(event);
      }
    }
    // Only events move it: several of one revision come in one line, and etcd has been seen to report progress early.
    position.revision = line.events.reduce(
      (max, { kv }) => Math.max(max, kv.mod_revision),
      position.revision,
    );
    return true;
  }

  async #readAll(instance: string): Promise<Position> {
    const { client, keys, clock, listeners } = this.#options;
    const view = new EtcdView();
    const revision = await readRange(client, keys.range(), (kv) => {
      const entry = keys.entryOf(kv);
      if (entry && !view.put(entry)) keys.skip(kv.key, "is one of too many");
    });
    const events = view.since(this.#view, clock.nowUs() / 1_000_000);
    this.#view = view;
    this.#position = { instance, revision };
    this.#confirm();
    for (const event of events) listeners.tell(event);
    return this.#position;
  }

  #confirm(): void {
    this.#confirmedUs = this.#options.clock.nowUs();
    if (this.#isTroubled) this.#options.log("etcd answers again");
    this.#isTroubled = false;
  }

  /** Says it once an outage. */
  #noteTrouble(error: unknown): void {
    if (this.#isTroubled) return;
    this.#isTroubled = true;
    const why = error instanceof Error ? error.message : String(error);
    this.#options.log(`etcd cannot be watched, going on with what is known of it: ${why}`);
  }

  #sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#pause = { timer: this.#options.clock.after(delayMs, resolve), end: resolve };
    });
  }
}
