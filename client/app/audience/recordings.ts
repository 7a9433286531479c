/** Recordings as the gateway's API gives them (GET and DELETE /v1/recordings), and how pages speak of them. */
import { z } from "zod";
import { type RecordingInfo, recordingInfoSchema } from "../../../core/wire/bridge-jobs.ts";
import { askGateway } from "../gateway-request.ts";

const pageSchema = z.object({
  /** Newest first. */
  recordings: z.array(recordingInfoSchema),
  /** There are older ones: ask for those `before` this. */
  next: z.string().optional(),
  /** Bridges that did not answer: what only they have is missing. */
  unreachable: z.array(z.string()).default([]),
});
export type RecordingsPage = z.infer<typeof pageSchema>;

/** Recordings of one room, or of all where `room` is empty; `before` is empty for the newest. Rejects with GatewayRefusal. */
export function listRecordings(
  { room, before }: { room: string; before: string },
  token: string,
  signal: AbortSignal,
): Promise<RecordingsPage> {
  const query = new URLSearchParams();
  if (room !== "") query.set("room", room);
  if (before !== "") query.set("before", before);
  const path = query.size === 0 ? "/v1/recordings" : `/v1/recordings?${query}`;
  return askGateway(pageSchema, { path, token, signal });
}

/** One of them. Rejects with GatewayRefusal. */
export function getRecording(id: string, token: string, signal: AbortSignal): Promise<RecordingInfo> {
  return askGateway(recordingInfoSchema, { path: `/v1/recordings/${encodeURIComponent(id)}`, token, signal });
}

/** Rejects with GatewayRefusal. */
export async function deleteRecording(id: string, token: string): Promise<void> {
  await askGateway(z.unknown(), {
    path: `/v1/recordings/${encodeURIComponent(id)}`,
    method: "DELETE",
    token,
  });
}

/** Address of a recording's media; empty where the path is none that a page should open. */
export function mediaUrl(path: string | null, origin: string): string {
  if (path === null || path === "" || !URL.canParse(path, origin)) return "";
  const url = new URL(path, origin);
  return url.protocol === "https:" || url.protocol === "http:" ? url.href : "";
}

/** "Sat, 28 Nov 2026, 14:05", in the reader's own language and time zone. */
export function dateText(iso: string, locale?: string, timeZone?: string): string {
  return new Intl.DateTimeFormat(locale, {
    weekday: "short",
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    ...(timeZone === undefined ? {} : { timeZone }),
  }).format(new Date(iso));
}

/** "Ada, Grace and 3 others"; whole up to four. */
export function peopleText(participants: readonly { name: string }[]): string {
  const names = participants.map(({ name }) => name);
  if (names.length === 0) return "Nobody was heard or seen";
  if (names.length > 4) return `${names.slice(0, 3).join(", ")} and ${names.length - 3} others`;
  return names.length === 1 ? (names[0] ?? "") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

/** "3 files of single people". */
export function filesText(count: number): string {
  return count === 1 ? "1 file of a person" : `${count} files of single people`;
}

/** What there is to say of a recording's state; empty for one that is simply there. */
export function stateText(state: RecordingInfo["state"]): string {
  if (state === "recording") return "Recording now";
  return state === "interrupted" ? "Interrupted" : "";
}
