/** The relays that are attached to this one in a room's tree. */
import { MAX_RELAYS_PER_ROOM, MAX_TREE_DEPTH } from "../../core/wire/limits.ts";
import { frameMessage } from "../../core/wire/message-framing.ts";
import type { RelayAddress, TreeMessageInput } from "../../core/wire/tree-messages.ts";
import { type ChildPlace, chooseDeputy } from "./parent-choice.ts";
import type { RelayLink } from "./relay-link.ts";

export class Children {
  readonly #byId = new Map<string, RelayLink>();

  get size(): number {
    return this.#byId.size;
  }

  get(id: string): RelayLink | undefined {
    return this.#byId.get(id);
  }

  values(): Iterable<RelayLink> {
    return this.#byId.values();
  }

  set(link: RelayLink): void {
    this.#byId.set(link.relay.id, link);
  }

  /** Returns false for a link that another one of the same relay has replaced. */
  delete(link: RelayLink): boolean {
    return this.#byId.get(link.relay.id) === link && this.#byId.delete(link.relay.id);
  }

  /** Ids of all relays below, without children that are silent or leaving: they may be the relay to attach to. */
  get below(): string[] {
    const below = new Set<string>();
    for (const child of this.#byId.values())
      if (!child.isFading) for (const id of [child.relay.id, ...child.below]) below.add(id);
    return [...below].slice(0, MAX_RELAYS_PER_ROOM);
  }

  /** Floors below. */
  get height(): number {
    let height = 0;
    for (const child of this.#byId.values()) if (!child.isFading) height = Math.max(height, child.height + 1);
    return Math.min(MAX_TREE_DEPTH, height);
  }

  /** Those that stay. */
  places(): ChildPlace[] {
    return [...this.#byId.values()]
      .filter((child) => !child.isFading)
      .map(({ relay: { id, region }, below }) => ({ id, region, size: below.length }));
  }

  /** `now`: who is it so far. */
  chooseDeputy(now: string | undefined): RelayAddress | undefined {
    const id = chooseDeputy(this.places(), now);
    return id === undefined ? undefined : this.#byId.get(id)?.relay;
  }

  send(message: TreeMessageInput): void {
    if (this.#byId.size === 0) return;
    const frame = frameMessage(message);
    for (const child of this.#byId.values()) if (child.isOpen) child.channel.sendFramed(frame);
  }
}
