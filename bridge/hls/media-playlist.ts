/** Text of media playlists (RFC 8216bis; section in brackets): what a live rendition looks like now, whole or as a delta, or a recording as VOD. */
import {
  HOLD_BACK_SECONDS,
  LISTED_PARTS_US,
  PART_HOLD_BACK_US,
  PART_TARGET_US,
  SKIP_UNTIL_US,
  TARGET_SECONDS,
} from "./limits.ts";
import type { HistorySegment, Located } from "./segment-history.ts";

export interface ListedPart {
  uri: string;
  durationUs: number;
  independent: boolean;
}

/** A segment of the window; the last one may have only parts yet. */
export interface ListedSegment extends HistorySegment {
  parts: readonly ListedPart[];
  complete: boolean;
}

export interface LiveView {
  /** Of the first segment. */
  sequence: number;
  discontinuitySequence: number;
  /** Segments from a recording in front of those in memory. */
  history: readonly HistorySegment[];
  segments: readonly ListedSegment[];
  /** The part that comes next. */
  hintUri: string | undefined;
  ended: boolean;
  /** The other renditions and how far they are [4.4.5.4]. */
  reports: readonly { uri: string; sequence: number; part: number }[];
}

/** `skip`: leave out what is behind the skip boundary, if that is anything [4.4.5.2]. */
export function livePlaylist(view: LiveView, skip: boolean): string {
  const { history, segments, ended } = view;
  const totalUs = [...history, ...segments].reduce((sum, { durationUs }) => sum + durationUs, 0);
  const lines = header();
  if (ended) lines.push("#EXT-X-PLAYLIST-TYPE:VOD");
  else {
    lines.push(
      `#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=${seconds(SKIP_UNTIL_US)},` +
        `HOLD-BACK=${HOLD_BACK_SECONDS},PART-HOLD-BACK=${seconds(PART_HOLD_BACK_US)}`,
      `#EXT-X-PART-INF:PART-TARGET=${seconds(PART_TARGET_US)}`,
    );
  }
  lines.push(`#EXT-X-MEDIA-SEQUENCE:${view.sequence}`);
  if (view.discontinuitySequence > 0)
    lines.push(`#EXT-X-DISCONTINUITY-SEQUENCE:${view.discontinuitySequence}`);
  const skipped = skip && !ended ? countSkipped(view, totalUs) : 0;
  if (skipped > 0) lines.push(`#EXT-X-SKIP:SKIPPED-SEGMENTS=${skipped}`);

  let leftUs = totalUs;
  let map = "";
  const list = [...history, ...segments];
  list.forEach((segment, index) => {
    const fromEndUs = leftUs;
    leftUs -= segment.durationUs;
    const key = mapLine(segment.init);
    if (index < skipped) {
      // A client keeps the map of what it has; the first line behind them must not repeat it unless it changes.
      map = key;
      return;
    }
    if (segment.discontinuity) lines.push("#EXT-X-DISCONTINUITY");
    if (key !== map) lines.push(key);
    map = key;
    writeSegment(lines, segment, fromEndUs <= LISTED_PARTS_US && !ended);
  });
  if (ended) lines.push("#EXT-X-ENDLIST");
  else writeEdge(lines, view);
  return `${lines.join("\n")}\n`;
}

/** Playlist of whole segments alone, each of which is complete in itself. */
export function plainPlaylist(
  view: Pick<LiveView, "sequence" | "discontinuitySequence" | "ended"> & {
    segments: readonly HistorySegment[];
  },
): string {
  const lines = [
    "#EXTM3U",
    "#EXT-X-VERSION:6",
    `#EXT-X-TARGETDURATION:${TARGET_SECONDS}`,
    "#EXT-X-INDEPENDENT-SEGMENTS",
  ];
  lines.push(
    `#EXT-X-MEDIA-SEQUENCE:${view.sequence}`,
    `#EXT-X-DISCONTINUITY-SEQUENCE:${view.discontinuitySequence}`,
  );
  for (const segment of view.segments) {
    if (segment.discontinuity) lines.push("#EXT-X-DISCONTINUITY");
    writeSegment(lines, segment, false);
  }
  if (view.ended) lines.push("#EXT-X-ENDLIST");
  return `${lines.join("\n")}\n`;
}

function header(): string[] {
  // EXT-X-SKIP asks for version 9 [8].
  return [
    "#EXTM3U",
    "#EXT-X-VERSION:9",
    `#EXT-X-TARGETDURATION:${TARGET_SECONDS}`,
    "#EXT-X-INDEPENDENT-SEGMENTS",
  ];
}

/** Segments that end before the skip boundary; a delta that skips none is a whole playlist. */
function countSkipped({ history, segments }: LiveView, totalUs: number): number {
  let leftUs = totalUs;
  let count = 0;
  for (const list of [history, segments]) {
    for (const { durationUs } of list) {
      leftUs -= durationUs;
      if (leftUs < SKIP_UNTIL_US) return count;
      count += 1;
    }
  }
  return count;
}

function writeSegment(lines: string[], segment: HistorySegment | ListedSegment, withParts: boolean): void {
  lines.push(`#EXT-X-PROGRAM-DATE-TIME:${new Date(segment.startUs / 1000).toISOString()}`);
  if ("parts" in segment) {
    if (withParts) for (const part of segment.parts) lines.push(partLine(part));
    if (!segment.complete) return;
  }
  lines.push(`#EXTINF:${seconds(segment.durationUs)},`);
  if (segment.media.range !== undefined) {
    lines.push(`#EXT-X-BYTERANGE:${segment.media.range.length}@${segment.media.range.offset}`);
  }
  lines.push(segment.media.uri);
}

function partLine({ uri, durationUs, independent }: ListedPart): string {
  return `#EXT-X-PART:DURATION=${seconds(durationUs)},URI="${uri}"${independent ? ",INDEPENDENT=YES" : ""}`;
}

function mapLine({ uri, range }: Located): string {
  const bytes = range === undefined ? "" : `,BYTERANGE="${range.length}@${range.offset}"`;
  return `#EXT-X-MAP:URI="${uri}"${bytes}`;
}

function writeEdge(lines: string[], { hintUri, reports }: LiveView): void {
  if (hintUri !== undefined) lines.push(`#EXT-X-PRELOAD-HINT:TYPE=PART,URI="${hintUri}"`);
  for (const { uri, sequence, part } of reports) {
    lines.push(`#EXT-X-RENDITION-REPORT:URI="${uri}",LAST-MSN=${sequence},LAST-PART=${part}`);
  }
}

/** Decimal seconds, exact to the microsecond. */
function seconds(us: number): string {
  return String(us / 1e6);
}
