/**
 * Under which relay another one is taken into a room's tree: under a relay of its own region if there is one, so that each track crosses
 * between two regions once, else here, and where this relay has enough children under the one with the fewest below it.
 */
import { MAX_CHILD_LINKS } from "../../core/wire/limits.ts";

/** A child of the relay that decides. */
export interface ChildPlace {
  id: string;
  region: string;
  /** Relays below it. */
  size: number;
}

export interface Candidate {
  id: string;
  region: string;
  /** Relays that it could not reach. */
  avoid: readonly string[];
}

/** Id of the child that should take the candidate, or undefined: take it here. */
export function chooseParent(
  ownRegion: string,
  children: readonly ChildPlace[],
  candidate: Candidate,
): string | undefined {
  if (children.some(({ id }) => id === candidate.id)) return undefined;
  const open = children.filter(({ id }) => !candidate.avoid.includes(id));
  const isFar = candidate.region !== ownRegion && candidate.region !== "";
  const near = isFar ? open.filter(({ region }) => region === candidate.region) : [];
  if (near.length > 0) return smallest(near);
  return children.length < MAX_CHILD_LINKS ? undefined : smallest(open);
}

/** Who takes the root's place when it dies: the one with most relays below it, so that the fewest must move. */
export function chooseDeputy(children: readonly ChildPlace[], now: string | undefined): string | undefined {
  if (children.some(({ id }) => id === now)) return now;
  let deputy: ChildPlace | undefined;
  for (const child of children) if (deputy === undefined || child.size > deputy.size) deputy = child;
  return deputy?.id;
}

function smallest(children: readonly ChildPlace[]): string | undefined {
  let least: ChildPlace | undefined;
  for (const child of children) if (least === undefined || child.size < least.size) least = child;
  return least?.id;
}
