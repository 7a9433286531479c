/**
 * Keeps a view of a range of keys up to date over one watch, for all listeners of a directory. After whatever ends the watch it
 * goes on from the revision where it was; where that is impossible (etcd has forgotten that far back, or is not the
 * etcd that it was) it reads everything again and tells what differs.
 */
import { ZodError } from "zod";
import type { Clock, Random, Timer } from "../../clock.ts";
import { ETCD_WATCH_IDLE_MS, ETCD_WATCH_RETRY_MS, MAX_ETCD_WATCH_RETRY_MS } from "../limits.ts";
import type { DirectoryListeners } from "../listeners.ts";
import { type KeyValue, type WatchLine, watchLine } from "./answers.ts";
import type { Epochs } from "./epochs.ts";
import type { EtcdClient } from "./etcd-client.ts";
import { EtcdAnswerTooLargeError, EtcdTimeoutError, type Exchange } from "./exchange.ts";
import { jsonOf, refusalOf } from "./failures.ts";
import { readRange } from "./transaction.ts";

/** What is known of a range of keys, as one picture: changes become events, a fresh picture tells what differs. */
export interface KeptView<Event> {
  /** Takes what a key holds now; undefined when there is nothing to tell. What is none of ours is as good as absent. */
  write(kv: KeyValue): Event | undefined;
  /** Takes that a key is gone. */
  erase(key: string): Event | undefined;
  /**
   * What has changed since `older` (all there is, where that is undefined): first what is gone, then what is new or other.
   * `forgotten`: etcd lost its memory in between.
   */
  since(older: this | undefined, nowSeconds: number, forgotten: boolean): Event[];
}

export interface ViewKeeperOptions<View, Event> {
  client: EtcdClient;
  /** Its keys begin with it; for advice. */
  prefix: string;
  range: { key: string; range_end: string };
  newView(): View;
  epochs: Epochs;
  clock: Clock;
  random: Random;
  listeners: DirectoryListeners<Event>;
  log(line: string): void;
  /** Default: ETCD_WATCH_IDLE_MS. */
  watchIdleMs?: number | undefined;
}

/** Where in etcd's history the view is. */
interface Position {
  instance: string;
  revision: number;
}

export class ViewKeeper<View extends KeptView<Event>, Event> {
  readonly #options: ViewKeeperOptions<View, Event>;
  #view: View | undefined;
  #position: Position | undefined;
  /** Of the etcd that the view was read from. */
  #instance: string | undefined;
  #confirmedUs = Number.NEGATIVE_INFINITY;
  #exchange: Exchange | undefined;
  #pause: { timer: Timer; end: () => void } | undefined;
  #started = false;
  #stopped = false;
  #isTroubled = false;

  constructor(options: ViewKeeperOptions<View, Event>) {
    this.#options = options;
  }

  /** Undefined until everything was read once. */
  get view(): View | undefined {
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
    const { client, range, epochs, watchIdleMs = ETCD_WATCH_IDLE_MS } = this.#options;
    const { instance, seenAt } = await epochs.read();
    if (this.#stopped) return;
    const place = this.#position;
    const canGoOn = place?.instance === instance && place.revision <= seenAt;
    // Another etcd than before, or the same one set back to an older state.
    const forgotten =
      (this.#instance ?? instance) !== instance || (place !== undefined && place.revision > seenAt);
    const position = canGoOn ? place : await this.#readAll(instance, forgotten);
    if (this.#stopped) return;
    const { exchange, first } = await client.openWatch({
      ...range,
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
    const { client, prefix, listeners } = this.#options;
    if (line.canceled) {
      this.#position = undefined;
      if (line.compact_revision > 0) return false;
      const refusal = refusalOf(0, line.cancel_reason, prefix);
      if (refusal.isTokenWorthless) client.forgetToken();
      throw refusal;
    }
    this.#confirm();
    for (const { type, kv } of line.events) {
      if (kv.mod_revision <= position.revision) continue;
      const event = type === "PUT" ? this.#view?.write(kv) : this.#view?.erase(kv.key);
      if (event) listeners.tell(event);
    }
    // Only events move it: several of one revision come in one line, and etcd has been seen to report progress early.
    position.revision = line.events.reduce(
      (max, { kv }) => Math.max(max, kv.mod_revision),
      position.revision,
    );
    return true;
  }

  async #readAll(instance: string, forgotten: boolean): Promise<Position> {
    const { client, range, newView, clock, listeners } = this.#options;
    const view = newView();
    const revision = await readRange(client, range, (kv) => void view.write(kv));
    const events = view.since(this.#view, clock.nowUs() / 1_000_000, forgotten);
    this.#view = view;
    this.#instance = instance;
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
