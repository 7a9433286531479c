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

/** Figures of the tracks of one tile, most wanted first. `before` is an earlier look, for rates. */
export function tileFigures(
  trackIds: readonly number[],
  now: StatsLook,
  before: StatsLook | undefined,
): Figure[] {
  const rows: Figure[] = [];
  for (const track of now.stats.tracks.filter(({ trackId }) => trackIds.includes(trackId))) {
    const earlier = before?.stats.tracks.find(
      ({ trackId, direction }) => trackId === track.trackId && direction === track.direction,
    );
    const seconds = before === undefined ? 0 : (now.atMs - before.atMs) / 1000;
    rows.push(...(track.kind === "video" ? videoRows(track) : []), ...rateRows(track, earlier, seconds));
  }
  return rows;
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

function videoRows(track: TrackStats): Figure[] {
  const size = track.frameWidth && track.frameHeight ? `${track.frameWidth}×${track.frameHeight}` : NOTHING;
  const rows: Figure[] = [
    { label: "Picture", value: size },
    {
      label: "Frames",
      value: track.framesPerSecond === undefined ? NOTHING : `${Math.round(track.framesPerSecond)} fps`,
    },
  ];
  if (track.avOffsetMs !== undefined) rows.push({ label: "Lip sync", value: milliseconds(track.avOffsetMs) });
  return rows;
}

function rateRows(track: TrackStats, earlier: TrackStats | undefined, seconds: number): Figure[] {
  const name = track.kind === "video" ? "Video" : "Audio";
  const measured =
    earlier !== undefined && seconds > 0 ? ((track.bytes - earlier.bytes) * 8) / seconds : Number.NaN;
  const rows: Figure[] = [{ label: name, value: bitrateText(track.bitrateBps ?? measured) }];
  if (track.direction === "outbound") return rows;
  rows.push({ label: `${name} delay`, value: milliseconds(track.captureToRenderMs ?? track.playoutDelayMs) });
  const lost = (track.datagramsLost ?? 0) - (earlier?.datagramsLost ?? 0);
  const arrived = track.datagrams - (earlier?.datagrams ?? 0);
  rows.push({ label: `${name} loss`, value: share(lost, arrived) });
  return rows;
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
