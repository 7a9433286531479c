/**
 * Objects on their way to S3, kept whole in a storage of this machine until S3 has them: what they hold, and a note each that says how far
 * they are, so that another process goes on after a crash.
 */
import { z } from "zod";
import type { Storage } from "./storage.ts";

const noteSchema = z.object({
  contentType: z.string().max(256),
  /** Being appended to, or to be sent as it is. */
  stage: z.enum(["growing", "whole"]),
  /** The multipart upload that takes it. */
  uploadId: z.string().max(2048).optional(),
  /** That upload may be complete: S3 was asked to. */
  completing: z.boolean().default(false),
});
export type SpoolNote = z.infer<typeof noteSchema>;

/** Of bytes whose note cannot be read: nothing is thrown away for that. */
const UNREADABLE: SpoolNote = {
  contentType: "application/octet-stream",
  stage: "growing",
  completing: false,
};

const NOTES = "note/";
const BYTES = "bytes/";

export class Spool {
  readonly #storage: Storage;

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  /** What an earlier process has left. Bytes without a note were never promised to anybody; they are removed, like notes without bytes. */
  async load(): Promise<{ key: string; note: SpoolNote; bytes: number; modifiedMs: number }[]> {
    const found = new Map<string, { bytes: number; modifiedMs: number }>();
    for await (const { key, bytes, modifiedMs } of this.#storage.list(BYTES)) {
      found.set(key.slice(BYTES.length), { bytes, modifiedMs });
    }
    const noted: string[] = [];
    for await (const { key } of this.#storage.list(NOTES)) noted.push(key.slice(NOTES.length));
    const loaded = [];
    for (const key of noted) {
      const object = found.get(key);
      if (object === undefined) await this.#storage.delete(NOTES + key);
      else loaded.push({ key, note: await this.#note(key), ...object });
    }
    const known = new Set(noted);
    for (const key of found.keys()) if (!known.has(key)) await this.#storage.delete(BYTES + key);
    return loaded;
  }

  /** In place of what was there. Bytes first: half of it is nothing. */
  put(key: string, bytes: Uint8Array, contentType: string): Promise<void> {
    return this.#storage.put(BYTES + key, bytes, contentType);
  }

  append(key: string, contentType: string) {
    return this.#storage.append(BYTES + key, contentType);
  }

  read(key: string, range?: { offset: number; length: number }) {
    return this.#storage.read(BYTES + key, range);
  }

  /** Bytes `offset` to `offset + length`, in memory. Undefined: it is gone, or shorter. */
  async slice(key: string, offset: number, length: number): Promise<Uint8Array | undefined> {
    const found = await this.read(key, { offset, length });
    if (found === undefined) return undefined;
    const bytes = new Uint8Array(await new Response(found.body).arrayBuffer());
    return bytes.length === length ? bytes : undefined;
  }

  note(key: string, note: SpoolNote): Promise<void> {
    const json = new TextEncoder().encode(JSON.stringify(note));
    return this.#storage.put(NOTES + key, json, "application/json");
  }

  async remove(key: string): Promise<void> {
    await this.#storage.delete(NOTES + key);
    await this.#storage.delete(BYTES + key);
  }

  async #note(key: string): Promise<SpoolNote> {
    const found = await this.#storage.read(NOTES + key);
    try {
      return noteSchema.parse(JSON.parse(await new Response(found?.body).text()));
    } catch {
      // A disk has lost it.
      return UNREADABLE;
    }
  }
}
