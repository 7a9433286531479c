/** An HLS output: the programme's parts in the playlists of its room, as long as it runs, and their end for a while after it was deleted. */
import type { Clock } from "../../core/clock.ts";
import { HlsRoom } from "../hls/hls-room.ts";
import type { HlsRooms } from "../hls/hls-rooms.ts";
import type { SegmentHistory } from "../hls/segment-history.ts";
import type { JobOf, OpenOutput, OpenOutputOn } from "./output-run.ts";
import type { SharedParts } from "./shared-parts.ts";

export interface HlsOutputs {
  clock: Clock;
  parts: SharedParts;
  /** What the routes serve. */
  rooms: HlsRooms;
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
    const held = await parts.hold(programme, spec.picture);
    const hls = new HlsRoom({ clock, history: historyOf(room) });
    const remove = held.parts.add(hls.main);
    rooms.add(room, hls);
    const url = `${publicUrl}/hls/${encodeURIComponent(room)}/index.m3u8`;
    return {
      report: () => ({
        state: hls.latencyMs === null ? "starting" : "running",
        latencyMs: hls.latencyMs,
        audience: hls.audience,
        url,
      }),
      async close(goesOn): Promise<void> {
        remove();
        hls.main.onEnd();
        rooms.end(room, hls, !goesOn && hls.latencyMs !== null);
        await held.release();
      },
    };
  };
}
