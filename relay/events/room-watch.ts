/**
 * Finds out what has happened in a room since the last look, by what is there now. Every relay of a room watches, so that the next root
 * goes on from what it has seen; which of them tells is decided elsewhere (relay/events/room-events.ts). Hidden participants do not count.
 */
import type { ParticipantInfo } from "../../core/wire/room-model.ts";
import type { Room } from "../room.ts";
import type { Happening } from "./happening.ts";

/** Who goes on from a session that nobody here knows of, in a room that is younger than this, was in it before it came to this relay. */
const CONTINUED_US = 10_000_000;
/** Participants remembered who have left; the oldest is forgotten. */
const MAX_REMEMBERED_GONE = 1_000;

/** A participant at the last look. */
interface Seen {
  info: ParticipantInfo;
  /** Of its session. */
  stamp: number;
  /** It goes on from an earlier session. */
  resumed: boolean;
  /** The way to it is lost or about to be: when it goes now, nobody may have said so. */
  isFading: boolean;
  /** Not empty where it was taken for lost before, and was not. */
  again: string;
}

export class RoomWatch {
  readonly #room: Room;
  #seen = new Map<string, Seen>();
  #isStarted = false;
  /** Who has left, with the stamp of those who were only taken for lost; and how often that was so. */
  readonly #gone = new Map<string, number | undefined>();
  #losses = 0;

  constructor(room: Room) {
    this.#room = room;
  }

  /** What has happened, in order. `epoch`: of the root. */
  look(epoch: number, nowUs: number): Happening[] {
    const before = this.#seen;
    const now = this.#present();
    this.#seen = now;
    const happened: Happening[] = [];
    for (const [identity, seen] of before) {
      const next = now.get(identity);
      if (next !== undefined && (next.stamp === seen.stamp || next.resumed)) continue;
      happened.push(...this.#left(seen, next === undefined && seen.isFading, epoch, nowUs));
    }
    if (now.size > 0 && !this.#isStarted) happened.push(...this.#started(now, nowUs));
    for (const [identity, next] of now)
      happened.push(...this.#changed(before.get(identity), next, epoch, nowUs));
    if (now.size === 0 && this.#isStarted) {
      this.#isStarted = false;
      const last = happened.at(-1);
      happened.push({
        type: "room-ended",
        room: this.#room.name,
        atUs: nowUs,
        about: last?.about ?? [nowUs],
      });
    }
    return happened;
  }

  /** Whether what a happening said is still so. */
  holds({ type, participant, track }: Happening): boolean {
    const there = this.#seen.get(participant?.identity ?? "");
    switch (type) {
      case "room-started":
        return this.#isStarted;
      case "room-ended":
        return !this.#isStarted;
      case "participant-joined":
        return there !== undefined;
      case "participant-left":
        return there === undefined;
      default: {
        const isThere = there?.info.tracks.some(({ trackId }) => trackId === track?.trackId) === true;
        return isThere === (type === "track-published");
      }
    }
  }

  #present(): Map<string, Seen> {
    const present = new Map<string, Seen>();
    const add = (info: ParticipantInfo, stamp: number, resumed: boolean, isFading: boolean): void => {
      const again = this.#seen.get(info.identity)?.again ?? "";
      present.set(info.identity, { info, stamp, resumed, isFading, again });
    };
    for (const { info, grants, stamp, resumed } of this.#room.members.values())
      if (!grants.hidden) add(info, stamp, resumed, false);
    for (const [identity, { record, via, fading }] of this.#room.remote.byIdentity) {
      const isFading = fading || via === undefined;
      // Who is first heard of on a way that is about to end may be long gone.
      if (record.hidden || (isFading && !this.#seen.has(identity))) continue;
      add(record.participant, record.stamp, record.resumed, isFading);
    }
    return present;
  }

  #isYoung(nowUs: number): boolean {
    return nowUs - this.#room.createdAtUs < CONTINUED_US;
  }

  #started(now: ReadonlyMap<string, Seen>, nowUs: number): Happening[] {
    this.#isStarted = true;
    const all = [...now.values()];
    if (this.#isYoung(nowUs) && all.some(({ resumed }) => resumed)) return [];
    const first = all.reduce((a, b) => (b.stamp < a.stamp ? b : a));
    const { name: room } = this.#room;
    return [{ type: "room-started", room, atUs: first.stamp, about: [first.info.identity, first.stamp] }];
  }

  #left(seen: Seen, isLoss: boolean, epoch: number, nowUs: number): Happening[] {
    const { info, stamp } = seen;
    // Who is taken for lost may be there after all: what is told of it now must not look like what comes later.
    const again = isLoss ? `${epoch}.${++this.#losses}` : seen.again;
    this.#gone.delete(info.identity);
    this.#gone.set(info.identity, isLoss ? stamp : undefined);
    const [oldest] = this.#gone.keys();
    if (this.#gone.size > MAX_REMEMBERED_GONE && oldest !== undefined) this.#gone.delete(oldest);
    const unpublished = info.tracks.map((track) =>
      this.#ofTrack("track-unpublished", info, track, again, nowUs),
    );
    const about = [info.identity, stamp, again];
    return [...unpublished, { ...this.#of("participant-left", info, nowUs), about }];
  }

  #changed(before: Seen | undefined, next: Seen, epoch: number, nowUs: number): Happening[] {
    if (before === undefined || (before.stamp !== next.stamp && !next.resumed))
      return this.#joined(next, epoch, nowUs);
    const { info, again } = next;
    const now = new Set(info.tracks.map(({ trackId }) => trackId));
    const known = new Set(before.info.tracks.map(({ trackId }) => trackId));
    return [
      ...before.info.tracks
        .filter(({ trackId }) => !now.has(trackId))
        .map((track) => this.#ofTrack("track-unpublished", info, track, again, nowUs)),
      ...info.tracks
        .filter(({ trackId }) => !known.has(trackId))
        .map((track) => this.#ofTrack("track-published", info, track, again, nowUs)),
    ];
  }

  #joined(next: Seen, epoch: number, nowUs: number): Happening[] {
    const { info, stamp, resumed } = next;
    const { identity, tracks } = info;
    // Those who have lost all relays of the room go on here: nothing has begun.
    if (resumed && this.#isYoung(nowUs) && !this.#gone.has(identity)) return [];
    if (this.#gone.get(identity) === stamp) next.again = `${epoch}.${++this.#losses}`;
    else next.again = "";
    this.#gone.delete(identity);
    const { again } = next;
    const atUs = again === "" ? stamp : nowUs;
    return [
      { ...this.#of("participant-joined", info, atUs), about: [identity, stamp, again] },
      ...tracks.map((track) => this.#ofTrack("track-published", info, track, again, atUs)),
    ];
  }

  #of(type: Happening["type"], participant: ParticipantInfo, atUs: number) {
    return { type, room: this.#room.name, atUs, participant };
  }

  #ofTrack(
    type: "track-published" | "track-unpublished",
    participant: ParticipantInfo,
    track: ParticipantInfo["tracks"][number],
    again: string,
    atUs: number,
  ): Happening {
    return {
      ...this.#of(type, participant, atUs),
      track,
      about: [participant.identity, track.trackId, again],
    };
  }
}
