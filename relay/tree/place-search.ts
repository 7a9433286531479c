/**
 * Looks for a relay's place in a room's tree: claims the room, or attaches under the root or where the root sends it; takes the room over
 * when the root is dead. Goes on until there is a place; one search at a time.
 */
import type { RoomClaim } from "../../core/directory/directory.ts";
import type { Session } from "../../core/session/session.ts";
import { PROTOCOL_VERSION, TREE_PATH } from "../../core/wire/limits.ts";
import type { RelayAddress, TreePosition } from "../../core/wire/tree-messages.ts";
import type { Children } from "./children.ts";
import { CREDENTIAL_SECONDS } from "./credential.ts";
import { type DialOutcome, dialLink, type LinkListener } from "./link-dial.ts";
import type { TreeChannel } from "./relay-link.ts";
import type { TreeSurroundings } from "./surroundings.ts";

const ATTACH_TIMEOUT_MS = 1_500;
/** A relay that has not answered by then is no longer waited for alone. */
const HEDGE_MS = 250;
/** And after so long after the last one was asked, the round is over. */
const PATIENCE_MS = 350;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 500;
/** A relay may be sent on so many times. */
const MAX_REDIRECTS = 8;
/** Without the deputy's privilege a root is superseded after so many rounds in which neither it nor its deputy could be reached. */
const TAKE_OVER_ROUND = 3;
const MAX_AVOIDED = 16;
/** The directory is asked again after this by a root that it does not know of. */
const PROVISIONAL_RETRY_MS = 1_000;

/** The place that is looked for. */
export interface Placed {
  readonly room: { readonly name: string };
  readonly surroundings: TreeSurroundings;
  readonly children: Children;
  readonly isPlaced: boolean;
  readonly isEnded: boolean;
  readonly isProvisional: boolean;
  readonly epoch: number;
  /** From the root to the last parent. */
  readonly above: readonly RelayAddress[];
  readonly deputy: RelayAddress | undefined;
  /** The last parent that was lost rather than left, and whether it seems to be dead. */
  lostParent: { id: string; isDead: boolean } | undefined;
  /** Relay that took the room over from this one. */
  readonly supersededBy: string | undefined;
  /** `claim` undefined: the directory does not answer, and nobody else is known to be the root. */
  becomeRoot(claim: RoomClaim | undefined): void;
  onClaim(claim: RoomClaim): void;
  setParent(
    relay: RelayAddress,
    session: Session,
    channel: TreeChannel,
    position: TreePosition,
  ): LinkListener;
}

export class PlaceSearch {
  readonly #tree: Placed;
  #running: Promise<void> | undefined;
  #onClaimKnown: () => void = () => {};
  /** Relays that did not take us in this round, */
  readonly #avoid = new Set<string>();
  /** because they seem to be dead. */
  readonly #unreachable = new Set<string>();
  /** Times that this relay became the root without the directory. */
  #provisionalRound = 0;
  /** Relays that are being asked. */
  readonly #asking = new Set<string>();
  /** Epoch of the claim that this round goes by. */
  #roundEpoch = 0;
  /** The room has got another root since the round began: what is waited for is the old tree. */
  #isOutdated = false;
  #wake: () => void = () => {};

  constructor(tree: Placed) {
    this.#tree = tree;
  }

  /** Starts the first search; resolves when it is known who the root is. */
  start(): Promise<void> {
    return new Promise((resolve) => {
      this.#onClaimKnown = resolve;
      void this.run().finally(resolve);
    });
  }

  /** Resolves when there is a place, or the room has ended here. */
  run(): Promise<void> {
    this.#running ??= this.#search().finally(() => {
      this.#running = undefined;
      // The place was lost again while the search ended.
      if (!this.#tree.isPlaced && !this.#tree.isEnded) void this.run();
    });
    return this.#running;
  }

  /** A search that waits for relays which may be dead goes on with the new root at once. */
  onClaim({ epoch }: RoomClaim): void {
    if (this.#running === undefined || epoch <= this.#roundEpoch) return;
    this.#isOutdated = true;
    this.#wake();
  }

  async #search(): Promise<void> {
    const tree = this.#tree;
    this.#avoid.clear();
    this.#unreachable.clear();
    const { lostParent } = tree;
    tree.lostParent = undefined;
    // Who is silent or going away is not asked first.
    if (lostParent !== undefined) this.#avoid.add(lostParent.id);
    if (lostParent?.isDead) this.#unreachable.add(lostParent.id);
    for (let round = 0; !tree.isPlaced && !tree.isEnded; round++) {
      await this.#attempt(round);
      if (tree.isPlaced || tree.isEnded) return;
      const { random } = tree.surroundings;
      const longestMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(round, 8));
      if (!this.#isOutdated) await this.#pause(longestMs * (0.5 + random() / 2));
      this.#avoid.clear();
      this.#unreachable.clear();
    }
  }

  /** Ends early when the room gets another root. */
  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      this.#tree.surroundings.clock.after(delayMs, resolve);
    });
  }

  async #attempt(round: number): Promise<void> {
    const tree = this.#tree;
    const { claimRoom, view, address } = tree.surroundings;
    const { name } = tree.room;
    const asked = await claimRoom(name, tree.epoch);
    const claim = asked ?? view.claims.get(name);
    this.#roundEpoch = claim?.epoch ?? tree.epoch;
    this.#isOutdated = false;
    this.#onClaimKnown();
    if (tree.isEnded) return;
    if (claim?.relayId === address().id) return tree.becomeRoot(claim);
    if (claim === undefined && tree.above.length === 0) return this.#becomeProvisional();
    await this.#attachToAny(this.#targets(claim));
    if (!tree.isPlaced && !tree.isEnded && !this.#isOutdated) await this.#takeOver(claim, round);
  }

  /**
   * One after the other, the next one a little later also when the one before does not answer. Who does not answer is not waited
   * for, but taken if it answers after all.
   */
  async #attachToAny(targets: readonly RelayAddress[]): Promise<void> {
    const tree = this.#tree;
    const attempts: Promise<void>[] = [];
    for (const target of targets) {
      if (tree.isPlaced || tree.isEnded || this.#isOutdated) return;
      if (this.#asking.has(target.id)) continue;
      const attempt = this.#attachAt(target);
      attempts.push(attempt);
      await Promise.race([attempt, this.#pause(HEDGE_MS)]);
    }
    if (!this.#isOutdated) await Promise.race([Promise.all(attempts), this.#pause(PATIENCE_MS)]);
    for (const id of this.#asking) this.#unreachable.add(id);
  }

  /** Root without the directory; it is asked again and again. */
  #becomeProvisional(): void {
    const tree = this.#tree;
    const { clock, claimRoom } = tree.surroundings;
    tree.becomeRoot(undefined);
    const round = ++this.#provisionalRound;
    const isOver = (): boolean => tree.isEnded || !tree.isProvisional || round !== this.#provisionalRound;
    const ask = async (): Promise<void> => {
      const claim = isOver() ? undefined : await claimRoom(tree.room.name, tree.epoch);
      if (isOver()) return;
      if (claim === undefined) return void clock.after(PROVISIONAL_RETRY_MS, () => void ask());
      // A smaller epoch is that of a root which was given up; the directory knows best all the same.
      tree.onClaim(claim.epoch > tree.epoch ? claim : { ...claim, epoch: tree.epoch + 1 });
    };
    clock.after(PROVISIONAL_RETRY_MS, () => void ask());
  }

  /** In the order to try. The root's deputy first, where it is the root that was lost. */
  #targets(claim: RoomClaim | undefined): RelayAddress[] {
    const { above, deputy, surroundings } = this.#tree;
    const holder = claim && surroundings.view.addressOf(claim.relayId);
    const [root, ...others] = above;
    const lostRoot = root !== undefined && this.#avoid.has(root.id);
    const ordered = lostRoot ? [deputy, holder, ...others] : [holder, root, deputy, ...others];
    const own = surroundings.address().id;
    const targets = new Map<string, RelayAddress>();
    for (const relay of ordered) {
      if (relay === undefined || relay.id === own || this.#avoid.has(relay.id)) continue;
      if (!targets.has(relay.id)) targets.set(relay.id, surroundings.view.addressOf(relay.id) ?? relay);
    }
    return [...targets.values()];
  }

  async #attachAt(target: RelayAddress): Promise<void> {
    const tree = this.#tree;
    let at = target;
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      this.#asking.add(at.id);
      const outcome = await this.#dial(at);
      this.#asking.delete(at.id);
      if (outcome.type === "attached" || tree.isPlaced || tree.isEnded) return;
      if (outcome.type !== "redirect") {
        tree.surroundings.log(`room ${tree.room.name}: relay ${at.id} ${outcome.type}: ${outcome.message}`);
        this.#avoid.add(at.id);
        if (outcome.type === "unreachable") this.#unreachable.add(at.id);
        return;
      }
      if (this.#avoid.has(outcome.to.id) || outcome.to.id === tree.surroundings.address().id) return;
      at = outcome.to;
    }
  }

  async #dial(at: RelayAddress): Promise<DialOutcome> {
    const tree = this.#tree;
    const { clock, keys, connect, address } = tree.surroundings;
    const room = tree.room.name;
    const iat = Math.floor(clock.nowUs() / 1_000_000);
    const credential = await keys.sign({
      iss: address().id,
      aud: at.id,
      room,
      iat,
      exp: iat + CREDENTIAL_SECONDS,
    });
    return await dialLink({
      clock,
      timeoutMs: ATTACH_TIMEOUT_MS,
      connect: () =>
        connect({ ...at, url: treeUrl(at.url), fallbackUrl: treeUrl(at.fallbackUrl) }, ATTACH_TIMEOUT_MS),
      attach: {
        type: "attach",
        version: PROTOCOL_VERSION,
        room,
        relay: address(),
        credential,
        below: tree.children.below,
        height: tree.children.height,
        avoid: [...this.#avoid].slice(-MAX_AVOIDED),
      },
      isWanted: () => !tree.isPlaced && !tree.isEnded,
      onAttached: (session, channel, position) => tree.setParent(at, session, channel, position),
    });
  }

  /** Nobody takes us. The deputy takes a lost root's place at once, others when the root is gone for sure. */
  async #takeOver(claim: RoomClaim | undefined, round: number): Promise<void> {
    const tree = this.#tree;
    const { view, supersedeRoom, address } = tree.surroundings;
    const own = address().id;
    const rootId = claim?.relayId ?? tree.above[0]?.id;
    if (rootId === undefined) return;
    const isDead = !view.relays.has(rootId);
    if (!isDead && !this.#unreachable.has(rootId)) return;
    // A deputy that is below this relay waits for it.
    const isDeputy = tree.deputy?.id === own || tree.children.below.includes(tree.deputy?.id ?? "");
    const isWar = tree.supersededBy === rootId;
    if (!isDeputy && !isDead && (round < TAKE_OVER_ROUND || isWar)) return;
    const standing = claim && (await supersedeRoom(claim));
    if (tree.isEnded || tree.isPlaced) return;
    if (standing?.relayId === own) return tree.becomeRoot(standing);
    if (standing === undefined && (isDeputy || round >= TAKE_OVER_ROUND)) this.#becomeProvisional();
  }
}

/** Where it takes links; "" = nowhere on this road. */
function treeUrl(url: string): string {
  return url === "" ? "" : new URL(TREE_PATH, url).href;
}
