/** An HLS output: the programme's parts in the playlists of its room, as long as it runs, and their end for a while after it was deleted. */
import type { Clock } from "../../core/clock.ts";
import { HlsRoom } from "../hls/hls-room.ts";
import type { HlsRooms } from "../hls/hls-rooms.ts";
import type { LiveRendition } from "../hls/live-rendition.ts";
import type { SegmentHistory } from "../hls/segment-history.ts";
import type { JobOf, OpenOutput, OpenOutputOn } from "./output-run.ts";
import { type HeldParts, type SharedParts, withoutPicture } from "./shared-parts.ts";

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
    const hls = new HlsRoom({ clock, history: historyOf(room), withOpus: spec.opus });
    const fed: Fed[] = [];
    for (const [rendition, sound] of [[hls.main, "aac"] as const, [hls.opus, "opus"] as const]) {
      if (rendition === undefined) continue;
      try {
        fed.push(feed(rendition, await parts.hold(programme, withoutPicture(spec.picture), sound)));
      } catch (error) {
        await endAll(fed);
        throw error;
      }
    }
    rooms.add(room, hls);
    const url = `${publicUrl}/hls/${encodeURIComponent(room)}/index.m3u8`;
    return {
      report: () => ({
        state: hls.latencyMs === null ? "starting" : "running",
        latencyMs: hls.latencyMs,
        audience: hls.audience,
        url,
      }),
      // What players get is counted where it is answered.
      counts: () => ({}),
      async close(goesOn): Promise<void> {
        rooms.end(room, hls, !goesOn && hls.latencyMs !== null);
        await endAll(fed);
      },
    };
  };
}

/** A rendition that is given parts. */
interface Fed {
  /** No more of them; the rendition has ended. */
  end(): Promise<void>;
}

function feed(rendition: LiveRendition, held: HeldParts): Fed {
  const remove = held.parts.add(rendition);
  return {
    end(): Promise<void> {
      remove();
      rendition.onEnd();
      return held.release();
    },
  };
}

/** All at the same moment, so that renditions end alike. */
async function endAll(fed: readonly Fed[]): Promise<void> {
  await Promise.all(fed.map((each) => each.end()));
}
