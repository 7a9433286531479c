/**
 * Tells the application what happens in the rooms of a relay: looks at a room soon after its members were told something, and now and
 * then. Only the root of a room tells, so that each thing is told once; the other relays remember the last seconds, for one that becomes the root
 * cannot know what the old one still got rid of. docs/webhooks.md.
 */
import { type Clock, every, type Timer } from "../../core/clock.ts";
import { MAX_RECENT_EVENTS } from "../../core/wire/limits.ts";
import type { Rooms } from "../rooms.ts";
import type { RoomTree } from "../tree/room-tree.ts";
import type { EventOutbox } from "./event-outbox.ts";
import type { Happening } from "./happening.ts";
import { RoomWatch } from "./room-watch.ts";

/** What happens within this time is looked at together, and told in no certain order. */
const LOOK_MS = 10;
/** Not all that changes is told to members: each room is looked at this often. */
const SWEEP_MS = 1_000;
/** A new root tells again what happened so shortly before. */
const RECENT_US = 10_000_000;

interface Watched {
  readonly watch: RoomWatch;
  /** Of the time in which another relay is the root. */
  recent: Happening[];
  timer: Timer | undefined;
}

export class RoomEvents {
  readonly outbox: EventOutbox;
  readonly #rooms: Rooms;
  readonly #clock: Clock;
  readonly #watched = new Map<RoomTree, Watched>();
  readonly #sweep: Timer;

  constructor(rooms: Rooms, clock: Clock, outbox: EventOutbox) {
    this.outbox = outbox;
    this.#rooms = rooms;
    this.#clock = clock;
    rooms.onNews = (tree) => this.#notice(tree);
    this.#sweep = every(clock, SWEEP_MS, () => this.#lookAtAll());
  }

  /** To be called before the relay ends: that its sessions end then is nothing that happens in the rooms. */
  async end(): Promise<void> {
    this.#rooms.onNews = () => {};
    this.#sweep.cancel();
    this.#lookAtAll();
    for (const { timer } of this.#watched.values()) timer?.cancel();
    await this.outbox.end();
  }

  #lookAtAll(): void {
    for (const tree of new Set([...this.#watched.keys(), ...this.#rooms.trees()])) this.#look(tree);
  }

  #watchedOf(tree: RoomTree): Watched {
    const known = this.#watched.get(tree);
    if (known !== undefined) return known;
    const watched: Watched = { watch: new RoomWatch(tree.room), recent: [], timer: undefined };
    this.#watched.set(tree, watched);
    return watched;
  }

  #notice(tree: RoomTree): void {
    const watched = this.#watchedOf(tree);
    watched.timer ??= this.#clock.after(LOOK_MS, () => this.#look(tree));
  }

  #look(tree: RoomTree): void {
    const watched = this.#watchedOf(tree);
    watched.timer?.cancel();
    watched.timer = undefined;
    const nowUs = this.#clock.nowUs();
    const happened = watched.watch.look(tree.epoch, nowUs);
    const isRecent = ({ atUs }: Happening): boolean => nowUs - atUs <= RECENT_US;
    if (tree.isRoot) {
      const missed = watched.recent.filter((each) => isRecent(each) && watched.watch.holds(each));
      // Who leaves a relay that is going away goes on elsewhere.
      const told = tree.surroundings.isDraining() ? happened.filter(isBeginning) : happened;
      for (const each of [...missed, ...told]) this.outbox.push(each);
      watched.recent = [];
    } else {
      watched.recent = [...watched.recent, ...happened].filter(isRecent).slice(-MAX_RECENT_EVENTS);
    }
    if (tree.isEnded) this.#watched.delete(tree);
  }
}

function isBeginning({ type }: Happening): boolean {
  return type === "room-started" || type === "participant-joined" || type === "track-published";
}
