/** Something that happened in a room, as a relay sees it, and the event that the application is told of it. */

import type { RoomEvent } from "../../core/wire/room-events.ts";
import type { ParticipantInfo, TrackInfo } from "../../core/wire/room-model.ts";

export interface Happening {
  readonly type: RoomEvent["type"];
  readonly room: string;
  readonly atUs: number;
  readonly participant?: Pick<ParticipantInfo, "identity" | "name" | "admin">;
  readonly track?: TrackInfo;
  /**
   * What it is about, beside type and room: the same on each relay that sees it, whichever is the root, and never the same for
   * two things that happen. The id of the event is made of it.
   */
  readonly about: readonly (string | number)[];
}

export async function eventOf(happening: Happening): Promise<RoomEvent> {
  const { type, room, participant, track, about, atUs } = happening;
  const text = JSON.stringify([type, room, ...about]);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  const id = Array.from(digest.subarray(0, 16), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const { identity = "", name = "", admin = false } = participant ?? {};
  const event = {
    id,
    type,
    room,
    at: new Date(atUs / 1000).toISOString(),
    ...(participant === undefined ? {} : { participant: { identity, name, admin } }),
    ...(track === undefined
      ? {}
      : { track: { trackId: track.trackId, kind: track.offer.kind, source: track.offer.source } }),
  };
  return event as RoomEvent;
}
