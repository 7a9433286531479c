/** Storage in memory, for tests: forgets with the process, and fails when told to. */
import { type Appending, type Storage, StorageError, type StoredObject } from "../storage.ts";
import { checkKey, checkPrefix } from "../storage-key.ts";

export class MemoryStorage implements Storage {
  readonly objects = new Map<string, { bytes: Uint8Array; modifiedMs: number }>();
  readonly #growing = new Set<string>();
  readonly #nowMs: () => number;
  /** Called before each change; what it throws is what the caller gets. */
  fault: (doing: "put" | "append" | "finish" | "delete", key: string) => void | Promise<void> = () =>
    undefined;

  constructor(nowMs: () => number = () => 0) {
    this.#nowMs = nowMs;
  }

  async put(key: string, bytes: Uint8Array, _contentType: string): Promise<void> {
    checkKey(key);
    await this.fault("put", key);
    this.#set(key, bytes.slice());
  }

  async append(key: string, _contentType: string): Promise<Appending> {
    checkKey(key);
    if (this.#growing.has(key)) throw new StorageError(`${key} is being written already.`, false);
    await this.fault("append", key);
    this.#growing.add(key);
    if (!this.objects.has(key)) this.#set(key, new Uint8Array());
    const bytesNow = (): Uint8Array => this.objects.get(key)?.bytes ?? new Uint8Array();
    const checkOpen = (): void => {
      if (!this.#growing.has(key)) throw new StorageError(`${key} is finished or deleted.`, false);
    };
    return {
      get safeBytes() {
        return bytesNow().length;
      },
      append: async (bytes) => {
        checkOpen();
        await this.fault("append", key);
        const before = bytesNow();
        const all = new Uint8Array(before.length + bytes.length);
        all.set(before);
        all.set(bytes, before.length);
        this.#set(key, all);
      },
      cut: async (bytes) => {
        checkOpen();
        if (bytes < 0 || bytes > bytesNow().length) throw new StorageError(`${key} has fewer bytes.`, false);
        this.#set(key, bytesNow().slice(0, bytes));
      },
      finish: async () => {
        checkOpen();
        await this.fault("finish", key);
        this.#growing.delete(key);
      },
    };
  }

  /** As after a crash: nobody writes anything any more. */
  crash(): void {
    this.#growing.clear();
  }

  async read(key: string, range?: { offset: number; length: number }) {
    checkKey(key);
    const found = this.objects.get(key)?.bytes;
    if (found === undefined) return undefined;
    const from = range?.offset ?? 0;
    const wanted = found.slice(from, from + (range?.length ?? found.length));
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        if (wanted.length > 0) controller.enqueue(wanted);
        controller.close();
      },
    });
    return { body, bytes: found.length };
  }

  async *list(prefix: string): AsyncIterable<StoredObject> {
    checkPrefix(prefix);
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix)).sort();
    for (const key of keys) {
      const found = this.objects.get(key);
      if (found) yield { key, bytes: found.bytes.length, modifiedMs: found.modifiedMs };
    }
  }

  async delete(key: string): Promise<void> {
    checkKey(key);
    await this.fault("delete", key);
    this.#growing.delete(key);
    this.objects.delete(key);
  }

  #set(key: string, bytes: Uint8Array): void {
    this.objects.set(key, { bytes, modifiedMs: this.#nowMs() });
  }
}
