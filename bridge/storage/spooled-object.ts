/**
 * One object on its way to S3. Its bytes lie whole in the spool, a storage on local disk, until S3 has it; so a crash, and S3 being down, lose
 * nothing. Where it grows, parts go out as soon as they are full.
 */
import { z } from "zod";
import { MAX_FAILED_COMPLETIONS, MAX_UPLOAD_PARTS } from "./limits.ts";
import { type S3Client, S3Error } from "./s3-client.ts";
import { abortUpload, beginUpload, completeUpload, sendPart, UPLOAD_MARK } from "./s3-multipart.ts";
import { type Appending, type Storage, StorageError } from "./storage.ts";

const stateSchema = z.object({
  contentType: z.string().max(200),
  /** It does not grow any more. */
  finished: z.boolean(),
  uploadId: z.string().max(2_000).nullable(),
  /** What the object of this upload is marked with, so that it is known when the answer to its completion was lost. */
  mark: z.string().max(64),
  /** Of the parts that S3 has taken, in order. */
  etags: z.array(z.string().max(500)).max(MAX_UPLOAD_PARTS),
});
type SpoolState = z.infer<typeof stateSchema>;

export const DATA = "data/";
const STATE = "state/";

export interface SpooledObjectOptions {
  key: string;
  spool: Storage;
  client: S3Client;
  partBytes: number;
  /** Runs a request when it is its turn. */
  turn<T>(task: () => Promise<T>): Promise<T>;
  onProblem(error: StorageError | undefined): void;
  /** S3 has it, and the spool has not any more. */
  onGone(): void;
}

export class SpooledObject {
  readonly #options: SpooledObjectOptions;
  #state: SpoolState = {
    contentType: "application/octet-stream",
    finished: true,
    uploadId: null,
    mark: "",
    etags: [],
  };
  #growing: Appending | undefined;
  #bytes = 0;
  /** Counts what changes the object but at its end: what was sent of it before is worth nothing then. */
  #generation = 0;
  #failedCompletions = 0;
  #pumping: Promise<void> | undefined;
  #stopped = false;
  /** It is not in the spool any more, or about to leave it. */
  #gone = false;
  #waiting: (() => void)[] = [];
  #lock: Promise<unknown> = Promise.resolve();

  constructor(options: SpooledObjectOptions) {
    this.#options = options;
  }

  get bytes(): number {
    return this.#growing?.safeBytes ?? this.#bytes;
  }

  /** Somebody appends to it. */
  get isOpen(): boolean {
    return this.#growing !== undefined;
  }

  get contentType(): string {
    return this.#state.contentType;
  }

  get isFinished(): boolean {
    return this.#state.finished;
  }

  /** Reads what a process before has left. Bytes without a state are of a `put`. Rejects where the state is not ours. */
  async load(bytes: number): Promise<void> {
    const { key, spool } = this.#options;
    const found = await spool.read(STATE + key);
    this.#bytes = bytes;
    if (found !== undefined)
      this.#state = stateSchema.parse(JSON.parse(await new Response(found.body).text()));
  }

  /** Takes the place of what was there. Resolves when it is safe. False: this object has left the spool; make another one. */
  put(bytes: Uint8Array, contentType: string): Promise<boolean> {
    return this.#alone(async () => {
      if (this.#gone) return false;
      const { key, spool } = this.#options;
      this.#generation += 1;
      const old = this.#state.uploadId;
      await this.#save({ contentType, finished: true, uploadId: null, mark: "", etags: [] });
      await spool.put(DATA + key, bytes, contentType);
      this.#bytes = bytes.length;
      if (old !== null) await this.#giveUp(old);
      return true;
    });
  }

  /**
   * Opens it for appending. `fetchOld` writes what S3 has of it already, where the spool has nothing.
   * False: this object has left the spool; make another one.
   */
  open(
    contentType: string,
    fetchOld: ((into: Appending) => Promise<void>) | undefined,
  ): Promise<Appending | false> {
    return this.#alone(async () => {
      if (this.#gone) return false;
      const { key, spool, partBytes } = this.#options;
      this.#generation += 1;
      // A last part that was shorter than others is to become a full one.
      const etags = this.#state.etags.slice(0, Math.floor(this.bytes / partBytes));
      await this.#save({ ...this.#state, contentType, finished: false, etags });
      const growing = await spool.append(DATA + key, contentType);
      this.#growing = growing;
      await fetchOld?.(growing);
      return growing;
    });
  }

  /** Forgets parts that reach beyond `bytes`. */
  cut(bytes: number): Promise<void> {
    return this.#alone(async () => {
      await this.#growing?.cut(bytes);
      this.#generation += 1;
      const whole = Math.floor(bytes / this.#options.partBytes);
      await this.#save({ ...this.#state, etags: this.#state.etags.slice(0, whole) });
    });
  }

  /** The bytes are complete: from now on it is sent until S3 has it. */
  finish(): Promise<void> {
    return this.#alone(async () => {
      await this.#growing?.finish();
      this.#bytes = this.bytes;
      this.#growing = undefined;
      await this.#save({ ...this.#state, finished: true });
    });
  }

  /** Sends what can be sent. */
  pump(): void {
    if (this.#stopped) return;
    this.#pumping ??= this.#pump().finally(() => {
      this.#pumping = undefined;
      this.#wake();
    });
  }

  /** Resolves when S3 has it, or refuses it for good as things are, or `stop` was called. */
  settled(): Promise<void> {
    if (this.#pumping === undefined) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Sends no more; the spool stays. */
  stop(): void {
    this.#stopped = true;
    this.#wake();
  }

  /** Removes it from the spool, and gives up its upload. */
  async remove(): Promise<void> {
    this.stop();
    await this.#alone(async () => {
      if (this.#state.uploadId !== null) await this.#giveUp(this.#state.uploadId);
      await this.#clear();
    });
  }

  async #pump(): Promise<void> {
    const { client, onProblem } = this.#options;
    for (let failed = 0; !this.#stopped; ) {
      try {
        const went = await this.#step();
        if (failed > 0) onProblem(undefined);
        failed = 0;
        if (!went) return;
      } catch (error) {
        const problem =
          error instanceof StorageError ? error : new StorageError(String(error), true, { cause: error });
        onProblem(problem);
        // Whoever waits need not: the bytes are safe here, and trying goes on.
        if (!problem.temporary || failed > 0) this.#wake();
        await client.wait(failed, error);
        failed += 1;
      }
    }
  }

  /** Sends one thing. False: there is nothing to send. */
  async #step(): Promise<boolean> {
    const { key, client, partBytes, turn } = this.#options;
    const { finished, uploadId, etags } = this.#state;
    const generation = this.#generation;
    if (finished && uploadId === null && this.bytes <= partBytes) {
      const body = await this.#read(0, this.bytes);
      const headers = { "content-type": this.#state.contentType };
      const response = await turn(() => client.request({ method: "PUT", key, body, headers }, 1));
      await response.body?.cancel();
      return !(await this.#leave(generation));
    }
    const from = etags.length * partBytes;
    const isFull = this.bytes - from >= partBytes;
    if (isFull || (finished && this.bytes > from)) {
      const id = uploadId ?? (await this.#begin(generation));
      if (id === undefined) return true;
      const body = await this.#read(from, Math.min(partBytes, this.bytes - from));
      const etag = await turn(() => this.#guarded(() => sendPart(client, key, id, etags.length + 1, body)));
      await this.#alone(async () => {
        if (generation === this.#generation && !this.#stopped)
          await this.#save({ ...this.#state, etags: [...this.#state.etags, etag] });
      });
      return true;
    }
    if (!finished || uploadId === null) return false;
    await turn(() => this.#guarded(() => this.#complete(uploadId)));
    return !(await this.#leave(generation));
  }

  /** The object is there, whole, by whichever try. */
  async #complete(uploadId: string): Promise<void> {
    const { key, client } = this.#options;
    try {
      await completeUpload(client, key, uploadId, this.#state.etags);
      if (await this.#isThere()) return;
    } catch (error) {
      if (await this.#isThere()) return;
      this.#failedCompletions += 1;
      if (this.#failedCompletions < MAX_FAILED_COMPLETIONS) throw error;
    }
    this.#failedCompletions = 0;
    throw new S3Error(`The storage could not put ${key} together.`, 400, "IncompleteObject", undefined);
  }

  #begin(generation: number): Promise<string | undefined> {
    return this.#alone(async () => {
      if (generation !== this.#generation) return undefined;
      const { key, client } = this.#options;
      const mark = crypto.randomUUID();
      const uploadId = await beginUpload(client, key, this.#state.contentType, mark);
      await this.#save({ ...this.#state, uploadId, mark, etags: [] });
      return uploadId;
    });
  }

  /** Where S3 does not know the upload or a part of it any more, it is begun anew: the spool has all bytes. */
  async #guarded<T>(task: () => Promise<T>): Promise<T> {
    try {
      return await task();
    } catch (error) {
      const isLost =
        error instanceof S3Error &&
        (error.status === 404 || (error.status === 400 && error.code !== "RequestTimeout"));
      if (isLost) await this.#restart();
      throw isLost
        ? new StorageError(`An upload has to begin anew. ${error.message}`, true, { cause: error })
        : error;
    }
  }

  async #isThere(): Promise<boolean> {
    const { key, client } = this.#options;
    const response = await client.request({ method: "HEAD", key });
    const length = Number(response.headers.get("content-length"));
    return response.ok && length === this.bytes && response.headers.get(UPLOAD_MARK) === this.#state.mark;
  }

  #restart(): Promise<void> {
    return this.#alone(async () => {
      const old = this.#state.uploadId;
      await this.#save({ ...this.#state, uploadId: null, mark: "", etags: [] });
      if (old !== null) await this.#giveUp(old);
    });
  }

  /** S3 has all: the spool may forget it, unless it was changed meanwhile. */
  #leave(generation: number): Promise<boolean> {
    return this.#alone(async () => {
      if (generation !== this.#generation || this.#stopped) return this.#stopped;
      await this.#clear();
      return true;
    });
  }

  async #clear(): Promise<void> {
    const { key, spool, onGone } = this.#options;
    this.#stopped = true;
    this.#gone = true;
    this.#growing = undefined;
    // The bytes first: a state alone means nothing.
    await spool.delete(DATA + key);
    await spool.delete(STATE + key);
    onGone();
  }

  async #giveUp(uploadId: string): Promise<void> {
    const { client, key, onProblem } = this.#options;
    try {
      await abortUpload(client, key, uploadId);
    } catch (error) {
      // It is found again by the search for orphans.
      onProblem(error instanceof StorageError ? error : undefined);
    }
  }

  async #save(state: SpoolState): Promise<void> {
    const { key, spool } = this.#options;
    await spool.put(STATE + key, new TextEncoder().encode(JSON.stringify(state)), "application/json");
    this.#state = state;
  }

  async #read(offset: number, length: number): Promise<Uint8Array> {
    const { key, spool } = this.#options;
    const found = await spool.read(DATA + key, { offset, length });
    const bytes = found && new Uint8Array(await new Response(found.body).arrayBuffer());
    if (bytes?.length !== length) throw new StorageError(`The spool has lost bytes of ${key}.`, true);
    return bytes;
  }

  #alone<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#lock.then(task);
    this.#lock = result.catch(() => undefined);
    return result;
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
