/**
 * The tree of a room's relays, put together from what each of them says of its own place. Relays that say nothing are in it where
 * others name them. While the tree changes two relays may disagree: a relay's own word on its parent counts.
 */
import { MAX_RELAYS_PER_ROOM } from "../core/wire/limits.ts";
import type { TreeLink, TreePlace } from "../core/wire/operations-api.ts";

export interface TreeNode {
  relayId: string;
  region: string;
  /** False: it did not answer, all that is known of it is what others say. */
  reachable: boolean;
  /** Those with a session on it. */
  participants?: number | undefined;
  /** To its parent: as the parent measures it, and as it does itself. */
  link?: { down?: TreeLink | undefined; up?: TreeLink | undefined } | undefined;
  children: TreeNode[];
}

export interface RoomTree {
  epoch: number;
  provisional: boolean;
  deputy?: string;
  /** Of the whole room. */
  participants: number;
  tracks: number;
  root: TreeNode;
  /** Relays that are on their way to another parent, with what is below them. */
  adrift: TreeNode[];
}

/** Every relay that places speak of, at most MAX_RELAYS_PER_ROOM; with its region where that is told. */
export function relaysNamed(places: Iterable<TreePlace>): Map<string, string> {
  const regions = new Map<string, string>();
  const name = (id: string, region?: string): void => {
    if (!regions.has(id) && regions.size >= MAX_RELAYS_PER_ROOM) return;
    if (region !== undefined || !regions.has(id)) regions.set(id, region ?? "");
  };
  for (const place of places) {
    name(place.relayId, place.region);
    for (const id of place.path) name(id);
    for (const link of [...(place.parent ? [place.parent] : []), ...place.children])
      name(link.relayId, link.region);
    for (const { below } of place.children) for (const id of below) name(id);
  }
  return regions;
}

/** `places`: at least one. */
export function treeOf(places: ReadonlyMap<string, TreePlace>): RoomTree {
  const all = [...places.values()];
  const newest = all.reduce((best, place) => (isAbove(place, best) ? place : best));
  const rootId = newest.root ? newest.relayId : (newest.path[0] ?? newest.relayId);
  const regions = relaysNamed(all);
  const children = new Map<string, string[]>();
  for (const id of [...regions.keys()].sort()) {
    const parent = id === rootId ? undefined : parentOf(id, places);
    if (parent === undefined || parent === id) continue;
    children.set(parent, [...(children.get(parent) ?? []), id]);
  }
  const drawn = new Set<string>();
  const draw = (id: string, parent?: string): TreeNode => {
    drawn.add(id);
    const place = places.get(id);
    const link = parent === undefined ? undefined : linkBetween(id, parent, places.get(parent), place);
    return {
      relayId: id,
      region: regions.get(id) ?? "",
      reachable: place !== undefined,
      ...(place ? { participants: place.participantsHere } : {}),
      ...(link ? { link } : {}),
      children: (children.get(id) ?? []).filter((child) => !drawn.has(child)).map((child) => draw(child, id)),
    };
  };
  const root = draw(rootId);
  const adrift: TreeNode[] = [];
  const others = [...places.keys()].sort();
  // Those under nobody take along who is below them; what is left then goes round in a loop.
  for (const ids of [others.filter((id) => !places.has(parentOf(id, places) ?? "")), others])
    for (const id of ids) if (!drawn.has(id)) adrift.push(draw(id));
  return {
    epoch: newest.epoch,
    provisional: newest.provisional,
    ...(newest.deputy ? { deputy: newest.deputy } : {}),
    participants: newest.participantsHere + newest.participantsElsewhere,
    tracks: newest.tracks,
    root,
    adrift,
  };
}

/** Roots first, of several the one with the larger epoch: an older one has not heard yet that it lost the room. */
function isAbove(a: TreePlace, b: TreePlace): boolean {
  if (a.root !== b.root) return a.root;
  if (a.epoch !== b.epoch) return a.epoch > b.epoch;
  return a.relayId < b.relayId;
}

function parentOf(id: string, places: ReadonlyMap<string, TreePlace>): string | undefined {
  const own = places.get(id);
  if (own) return own.parent?.relayId;
  let nearest: { id: string; distance: number } | undefined;
  for (const place of places.values()) {
    for (const child of place.children) {
      const isChild = child.relayId === id;
      if (!isChild && !child.below.includes(id)) continue;
      // Who has few relays below it is closer than who has many; a link that ends says little.
      const distance = (isChild ? 0 : 1 + child.below.length) + (child.leaving ? 0.5 : 0);
      if (nearest && nearest.distance <= distance) continue;
      nearest = { id: isChild ? place.relayId : child.relayId, distance };
    }
  }
  return nearest?.id;
}

function linkBetween(
  id: string,
  parentId: string,
  above: TreePlace | undefined,
  place: TreePlace | undefined,
): TreeNode["link"] {
  const down = above?.children.find((child) => child.relayId === id);
  const up = place?.parent?.relayId === parentId ? place.parent : undefined;
  if (!down && !up) return undefined;
  return { ...(down ? { down: figuresOf(down) } : {}), ...(up ? { up } : {}) };
}

function figuresOf({ below: _, height: __, ...link }: TreePlace["children"][number]): TreeLink {
  return link;
}
