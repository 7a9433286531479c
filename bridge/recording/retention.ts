/** How long recordings are kept: what is too old goes, and what is too much, oldest first. Running ones stay. */
import { type Clock, every, type Timer } from "../../core/clock.ts";
import type { Catalogue } from "./catalogue.ts";
import type { History } from "./history.ts";
import { RETENTION_PERIOD_MS } from "./limits.ts";
import type { RecordingLog } from "./part-file.ts";
import { type StoredRecord, storedBytes } from "./recording-record.ts";

const DAY_US = 86_400_000_000;

export interface RetentionOptions {
  catalogue: Catalogue;
  history: History;
  clock: Clock;
  log: RecordingLog;
  /** Days after its end that a recording is kept; undefined = for ever. */
  maxDays?: number | undefined;
  /** Bytes of all ended recordings together; undefined = no maximum. */
  maxBytes?: number | undefined;
}

export class Retention {
  readonly #options: RetentionOptions;
  readonly #deleted = { age: 0, size: 0, bytes: 0, failed: 0 };
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  /** Recordings deleted so far by reason, bytes of them, and deletions that failed. */
  get deleted(): {
    readonly age: number;
    readonly size: number;
    readonly bytes: number;
    readonly failed: number;
  } {
    return this.#deleted;
  }

  /** Looks now and from time to time. */
  start(): void {
    if (this.#timer !== undefined) return;
    void this.run();
    this.#timer = every(this.#options.clock, RETENTION_PERIOD_MS, () => void this.run());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Looks once, and deletes. Never rejects: what fails is logged and tried again the next time. */
  run(): Promise<void> {
    this.#running ??= this.#run()
      .catch((error: unknown) => {
        this.#options.log("error", "recordings could not be listed for retention", { error: String(error) });
      })
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }

  async #run(): Promise<void> {
    const { catalogue, clock, maxDays, maxBytes = Number.POSITIVE_INFINITY } = this.#options;
    if (maxDays === undefined && maxBytes === Number.POSITIVE_INFINITY) return;
    const oldestUs = maxDays === undefined ? Number.NEGATIVE_INFINITY : clock.nowUs() - maxDays * DAY_US;
    await catalogue.refresh();
    const ended = (await catalogue.records()).filter(({ info }) => info.state !== "recording").reverse();
    let total = ended.reduce((sum, { info }) => sum + storedBytes(info), 0);
    for (const record of ended) {
      const { endedAt, startedAt } = record.info;
      const isOld = Date.parse(endedAt ?? startedAt) * 1000 < oldestUs;
      if (!isOld && total <= maxBytes) continue;
      if (await this.#delete(record, isOld ? "age" : "size")) total -= storedBytes(record.info);
    }
  }

  async #delete({ info }: StoredRecord, reason: "age" | "size"): Promise<boolean> {
    const { history, log } = this.#options;
    try {
      await history.delete(info.id);
    } catch (error) {
      this.#deleted.failed += 1;
      log("error", "a recording could not be deleted", { recording: info.id, error: String(error) });
      return false;
    }
    this.#deleted[reason] += 1;
    const { room, endedAt } = info;
    const bytes = storedBytes(info);
    this.#deleted.bytes += bytes;
    log("info", "a recording was deleted by retention", { recording: info.id, reason, room, bytes, endedAt });
    return true;
  }
}
