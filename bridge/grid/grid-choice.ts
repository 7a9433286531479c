/** Whose pictures the grid shows: everybody's, in the order in which they came; of too many, those who spoke last. Who is shown stays where they are. */
import type { OpenPicture } from "../programme/open-pictures.ts";
import { MAX_GRID_CELLS } from "./limits.ts";

export class GridChooser {
  #shown: readonly number[] = [];
  /** When a picture's owner was last heard, by identity, in looks. */
  readonly #heard = new Map<string, number>();
  #looks = 0;

  /** `open`: in the order of joining. `speakers`: loudest first. Screens come first in the result. */
  choose(open: readonly OpenPicture[], speakers: readonly string[]): OpenPicture[] {
    this.#looks++;
    for (const identity of speakers) this.#heard.set(identity, this.#looks);
    const there = new Set(open.map(({ identity }) => identity));
    for (const identity of this.#heard.keys()) if (!there.has(identity)) this.#heard.delete(identity);
    const byId = new Map(open.map((one) => [one.trackId, one]));
    const kept = this.#shown.flatMap((trackId) => byId.get(trackId) ?? []);
    const others = open.filter(({ trackId }) => !this.#shown.includes(trackId));
    const waiting = others.sort((a, b) => this.#rank(b) - this.#rank(a));
    while (kept.length < MAX_GRID_CELLS && waiting.length > 0) kept.push(waiting.shift()!);
    for (const one of waiting) this.#replace(kept, one);
    this.#shown = kept.map(({ trackId }) => trackId);
    return [...kept.filter(({ screen }) => screen), ...kept.filter(({ screen }) => !screen)];
  }

  /** Somebody who speaks now, or shows a screen, takes the place of who has been silent for the longest. */
  #replace(kept: OpenPicture[], one: OpenPicture): void {
    const rank = this.#rank(one);
    if (rank < this.#looks) return;
    let least = 0;
    kept.forEach((other, index) => {
      if (this.#rank(other) < this.#rank(kept[least]!)) least = index;
    });
    if (this.#rank(kept[least]!) < rank) kept[least] = one;
  }

  #rank({ identity, screen }: OpenPicture): number {
    return screen ? Number.POSITIVE_INFINITY : (this.#heard.get(identity) ?? 0);
  }
}
