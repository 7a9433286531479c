/** An HLS output: the programme's parts in the playlists of its room, as long as it runs. */
import type { Clock } from "../../core/clock.ts";
import { HlsRoom } from "../hls/hls-room.ts";
import type { SegmentHistory } from "../hls/segment-history.ts";
import type { JobOf, OpenOutput, OpenOutputOn } from "./output-run.ts";
import { type SharedParts, withoutPicture } from "./shared-parts.ts";

export interface HlsOutputs {
  clock: Clock;
  parts: SharedParts;
  /** Rooms that have HLS now, by name: what the routes serve. */
  rooms: Map<string, HlsRoom>;
  /** Segments of before, which a recording of the room holds. */
  historyOf(room: string): SegmentHistory;
  publicUrl: string;
}

export function hlsOutput({
  clock,
  parts,
  rooms,
  historyOf,
  publicUrl,
}: HlsOutputs): OpenOutputOn<JobOf<"hls">> {
  return async ({ room, spec }, programme): Promise<OpenOutput> => {
    const held = await parts.hold(programme, withoutPicture(spec.picture));
    const hls = new HlsRoom({ clock, history: historyOf(room) });
    const remove = held.parts.add(hls.main);
    rooms.set(room, hls);
    const url = `${publicUrl}/hls/${encodeURIComponent(room)}/index.m3u8`;
    return {
      report: () => ({
        state: hls.latencyMs === null ? "starting" : "running",
        latencyMs: hls.latencyMs,
        audience: hls.audience,
        url,
      }),
      async close(): Promise<void> {
        remove();
        hls.main.onEnd();
        if (rooms.get(room) === hls) rooms.delete(room);
        await held.release();
      },
    };
  };
}
