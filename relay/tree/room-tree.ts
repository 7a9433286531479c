/**
 * One relay's place in the tree of a room's relays: whether it is the root, which relay it is attached to, which are attached to
 * it, and how a new place is found when the old one is lost. relay/tree/place-search.ts looks for a place; here is what holds once there is
 * one. docs/topology.md says why it is so.
 */
import type { Timer } from "../../core/clock.ts";
import type { RoomClaim } from "../../core/directory/directory.ts";
import type { Session } from "../../core/session/session.ts";
import { CLOSE_CODES } from "../../core/wire/close-codes.ts";
import { MAX_TREE_DEPTH } from "../../core/wire/limits.ts";
import type { RelayAddress, TreeMessage, TreePosition } from "../../core/wire/tree-messages.ts";
import { Refusal } from "../refusal.ts";
import type { Room } from "../room.ts";
import { Children } from "./children.ts";
import type { LinkArrivalInfo } from "./link-arrival.ts";
import type { LinkListener } from "./link-dial.ts";
import { applyLinkMessage } from "./link-requests.ts";
import { placeFor } from "./place-for.ts";
import { type Placed, PlaceSearch } from "./place-search.ts";
import { RelayLink, type TreeChannel } from "./relay-link.ts";
import type { TreeSurroundings } from "./surroundings.ts";
import { Vouching } from "./vouching.ts";

/** The far side sends something every 100 ms or so. */
const SILENT_US = 450_000;
/** After so much silence a link is given up. */
const DEAD_US = 3_000_000;
/** A link to a former parent is kept for so long, until what came over it comes another way. */
const FORMER_MS = 2_000;
/** A relay that looks for a place itself lets others wait for so long. */
const PLACE_PATIENCE_MS = 1_500;
const PLACE_LOOK_MS = 50;

export class RoomTree implements Placed {
  readonly room: Room;
  readonly surroundings: TreeSurroundings;
  parent: RelayLink | undefined;
  readonly children = new Children();
  isRoot = false;
  isProvisional = false;
  epoch = 0;
  above: RelayAddress[] = [];
  deputy: RelayAddress | undefined;
  isParentRooted = false;
  lostParent: { id: string; isDead: boolean } | undefined;
  supersededBy: string | undefined;
  readonly #search: PlaceSearch;
  readonly #vouching: Vouching;
  readonly #timers = new Set<Timer>();
  #isEnded = false;

  constructor(room: Room, surroundings: TreeSurroundings) {
    this.room = room;
    this.surroundings = surroundings;
    this.#vouching = new Vouching(surroundings.clock);
    this.#search = new PlaceSearch(this);
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Resolves when it is known whether this relay is the root, or where the root is. */
  start(): Promise<void> {
    return this.#search.start();
  }

  get isPlaced(): boolean {
    return this.isRoot || (this.parent !== undefined && !this.parent.isFading);
  }

  get isRooted(): boolean {
    return this.isRoot || (this.isPlaced && this.isParentRooted);
  }

  get position(): TreePosition {
    const { epoch, deputy, isRoot, isRooted: rooted } = this;
    const path = [...(isRoot ? [] : this.above), this.surroundings.address()].slice(-MAX_TREE_DEPTH);
    return { rooted, epoch, path, ...(deputy === undefined ? {} : { deputy }) };
  }

  /** Every REPORT_INTERVAL_MS. */
  tick(nowUs: number, isLate: boolean): void {
    for (const link of this.room.links) {
      link.link.tick();
      const silentUs = nowUs - link.heardUs;
      // A late tick says nothing: what came meanwhile is yet to be read.
      if (!isLate && silentUs > SILENT_US !== link.isSilent) {
        link.isSilent = !link.isSilent;
        this.#fadingChanged(link);
        if (link === this.parent && link.isSilent) this.#loseParent(link, true);
      }
      if (silentUs > DEAD_US) link.close("internal-error", "nothing was heard for too long");
    }
  }

  onClaim(claim: RoomClaim): void {
    this.#search.onClaim(claim);
    const { id } = this.surroundings.address();
    if (!this.isRoot || claim.epoch <= this.epoch) return;
    if (claim.relayId === id) return this.becomeRoot(claim);
    this.surroundings.log(`room ${this.room.name}: relay ${claim.relayId} has taken it over`);
    this.supersededBy = claim.relayId;
    this.isRoot = false;
    this.isParentRooted = false;
    this.#tellChildren();
    void this.#search.run();
  }

  becomeRoot(claim: RoomClaim | undefined): void {
    this.isProvisional = claim === undefined;
    this.epoch = claim?.epoch ?? this.epoch + 1;
    this.isRoot = true;
    this.above = [];
    this.#leaveParent();
    this.#chooseDeputy();
    this.#tellChildren();
  }

  /** Children below are told `leaving`, the room is given to the deputy: this relay is going away. */
  drain(): void {
    const deputy = this.isRoot ? this.children.get(this.deputy?.id ?? "") : undefined;
    if (deputy !== undefined) deputy.send({ type: "take-over" });
    else this.children.send({ type: "leaving" });
  }

  end(): void {
    this.#isEnded = true;
    for (const timer of this.#timers) timer.cancel();
    this.#vouching.end();
    for (const link of [...this.room.links]) {
      link.finish(this.surroundings.clock);
      this.#linkEnded(link, CLOSE_CODES.normal);
    }
    if (this.isRoot) void this.surroundings.releaseRoom(this.room.name);
  }

  /** Takes another relay in as a child, sends it on, or refuses it with a Refusal. */
  async admit({ session, channel, attach, isGone }: LinkArrivalInfo): Promise<LinkListener | undefined> {
    await this.#untilRooted();
    const to = placeFor(this, attach);
    if (to !== undefined) return void channel.send({ type: "redirect", to });
    if (!this.isRoot && !(await this.#vouch(attach.relay.id)))
      throw new Refusal(
        "tree-refused",
        "the way to the root is not whole, or a loop would come of it: try again",
      );
    if (isGone() || this.#isEnded) throw new Refusal("lost", "it went away meanwhile");
    // Others may have come while the root was asked.
    if (placeFor(this, attach) !== undefined)
      throw new Refusal("tree-refused", "no place any more: ask again");
    return this.#addChild(session, channel, attach);
  }

  async #untilRooted(): Promise<void> {
    const { clock } = this.surroundings;
    for (let waitedMs = 0; waitedMs < PLACE_PATIENCE_MS && !this.isRooted; waitedMs += PLACE_LOOK_MS) {
      if (this.#isEnded) return;
      await new Promise<void>((resolve) => void clock.after(PLACE_LOOK_MS, resolve));
    }
  }

  #vouch(relayId: string): Promise<boolean> {
    const { parent } = this;
    if (parent === undefined || !this.isRooted) return Promise.resolve(false);
    return this.#vouching.ask(parent, relayId);
  }

  #addChild(
    session: Session,
    channel: TreeChannel,
    { relay, below, height }: LinkArrivalInfo["attach"],
  ): LinkListener {
    const older = this.children.get(relay.id);
    const link = this.#makeLink(session, channel, relay, false);
    link.below = below;
    link.height = height;
    link.send({ type: "attached", ...this.position });
    this.children.set(link);
    older?.close("normal", "the relay attached again");
    this.#begin(link);
    this.#childrenChanged();
    return this.#listenerOf(link);
  }

  setParent(
    relay: RelayAddress,
    session: Session,
    channel: TreeChannel,
    position: TreePosition,
  ): LinkListener {
    const link = this.#makeLink(session, channel, relay, true);
    this.isRoot = false;
    this.isProvisional = false;
    this.#leaveParent();
    this.parent = link;
    this.#setPosition(position);
    this.#begin(link);
    return this.#listenerOf(link);
  }

  #makeLink(session: Session, channel: TreeChannel, relay: RelayAddress, isUp: boolean): RelayLink {
    const { clock, random, forwarder } = this.surroundings;
    const roomTracks = this.room.tracks;
    const link = new RelayLink({ session, channel, relay, isUp, clock, random, forwarder, roomTracks });
    this.room.links.add(link);
    void session.closed.then(({ code }) => this.#linkEnded(link, code));
    return link;
  }

  #listenerOf(link: RelayLink): LinkListener {
    return {
      onMessage: (message) => this.#onMessage(link, message),
      // At the end of its stream the far side has said all that it had to say.
      onEnd: (reason, message) => link.close(reason === "lost" ? "internal-error" : reason, message),
    };
  }

  /** Says who is on this side. */
  #begin(link: RelayLink): void {
    for (const member of this.room.members.values())
      link.send({ type: "record", record: member.record(this.room.relayId) });
    this.room.remote.tellAll(link);
  }

  #onMessage(link: RelayLink, message: TreeMessage): void {
    if (!link.isOpen || applyLinkMessage(this.room, link, message)) return;
    switch (message.type) {
      case "position":
        if (link === this.parent) this.#setPosition(message);
        return;
      case "below":
        link.below = message.below;
        link.height = message.height;
        return this.#childrenChanged();
      case "vouch":
        return this.#onVouch(link, message.request, message.relayId);
      case "vouched":
        return this.#vouching.answer(message.request, message.ok);
      case "leaving":
        link.isLeaving = true;
        this.#fadingChanged(link);
        if (link === this.parent) this.#loseParent(link, false);
        return;
      case "take-over":
        if (link === this.parent) void this.#takeOver();
        return;
      default:
        link.close("protocol-error", `${message.type} makes no sense now`);
    }
  }

  #onVouch(link: RelayLink, request: number, relayId: string): void {
    const answer = (ok: boolean): void => link.send({ type: "vouched", request, ok });
    if (relayId === this.surroundings.address().id) return answer(false);
    if (this.isRoot) return answer(true);
    void this.#vouch(relayId).then(answer);
  }

  async #takeOver(): Promise<void> {
    const { supersedeRoom, view } = this.surroundings;
    const root = this.above[0]?.id ?? "";
    const claim = view.claims.get(this.room.name) ?? {
      room: this.room.name,
      relayId: root,
      epoch: this.epoch,
    };
    const standing = await supersedeRoom(claim);
    if (!this.#isEnded && standing?.relayId === this.surroundings.address().id) this.becomeRoot(standing);
  }

  #setPosition({ rooted, epoch, path, deputy }: TreePosition): void {
    this.epoch = epoch;
    this.above = path;
    this.deputy = deputy;
    this.isParentRooted = rooted;
    const { id } = this.surroundings.address();
    if (path.some((relay) => relay.id === id) || path.length >= MAX_TREE_DEPTH) {
      this.surroundings.log(
        `room ${this.room.name}: left relay ${this.parent?.relay.id}, which is below this one`,
      );
      this.parent?.close("tree-refused", "a loop, or too many floors");
    }
    this.#tellChildren();
  }

  #leaveParent(): void {
    const former = this.parent;
    if (former === undefined) return;
    this.parent = undefined;
    former.send({ type: "leaving" });
    former.isLeaving = true;
    this.room.remote.reconsider(former);
    const timer = this.surroundings.clock.after(FORMER_MS, () => {
      this.#timers.delete(timer);
      former.close("normal", "attached elsewhere");
    });
    this.#timers.add(timer);
  }

  #loseParent({ relay: { id } }: RelayLink, isDead: boolean): void {
    this.lostParent = { id, isDead };
    void this.#search.run();
  }

  #linkEnded(link: RelayLink, code: number): void {
    if (!this.room.links.delete(link)) return;
    link.end();
    link.endSubscriptions();
    this.room.remote.linkEnded(link);
    if (this.children.delete(link)) {
      this.#childrenChanged();
      this.surroundings.onEmptier(this.room);
    }
    if (this.parent !== link) return;
    this.parent = undefined;
    this.isParentRooted = false;
    this.#tellChildren();
    this.#loseParent(link, code === CLOSE_CODES.lost || link.isSilent);
  }

  #fadingChanged(link: RelayLink): void {
    this.room.remote.reconsider(link);
    if (!link.isUp) this.#childrenChanged();
    else if (link === this.parent) this.#tellChildren();
  }

  #childrenChanged(): void {
    this.#chooseDeputy();
    const { below, height } = this.children;
    this.parent?.send({ type: "below", below, height });
  }

  #chooseDeputy(): void {
    if (!this.isRoot) return;
    const deputy = this.children.chooseDeputy(this.deputy?.id);
    if (deputy?.id === this.deputy?.id) return;
    this.deputy = deputy;
    this.#tellChildren();
  }

  #tellChildren(): void {
    if (this.children.size === 0) return;
    this.children.send({ type: "position", ...this.position });
    // Who drains has given the room away by now.
    if (this.surroundings.isDraining() && !this.isRoot) this.children.send({ type: "leaving" });
  }
}
