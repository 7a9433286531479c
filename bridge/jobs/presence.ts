/** A bridge's presence in the directory: registered for as long as the bridge runs, again and again where it must be. */
import type { Clock, Random, Timer } from "../../core/clock.ts";
import type { BridgeDirectory, BridgeRegistration } from "../../core/directory/bridge-directory.ts";
import type { BridgeRecord } from "../../core/wire/bridge-jobs.ts";
import { MAX_REGISTER_RETRY_MS, RECORD_INTERVAL_MS, REGISTER_RETRY_MS } from "./limits.ts";
import { type JobLog, reasonOf } from "./running-job.ts";

export interface PresenceOptions {
  directory: BridgeDirectory;
  record: BridgeRecord;
  ttlMs: number;
  clock: Clock;
  random: Random;
  log: JobLog;
  onRegistered(): void;
  onLost(): void;
}

export class Presence {
  readonly #options: PresenceOptions;
  #record: BridgeRecord;
  #registration: BridgeRegistration | undefined;
  #retryMs = REGISTER_RETRY_MS;
  #retry: Timer | undefined;
  /** Runs while the record may not be written again. */
  #rest: Timer | undefined;
  #isChanged = false;
  #isOver = false;

  constructor(options: PresenceOptions) {
    this.#options = options;
    this.#record = options.record;
  }

  /** Undefined while the directory does not know this bridge. */
  get registration(): BridgeRegistration | undefined {
    return this.#registration;
  }

  get bridgeId(): string {
    return this.#record.id;
  }

  start(): void {
    void this.#register();
  }

  /** Tells the directory soon; the last one counts. */
  update(change: Partial<BridgeRecord>): void {
    const next = { ...this.#record, ...change };
    if (JSON.stringify(next) === JSON.stringify(this.#record)) return;
    this.#record = next;
    this.#isChanged = true;
    this.#write();
  }

  /** Takes the record and every claim back. */
  async end(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#retry?.cancel();
    this.#rest?.cancel();
    const registration = this.#registration;
    this.#registration = undefined;
    try {
      await registration?.end();
    } catch (error) {
      // The directory notices by itself when the lease runs out.
      this.#options.log("warn", "the directory did not hear that this bridge ends", {
        error: reasonOf(error),
      });
    }
  }

  async #register(): Promise<void> {
    const { directory, ttlMs, log, onRegistered } = this.#options;
    const record = this.#record;
    try {
      const registration = await directory.registerBridge(record, ttlMs);
      if (this.#isOver) return void (await registration.end());
      this.#retryMs = REGISTER_RETRY_MS;
      this.#isChanged = record !== this.#record;
      this.#registration = registration;
      void registration.lost.then(() => this.#lose(registration));
      onRegistered();
      this.#write();
    } catch (error) {
      if (this.#isOver) return;
      log("warn", "the bridge cannot be registered, trying again", { error: reasonOf(error) });
      const delayMs = this.#retryMs * (0.5 + this.#options.random());
      this.#retryMs = Math.min(MAX_REGISTER_RETRY_MS, this.#retryMs * 2);
      this.#retry = this.#options.clock.after(delayMs, () => void this.#register());
    }
  }

  #lose(registration: BridgeRegistration): void {
    if (this.#isOver || this.#registration !== registration) return;
    this.#registration = undefined;
    this.#options.log("warn", "the directory lost this bridge, registering it again");
    this.#options.onLost();
    void this.#register();
  }

  #write(): void {
    const registration = this.#registration;
    if (!registration || !this.#isChanged || this.#rest) return;
    this.#isChanged = false;
    this.#rest = this.#options.clock.after(RECORD_INTERVAL_MS, () => {
      this.#rest = undefined;
      this.#write();
    });
    registration.update(this.#record).catch(() => {
      // Written with the next; that the directory is away is told by those who need it.
      this.#isChanged = true;
    });
  }
}
