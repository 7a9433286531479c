/** Turns two looks at `room.getStats()` into the few figures that the stats overlay shows. */
import type { RoomStats, TrackStats } from "../sdk/api.ts";

/** One look: the figures and when they were taken (`atMs`, any steady clock). */
export interface StatsLook {
  atMs: number;
  stats: RoomStats;
}

export interface Figure {
  label: string;
  value: string;
}

const NOTHING = "–";

/** A small table: one column for each track of a tile. */
export interface TileFigures {
  columns: ("video" | "audio")[];
  rows: { label: string; values: string[] }[];
}

/** Figures of the tracks of one tile, picture first. `before` is an earlier look, for rates. */
export function tileFigures(
  trackIds: readonly number[],
  now: StatsLook,
  before: StatsLook | undefined,
): TileFigures | undefined {
  const tracks = now.stats.tracks
    .filter(({ trackId }) => trackIds.includes(trackId))
    .sort((one, other) => other.kind.localeCompare(one.kind));
  if (tracks.length === 0) return undefined;
  const seconds = before === undefined ? 0 : (now.atMs - before.atMs) / 1000;
  const measured = tracks.map((track) => {
    const earlier = before?.stats.tracks.find(
      ({ trackId, direction }) => trackId === track.trackId && direction === track.direction,
    );
    return trackFigures(track, earlier, seconds);
  });
  const labels = [...new Set(measured.flatMap((figures) => figures.map(({ label }) => label)))];
  const rows = labels.map((label) => ({
    label,
    values: measured.map((figures) => figures.find((figure) => figure.label === label)?.value ?? ""),
  }));
  return { columns: tracks.map(({ kind }) => kind), rows };
}

/** Figures of the connection as a whole. */
export function connectionFigures(now: StatsLook): Figure[] {
  const { connection } = now.stats;
  return [
    { label: "Transport", value: connection.transport === "webtransport" ? "WebTransport" : "WebSocket" },
    { label: "Round trip", value: milliseconds(connection.rttMs) },
    { label: "Relay", value: connection.relayId || NOTHING },
    { label: "Sent", value: byteCount(connection.bytesSent) },
    { label: "Received", value: byteCount(connection.bytesReceived) },
    { label: "Lost", value: share(connection.datagramsLost, connection.datagramsReceived) },
    { label: "Joined in", value: milliseconds(connection.joinMs) },
    { label: "Reconnects", value: String(connection.reconnects) },
  ];
}

/** `12 kb/s`, `1.4 Mb/s`. */
export function bitrateText(bitsPerSecond: number): string {
  if (!Number.isFinite(bitsPerSecond) || bitsPerSecond < 0) return NOTHING;
  if (bitsPerSecond < 999_500) return `${Math.round(bitsPerSecond / 1000)} kb/s`;
  return `${(bitsPerSecond / 1_000_000).toFixed(1)} Mb/s`;
}

function trackFigures(track: TrackStats, earlier: TrackStats | undefined, seconds: number): Figure[] {
  const figures: Figure[] = [];
  if (track.kind === "video") {
    const size = track.frameWidth && track.frameHeight ? `${track.frameWidth}×${track.frameHeight}` : NOTHING;
    const rate = track.framesPerSecond === undefined ? NOTHING : `${Math.round(track.framesPerSecond)}`;
    figures.push({ label: "size", value: size }, { label: "fps", value: rate });
  }
  const between =
    earlier !== undefined && seconds > 0 ? ((track.bytes - earlier.bytes) * 8) / seconds : Number.NaN;
  figures.push({ label: "rate", value: bitrateText(track.bitrateBps ?? between) });
  if (track.direction === "outbound") return figures;
  const lost = (track.datagramsLost ?? 0) - (earlier?.datagramsLost ?? 0);
  const arrived = track.datagrams - (earlier?.datagrams ?? 0);
  figures.push(
    { label: "delay", value: milliseconds(track.captureToRenderMs ?? track.playoutDelayMs) },
    { label: "loss", value: share(lost, arrived) },
  );
  if (track.avOffsetMs !== undefined) figures.push({ label: "lips", value: milliseconds(track.avOffsetMs) });
  return figures;
}

function milliseconds(value: number | undefined): string {
  return value === undefined || !Number.isFinite(value) ? NOTHING : `${Math.round(value)} ms`;
}

function share(lost: number, arrived: number): string {
  const all = lost + arrived;
  return all <= 0 ? NOTHING : `${((100 * Math.max(0, lost)) / all).toFixed(1)} %`;
}

function byteCount(bytes: number): string {
  return bytes < 1_000_000 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
