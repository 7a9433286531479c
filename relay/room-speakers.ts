/**
 * Who speaks in a room, over all relays of its tree: each link is told how loud those on this side of it are, whoever hears
 * the sound itself or not.
 */

import type { RelayMessageInput } from "../core/wire/control-messages.ts";
import { ActiveSpeakers, type Speaker } from "./active-speakers.ts";
import type { Member } from "./member.ts";
import type { Track } from "./track.ts";
import type { RelayLink } from "./tree/relay-link.ts";
import type { RemoteParticipants } from "./tree/remote-participants.ts";

const SILENCE = 127;
/** Told to other relays at most. */
const MAX_TOLD = 16;
/** Levels are told in steps, so that a change is worth a message. */
const LEVEL_STEP = 6;

/** What of its room this needs. */
interface SpeakersRoom {
  readonly members: ReadonlyMap<string, Member>;
  readonly tracks: ReadonlyMap<number, Track>;
  readonly links: Iterable<RelayLink>;
  readonly remote: RemoteParticipants;
  broadcast(message: RelayMessageInput): void;
}

export class RoomSpeakers {
  readonly #active = new ActiveSpeakers();

  /** Members have been told last that these speak, loudest first. */
  get told(): readonly Speaker[] {
    return this.#active.told;
  }

  /** Tells members and links what is news. */
  update(room: SpeakersRoom, nowUs: number): void {
    const own = ownLevels(room, nowUs);
    const levels = new Map(own);
    for (const { identity, via } of room.remote.byIdentity.values()) {
      const level = via?.levels.get(identity);
      if (level !== undefined) levels.set(identity, level);
    }
    const speakers = this.#active.update(levels, nowUs);
    if (speakers !== undefined) room.broadcast({ type: "speakers", speakers });
    for (const link of room.links) tell(room, link, levels);
  }
}

function ownLevels(room: SpeakersRoom, nowUs: number): Map<string, number> {
  const levels = new Map<string, number>();
  for (const track of room.tracks.values()) {
    if (!track.isAudio || track.muted || track.offer.source !== "microphone") continue;
    if (!room.members.has(track.publisher)) continue;
    const level = track.activity.level(nowUs);
    levels.set(track.publisher, Math.min(level, levels.get(track.publisher) ?? level));
  }
  return levels;
}

function tell(room: SpeakersRoom, link: RelayLink, levels: ReadonlyMap<string, number>): void {
  const audible = [...levels].filter(([identity, level]) => {
    const via = room.remote.byIdentity.get(identity)?.via;
    return level < SILENCE && via !== link && !(link.isUp && via?.isUp === true);
  });
  const speakers = audible
    .sort(([, a], [, b]) => a - b)
    .slice(0, MAX_TOLD)
    .map(([identity, level]) => ({ identity, level: Math.round(level) }));
  const told = speakers.map(({ identity, level }) => `${identity} ${Math.round(level / LEVEL_STEP)}`).join();
  if (told === link.toldLevels) return;
  link.toldLevels = told;
  link.send({ type: "speakers", speakers });
}
