/** What is kept of a recording beside its media, and under which keys. */
import { z } from "zod";
import type { Clock } from "../../core/clock.ts";
import { type RecordingInfo, recordingInfoSchema } from "../../core/wire/bridge-jobs.ts";
import type { Storage } from "../storage/storage.ts";
import { MAX_PARTICIPANT_FILES, MAX_RECORD_BYTES, MAX_RECORDED_PARTICIPANTS } from "./limits.ts";
import type { RecordingIndex } from "./recording-index.ts";

/** Records lie by themselves, so that a list of them lists nothing else. */
export const RECORD_PREFIX = "records/";

const storedRecordSchema = z.object({
  info: recordingInfoSchema,
  /** The output that it is of: whoever has that goes on with it. */
  jobId: z.string().min(1).max(128),
  /** The bridge that wrote it last. */
  bridgeId: z.string().min(1).max(128),
  /** Files of participants that are being written, or were when their bridge died. */
  openFiles: z
    .array(recordingInfoSchema.shape.files.unwrap().element.pick({ file: true, identity: true, name: true }))
    .max(MAX_PARTICIPANT_FILES)
    .default([]),
  /** What was lost while it was written, in parts by reason. */
  lost: z.record(z.string(), z.number().int().min(0)).default({}),
  /** Up to this capture time, microseconds since the Unix epoch, everybody has been able to see it live; null = it was never shown. */
  shownUntilUs: z.number().int().min(0).nullable().default(null),
});
export type StoredRecord = z.infer<typeof storedRecordSchema>;
export type ParticipantFileInfo = RecordingInfo["files"][number];

/** Where a file of parts is, and its index. */
export interface MediaKeys {
  media: string;
  index: string;
}

const ID = /^[0-9a-f]{32}$/;

/** 128 random bits: whoever has the id may watch. */
export function newRecordingId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function isRecordingId(text: string): boolean {
  return ID.test(text);
}

/** All that belongs to a recording, its record aside, lies below this. */
export function folderOf(id: string): string {
  return `recordings/${id}/`;
}

export function keysOf(id: string): MediaKeys & { record: string; poster: string } {
  const folder = folderOf(id);
  return {
    record: `${RECORD_PREFIX}${id}.json`,
    media: `${folder}media.mp4`,
    index: `${folder}index.json`,
    poster: `${folder}poster.jpg`,
  };
}

/** Of a participant's file: 1.mp4 */
export function fileKeysOf(id: string, file: string): MediaKeys {
  const media = `${folderOf(id)}participants/${file}`;
  return { media, index: media.replace(/\.mp4$/, ".json") };
}

/** Bytes that it takes: its mix and the files of participants. */
export function storedBytes({ bytes, files }: RecordingInfo): number {
  return files.reduce((sum, file) => sum + file.bytes, bytes);
}

export function newRecord(
  id: string,
  job: { jobId: string; bridgeId: string; room: string },
  clock: Clock,
): StoredRecord {
  return {
    jobId: job.jobId,
    bridgeId: job.bridgeId,
    lost: {},
    shownUntilUs: null,
    openFiles: [],
    info: {
      id,
      room: job.room,
      state: "recording",
      startedAt: new Date(clock.nowUs() / 1000).toISOString(),
      endedAt: null,
      durationMs: 0,
      bytes: 0,
      participants: [],
      hasPicture: false,
      playlistPath: `recordings/${id}/index.m3u8`,
      downloadPath: `recordings/${id}/download`,
      posterPath: null,
      files: [],
    },
  };
}

/** What the index says, as the record says it. */
export function figuresOf(index: RecordingIndex): Pick<RecordingInfo, "durationMs" | "bytes" | "hasPicture"> {
  return {
    durationMs: Math.round(index.durationUs / 1000),
    bytes: index.bytes,
    hasPicture: index.hasPicture,
  };
}

/** Those of before, and whoever is new, each once. */
export function withParticipants(
  before: RecordingInfo["participants"],
  now: RecordingInfo["participants"],
): RecordingInfo["participants"] {
  const all = new Map(before.map((participant) => [participant.identity, participant]));
  for (const { identity, name } of now) {
    if (all.size < MAX_RECORDED_PARTICIPANTS || all.has(identity)) all.set(identity, { identity, name });
  }
  return [...all.values()];
}

export async function saveRecord(storage: Storage, record: StoredRecord): Promise<void> {
  const bytes = new TextEncoder().encode(JSON.stringify(record));
  await storage.put(keysOf(record.info.id).record, bytes, "application/json");
}

/** Undefined: there is none, or it is not one of ours. */
export async function loadRecord(storage: Storage, id: string): Promise<StoredRecord | undefined> {
  const text = await readText(storage, keysOf(id).record, MAX_RECORD_BYTES);
  if (text === undefined) return undefined;
  try {
    const record = storedRecordSchema.parse(JSON.parse(text));
    return record.info.id === id ? record : undefined;
  } catch {
    // Whoever lists says how many were unreadable.
    return undefined;
  }
}

/** Undefined: there is no such object, or it is longer than `maxBytes`. */
export async function readText(storage: Storage, key: string, maxBytes: number): Promise<string | undefined> {
  const found = await storage.read(key, { offset: 0, length: maxBytes });
  if (found === undefined) return undefined;
  if (found.bytes > maxBytes) {
    await found.body.cancel();
    return undefined;
  }
  return await new Response(found.body).text();
}
