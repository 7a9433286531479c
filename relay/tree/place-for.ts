/** Where a relay that asks to be attached belongs, as the relay that is asked sees it. */
import { MAX_TREE_DEPTH } from "../../core/wire/limits.ts";
import type { RelayAddress, TreePosition } from "../../core/wire/tree-messages.ts";
import { Refusal } from "../refusal.ts";
import type { Children } from "./children.ts";
import type { Attach } from "./link-arrival.ts";
import { chooseParent } from "./parent-choice.ts";
import type { TreeSurroundings } from "./surroundings.ts";

/** The relay that is asked. */
interface Asked {
  readonly surroundings: TreeSurroundings;
  readonly children: Children;
  readonly position: TreePosition;
  readonly isRooted: boolean;
  readonly isEnded: boolean;
}

/** The child that it should ask, or undefined: here. Throws Refusal `tree-refused`. */
export function placeFor(tree: Asked, { relay, below, height, avoid }: Attach): RelayAddress | undefined {
  const own = tree.surroundings.address();
  if (tree.isEnded || !tree.isRooted || tree.surroundings.isDraining())
    throw new Refusal("tree-refused", "this relay has no place in the room's tree itself now: try elsewhere");
  const { path } = tree.position;
  if (path.some(({ id }) => id === relay.id) || below.includes(own.id))
    throw new Refusal("tree-refused", "a loop would come of it: this relay is below the one that asks");
  const candidate = { id: relay.id, region: relay.region, avoid };
  const onward = chooseParent(own.region, tree.children.places(), candidate);
  const child = tree.children.get(onward ?? "");
  if (child !== undefined) return child.relay;
  if (path.length + 1 + height > MAX_TREE_DEPTH)
    throw new Refusal("tree-refused", `the tree would have more than ${MAX_TREE_DEPTH} floors`);
  return undefined;
}
