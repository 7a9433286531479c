/** Files of single participants: what is told of each, and the end of those that a crash has left. */
import type { Storage } from "../storage/storage.ts";
import type { RecordingIndex } from "./recording-index.ts";
import { fileKeysOf, type ParticipantFileInfo, type StoredRecord } from "./recording-record.ts";
import { repair } from "./repair.ts";

type Entry = StoredRecord["openFiles"][number];

/** Undefined while there is nothing in it. */
export function fileInfoOf(
  recording: string,
  { file, identity, name }: Entry,
  index: RecordingIndex,
  mix: RecordingIndex,
): ParticipantFileInfo | undefined {
  const [first] = index.segments;
  if (first === undefined) return undefined;
  return {
    file,
    identity,
    name,
    startMs: Math.max(0, Math.round(mix.positionUs(first.startUs) / 1000)),
    durationMs: Math.round((index.fileUs - first.fileUs) / 1000),
    bytes: index.bytes,
    hasPicture: index.hasPicture,
    downloadPath: fileKeysOf(recording, file).media,
  };
}

/** Cuts off what is torn, and makes it a whole object. Undefined: nothing of it is there, and now not even that. Rejects with StorageError. */
export async function endLeftFile(
  storage: Storage,
  recording: string,
  entry: Entry,
  mix: RecordingIndex,
): Promise<ParticipantFileInfo | undefined> {
  const keys = fileKeysOf(recording, entry.file);
  const growing = await storage.append(keys.media, "video/mp4");
  let index: RecordingIndex;
  try {
    index = (await repair(storage, keys)).index;
    if (growing.safeBytes > index.bytes) await growing.cut(index.bytes);
  } finally {
    // Also where it could not be repaired: it is not held then, and may be tried again.
    await growing.finish();
  }
  const info = fileInfoOf(recording, entry, index, mix);
  if (info === undefined) for (const key of [keys.media, keys.index]) await storage.delete(key);
  else await storage.put(keys.index, new TextEncoder().encode(index.toJson()), "application/json");
  return info;
}

/** Ends all that were left of a recording. Its files now, in order. Rejects with StorageError. */
export async function endLeftFiles(
  storage: Storage,
  { info, openFiles }: StoredRecord,
  mix: RecordingIndex,
): Promise<ParticipantFileInfo[]> {
  const files = byName(info.files);
  for (const entry of openFiles) {
    const ended = await endLeftFile(storage, info.id, entry, mix);
    if (ended === undefined) files.delete(entry.file);
    else files.set(entry.file, ended);
  }
  return inOrder([...files.values()]);
}

export function byName(files: readonly ParticipantFileInfo[]): Map<string, ParticipantFileInfo> {
  return new Map(files.map((file) => [file.file, file]));
}

/** As they began. */
export function inOrder(files: readonly ParticipantFileInfo[]): ParticipantFileInfo[] {
  return files.toSorted((a, b) => Number.parseInt(a.file, 10) - Number.parseInt(b.file, 10));
}
