/** Everything that is on its way to S3: a few at a time, each tried again for ever, and what stands in the way of it for people to read. */
import type { Clock, Random } from "../../core/clock.ts";
import { FIRST_RETRY_MS, MAX_PARALLEL_UPLOADS, MAX_RETRY_MS } from "./limits.ts";
import { waitFor } from "./s3-client.ts";
import { hasStep, type S3Upload, type Spooled } from "./s3-upload.ts";
import { StorageError } from "./storage.ts";

export interface S3UploadsOptions {
  upload: S3Upload;
  clock: Clock;
  random: Random;
  /** S3 has all of it: the spool may forget it. */
  onDone(object: Spooled): Promise<void>;
  /** Uploads have begun to fail, or work again (undefined). */
  onProblem(error: StorageError | undefined): void;
}

interface Work {
  stop: AbortController;
  ended: Promise<void>;
}

export class S3Uploads {
  readonly #options: S3UploadsOptions;
  readonly #works = new Map<Spooled, Work>();
  readonly #failing = new Map<Spooled, StorageError>();
  #free = MAX_PARALLEL_UPLOADS;
  #turns: (() => void)[] = [];
  #closed = false;

  constructor(options: S3UploadsOptions) {
    this.#options = options;
  }

  /** Why uploads do not get on; undefined = they do. */
  get problem(): StorageError | undefined {
    return this.#failing.values().next().value;
  }

  /** There may be something to send. Resolves when there is no more, or it was stopped; never rejects. */
  push(object: Spooled): Promise<void> {
    const running = this.#works.get(object);
    if (running !== undefined) return running.ended;
    if (this.#closed || !hasStep(object)) return Promise.resolve();
    const stop = new AbortController();
    const ended = this.#run(object, stop.signal).finally(() => {
      this.#works.delete(object);
      this.#settle(object, undefined);
    });
    this.#works.set(object, { stop, ended });
    return ended;
  }

  /** Lets go of an object: when it resolves nothing of it is being sent. */
  async stop(object: Spooled): Promise<void> {
    const work = this.#works.get(object);
    work?.stop.abort(new Error("it is not to be sent any more"));
    await work?.ended;
  }

  /** Sends nothing any more; what is in the spool is for the next process. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#works.keys()].map((object) => this.stop(object)));
  }

  async #run(object: Spooled, signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted && hasStep(object)) {
      await this.#turn(signal);
      try {
        if (!signal.aborted && (await this.#step(object, signal))) return;
        failures = 0;
        this.#settle(object, undefined);
      } catch (cause) {
        failures += 1;
        this.#settle(
          object,
          cause instanceof StorageError ? cause : new StorageError(String(cause), true, { cause }),
        );
      } finally {
        this.#yieldTurn();
      }
      if (failures > 0) await this.#backOff(failures, signal);
    }
  }

  /** True: nothing is left to do. */
  async #step(object: Spooled, signal: AbortSignal): Promise<boolean> {
    const { upload, onDone } = this.#options;
    if ((await upload.step(object, signal)) !== "done") return false;
    await onDone(object);
    return true;
  }

  async #backOff(failures: number, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    const longest = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures, 20));
    await waitFor(clock, longest * (0.5 + random() / 2), signal);
  }

  /** Waits for one of MAX_PARALLEL_UPLOADS turns; one more is lent to what is stopped, which does nothing with it. */
  async #turn(signal: AbortSignal): Promise<void> {
    this.#free -= 1;
    if (this.#free >= 0 || signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.#turns.push(resolve);
      signal.addEventListener("abort", () => {
        this.#turns = this.#turns.filter((other) => other !== resolve);
        resolve();
      });
    });
  }

  #yieldTurn(): void {
    this.#free += 1;
    this.#turns.shift()?.();
  }

  #settle(object: Spooled, error: StorageError | undefined): void {
    const before = this.problem?.message;
    if (error === undefined) this.#failing.delete(object);
    else this.#failing.set(object, error);
    if (this.problem?.message !== before) this.#options.onProblem(this.problem);
  }
}
