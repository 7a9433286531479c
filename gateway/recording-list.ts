/** Recordings that several bridges tell of, as one list: each once, newest first, with addresses that can be opened. */
import type { BridgeRecord, RecordingInfo } from "../core/wire/bridge-jobs.ts";
import { newestFirst, placeOfRecording, type RecordingPage } from "../core/wire/bridge-operations.ts";

export interface FoundRecording {
  bridge: BridgeRecord;
  recording: RecordingInfo;
}

/**
 * The first `limit` of what the pages hold together, and the place behind the last where there is more. What is older than
 * the end of a page that goes on is left for later: that bridge may know of something in between.
 */
export function mergedPages(
  pages: readonly { bridge: BridgeRecord; page: RecordingPage }[],
  limit: number,
): { found: FoundRecording[]; next: string | undefined } {
  const ends = pages.flatMap(({ page }) => {
    const last = page.recordings.toSorted(newestFirst).at(-1);
    return page.more && last ? [placeOfRecording(last)] : [];
  });
  const end = ends.sort().at(-1) ?? "";
  const all = onceEach(
    pages.flatMap(({ bridge, page }) => page.recordings.map((recording) => ({ bridge, recording }))),
  );
  const found = all.filter(({ recording }) => placeOfRecording(recording) >= end).slice(0, limit);
  const last = found.at(-1);
  const hasMore = end !== "" || found.length < all.length;
  return { found, next: hasMore && last ? placeOfRecording(last.recording) : undefined };
}

/** Newest first. Of a recording that several can reach, what is known longest of counts: it may be going on. */
export function onceEach(found: readonly FoundRecording[]): FoundRecording[] {
  const byId = new Map<string, FoundRecording>();
  for (const one of found) {
    const before = byId.get(one.recording.id);
    if (!before || isBetter(one.recording, before.recording)) byId.set(one.recording.id, one);
  }
  return [...byId.values()].sort((one, other) => newestFirst(one.recording, other.recording));
}

/** Paths as addresses on the bridge that told of it. */
export function withAddresses({ bridge, recording }: FoundRecording): RecordingInfo & { bridgeId: string } {
  const base = bridge.publicUrl.replace(/\/+$/, "");
  const at = (path: string): string =>
    /^https?:/i.test(path) ? path : `${base}/${path.replace(/^\/+/, "")}`;
  return {
    ...recording,
    playlistPath: at(recording.playlistPath),
    downloadPath: at(recording.downloadPath),
    posterPath: recording.posterPath === null ? null : at(recording.posterPath),
    files: recording.files.map((file) => ({ ...file, downloadPath: at(file.downloadPath) })),
    bridgeId: bridge.id,
  };
}

function isBetter(one: RecordingInfo, other: RecordingInfo): boolean {
  const goesOn = (info: RecordingInfo): number => (info.state === "recording" ? 1 : 0);
  return (
    goesOn(one) - goesOn(other) > 0 || (goesOn(one) === goesOn(other) && one.durationMs > other.durationMs)
  );
}
