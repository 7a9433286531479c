/**
 * Data messages of a room (chat): to members here and over the links to the other relays of its tree. While the tree changes the same
 * message may come two ways; its id tells.
 */
import type { Random } from "../core/clock.ts";
import type { RelayMessageInput } from "../core/wire/control-messages.ts";
import { MAX_REMEMBERED_DATA_IDS } from "../core/wire/limits.ts";
import type { TreeMessage } from "../core/wire/tree-messages.ts";
import type { Member } from "./member.ts";
import type { RelayLink } from "./tree/relay-link.ts";
import type { RemoteParticipants } from "./tree/remote-participants.ts";

type LinkData = Extract<TreeMessage, { type: "data" }>;
type RoomMessage = Omit<LinkData, "type" | "id">;

/** What of its room this needs. */
interface DataRoom {
  readonly surroundings: { random: Random };
  readonly members: ReadonlyMap<string, Member>;
  readonly links: Iterable<RelayLink>;
  readonly remote: RemoteParticipants;
  broadcast(message: RelayMessageInput, except?: Member): void;
}

export class RoomData {
  readonly #room: DataRoom;
  /** In order of arrival. */
  readonly #seen = new Set<number>();

  constructor(room: DataRoom) {
    this.#room = room;
  }

  /** A member here says something. */
  send(message: RoomMessage): void {
    const id = Math.floor(this.#room.surroundings.random() * Number.MAX_SAFE_INTEGER);
    this.#pass({ type: "data", id, ...message }, undefined);
  }

  /** It came over a link. */
  receive(message: LinkData, from: RelayLink): void {
    if (!this.#seen.has(message.id)) this.#pass(message, from);
  }

  #pass(message: LinkData, from: RelayLink | undefined): void {
    this.#remember(message.id);
    this.#deliver(message);
    for (const link of this.#room.links) {
      if (link === from || (link.isUp && from?.isUp === true)) continue;
      if (this.#concerns(link, message)) link.send(message);
    }
  }

  #remember(id: number): void {
    this.#seen.add(id);
    if (this.#seen.size <= MAX_REMEMBERED_DATA_IDS) return;
    for (const oldest of this.#seen) {
      this.#seen.delete(oldest);
      return;
    }
  }

  #deliver({ from, topic, payload, sentAtUs, to }: LinkData): void {
    const { members } = this.#room;
    const data = { type: "data", from, topic, payload, sentAtUs } as const;
    if (to === undefined) return this.#room.broadcast(data, members.get(from));
    for (const identity of new Set(to)) if (identity !== from) members.get(identity)?.send(data);
  }

  #concerns(link: RelayLink, { to }: LinkData): boolean {
    const { byIdentity } = this.#room.remote;
    return to === undefined || to.some((identity) => byIdentity.get(identity)?.via === link);
  }
}
