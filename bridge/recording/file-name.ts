/** What a downloaded recording is called: room and beginning, in a Content-Disposition header (RFC 6266). */
import type { RecordingInfo } from "../../core/wire/bridge-jobs.ts";
import { MAX_FILE_NAME_CHARS } from "./limits.ts";

/** For instance `attachment; filename="standup 2026-11-28 09-30.mp4"`, and once more as UTF-8 where the room's name is not ASCII. */
export function contentDisposition({ room, startedAt }: RecordingInfo, suffix = ""): string {
  const moment = new Date(startedAt).toISOString().slice(0, 16).replace("T", " ").replace(":", "-");
  const name = [...room].slice(0, MAX_FILE_NAME_CHARS).join("");
  // No characters of a file name on one of three systems.
  const full = `${name} ${moment}${suffix}.mp4`.replace(/[:/\\*?"<>|\p{Cc}]/gu, "-");
  const plain = full.replace(/[^\w .~@-]/g, "_");
  const wide = plain === full ? "" : `; filename*=UTF-8''${encodeURIComponent(full)}`;
  return `attachment; filename="${plain}"${wide}`;
}
