/** Where a relay that asks to be attached belongs, as the relay that is asked sees it. */
import { MAX_TREE_DEPTH } from "../../core/wire/limits.ts";
import type { RelayAddress, TreePosition } from "../../core/wire/tree-messages.ts";
import { Refusal } from "../refusal.ts";
import type { Children } from "./children.ts";
import type { Attach } from "./link-arrival.ts";
import { chooseParent, HERE } from "./parent-choice.ts";
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
  if (path.some(({ id }) => id === relay.id))
    throw new Refusal("tree-refused", "a loop would come of it: the relay that asks is above this one");
  if (below.includes(own.id))
    throw new Refusal("tree-refused", "a loop would come of it: the relay that asks has this one below it");
  const candidate = { id: relay.id, region: relay.region, avoid };
  const { children } = tree;
  const onward = chooseParent(own.region, children.places(), children.size, candidate);
  if (onward === undefined)
    throw new Refusal("tree-refused", "this relay has too many below it already: try again");
  if (onward !== HERE) return children.get(onward)?.relay;
  if (path.length + 1 + height > MAX_TREE_DEPTH)
    throw new Refusal("tree-refused", `the tree would have more than ${MAX_TREE_DEPTH} floors`);
  return undefined;
}
