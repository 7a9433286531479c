/**
 * The rooms of a relay: made when the first participant or relay comes, ended when the last one has gone. Each has its place in the
 * tree of that room's relays.
 */
import { MAX_ROOMS_PER_RELAY } from "../core/wire/limits.ts";
import { Refusal } from "./refusal.ts";
import type { RoomFigures } from "./relay-metrics.ts";
import { Room, type RoomSurroundings } from "./room.ts";
import { countPlaces, PlaceLog } from "./tree/place-log.ts";
import type { RelayLink } from "./tree/relay-link.ts";
import { RoomTree } from "./tree/room-tree.ts";
import type { TreeSurroundings } from "./tree/surroundings.ts";

/** Ticks further apart than this tell of a busy or sleeping machine. */
const LATE_US = 200_000;

export class Rooms {
  #lastTickUs = 0;
  readonly #placeLog = new PlaceLog();
  readonly #trees = new Map<string, RoomTree>();
  readonly #room: RoomSurroundings;
  readonly #tree: TreeSurroundings;
  /** On their way into a room, by its name. */
  readonly #entering = new Map<string, number>();
  /** Something in a room may be other than before. */
  onNews: (tree: RoomTree) => void = () => {};

  constructor(room: RoomSurroundings, tree: TreeSurroundings) {
    this.#room = room;
    this.#tree = tree;
  }

  get size(): number {
    return this.#trees.size;
  }

  /** For metrics. */
  get figures(): RoomFigures {
    let tracks = 0;
    let treeLinks = 0;
    for (const { room } of this.#trees.values()) {
      tracks += room.tracks.size;
      treeLinks += room.links.size;
    }
    const places = countPlaces(this.#trees.values());
    return { rooms: this.size, tracks, treeLinks, places, treeMoves: this.#placeLog.moves };
  }

  get(name: string): Room | undefined {
    return this.#trees.get(name)?.room;
  }

  *values(): Iterable<Room> {
    for (const { room } of this.#trees.values()) yield room;
  }

  tree(name: string): RoomTree | undefined {
    return this.#trees.get(name);
  }

  trees(): Iterable<RoomTree> {
    return this.#trees.values();
  }

  /** To other relays, of all rooms. */
  *links(): Iterable<RelayLink> {
    for (const { room } of this.#trees.values()) yield* room.links;
  }

  /** Rooms that this relay is the root of, with their epochs. */
  *rooted(): Iterable<[string, number]> {
    for (const tree of this.#trees.values()) if (tree.isRoot) yield [tree.room.name, tree.epoch];
  }

  /** To be called every REPORT_INTERVAL_MS. */
  tick(nowUs: number): void {
    const isLate = nowUs - this.#lastTickUs > LATE_US;
    this.#lastTickUs = nowUs;
    for (const tree of this.#trees.values()) {
      tree.tick(nowUs, isLate);
      this.#placeLog.look(tree);
    }
  }

  /** To be called every SPEAKERS_INTERVAL_MS. */
  updateNews(nowUs: number): void {
    for (const { room } of this.#trees.values()) room.updateNews(nowUs);
  }

  /** To be called now and then. */
  updateAudiences(): void {
    for (const { room } of this.#trees.values()) room.updateAudiences();
  }

  /** Has `enter` let somebody into a room, which is there until it is done, and longer if somebody is in it then. */
  async entering<T>(name: string, enter: (tree: RoomTree) => T | Promise<T>): Promise<T> {
    this.#entering.set(name, (this.#entering.get(name) ?? 0) + 1);
    try {
      return await enter(await this.#open(name));
    } finally {
      const others = this.#entering.get(name)! - 1;
      if (others > 0) this.#entering.set(name, others);
      else this.#entering.delete(name);
      this.endIfEmpty(name);
    }
  }

  async #open(name: string): Promise<RoomTree> {
    const known = this.#trees.get(name);
    if (known !== undefined) return known;
    if (this.#trees.size >= MAX_ROOMS_PER_RELAY) {
      throw new Refusal("relay-full", `the relay has ${MAX_ROOMS_PER_RELAY} rooms, its maximum`);
    }
    const room = new Room(name, this.#tree.address().id, this.#room);
    const tree = new RoomTree(room, this.#tree);
    this.#trees.set(name, tree);
    room.onNews = () => this.onNews(tree);
    await tree.start();
    return tree;
  }

  endIfEmpty(name: string): void {
    const tree = this.#trees.get(name);
    if (tree === undefined || this.#entering.has(name)) return;
    if (tree.room.sessions > 0 || tree.children.size > 0) return;
    this.#trees.delete(name);
    tree.end();
    tree.room.end();
  }
}
