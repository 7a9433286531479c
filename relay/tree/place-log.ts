/** Counts how places of this relay in its rooms' trees change. It only looks at them; nothing depends on it. */

/** A place as far as it matters here. */
interface TreePlace {
  readonly isRoot: boolean;
  readonly isProvisional: boolean;
  readonly parent: { readonly relay: { readonly id: string } } | undefined;
}

export interface PlaceCounts {
  roots: number;
  /** Roots that the directory has not confirmed. */
  provisional: number;
  /** Neither root nor attached to one. */
  unplaced: number;
}

const ROOT = "";

export class PlaceLog {
  /** Places that were left for another one: under another relay, or at the root. */
  readonly moves = { parent: 0, root: 0 };
  readonly #last = new WeakMap<TreePlace, string>();

  /** To be called often: what came and went in between is not seen. */
  look(tree: TreePlace): void {
    const now = tree.isRoot ? ROOT : tree.parent?.relay.id;
    if (now === undefined) return;
    const before = this.#last.get(tree);
    if (before === now) return;
    this.#last.set(tree, now);
    if (before !== undefined) this.moves[now === ROOT ? "root" : "parent"]++;
  }
}

export function countPlaces(trees: Iterable<TreePlace>): PlaceCounts {
  const counts = { roots: 0, provisional: 0, unplaced: 0 };
  for (const { isRoot, isProvisional, parent } of trees) {
    if (isRoot) counts.roots++;
    if (isRoot && isProvisional) counts.provisional++;
    if (!isRoot && parent === undefined) counts.unplaced++;
  }
  return counts;
}
