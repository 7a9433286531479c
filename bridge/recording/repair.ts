/** Finds out what a recording's file holds after a crash: from the saved index, and by walking through what was written since. */
import { type Storage, StorageError } from "../storage/storage.ts";
import { MAX_INDEX_BYTES } from "./limits.ts";
import { scanMedia } from "./media-scan.ts";
import { RecordingIndex } from "./recording-index.ts";
import { type MediaKeys, readText } from "./recording-record.ts";

export interface Repaired {
  index: RecordingIndex;
  lastInit: Uint8Array | undefined;
}

/** What of the file is whole: `index.bytes` bytes; the rest is to be cut off. Rejects with StorageError. */
export async function repair(storage: Storage, keys: MediaKeys): Promise<Repaired> {
  const { media } = keys;
  // Where it cannot be had now, the media says the same.
  const saved = await savedIndex(storage, keys).catch((error: unknown) => {
    if (error instanceof StorageError && error.temporary) return undefined;
    throw error;
  });
  const size = (await storage.read(media, { offset: 0, length: 0 }))?.bytes ?? 0;
  // An index beyond the media is of bytes that were lost with a disk.
  const index = saved !== undefined && saved.bytes <= size ? saved : new RecordingIndex();
  const rest = await storage.read(media, { offset: index.bytes, length: size - index.bytes });
  const seen = rest && (await scanMedia(rest.body, index));
  return { index, lastInit: seen ?? (await initOf(storage, media, index)) };
}

/** The index as it was saved last. */
export async function savedIndex(
  storage: Storage,
  { index }: MediaKeys,
): Promise<RecordingIndex | undefined> {
  const text = await readText(storage, index, MAX_INDEX_BYTES);
  return text === undefined ? undefined : RecordingIndex.fromJson(text);
}

async function initOf(storage: Storage, key: string, index: RecordingIndex): Promise<Uint8Array | undefined> {
  const init = index.inits.at(-1);
  const found = init && (await storage.read(key, init));
  return found && new Uint8Array(await new Response(found.body).arrayBuffer());
}
