/**
 * Which earlier audio frames travel along with a new one: the last two to four where losses are single, frames further
 * apart where they come in bursts. docs/wire.md, "Audio redundancy".
 */
import { MAX_REDUNDANT_FRAMES } from "../wire/limits.ts";
import { type RedundantFrame, writeRedundantPayload } from "../wire/redundancy.ts";
import type { AccessUnit } from "./access-unit.ts";
import type { HopConditions } from "./recovery/protection-policy.ts";

/** While nothing is lost one copy is enough for the first losses, until the others are called for: each costs as much as the sound itself. */
const CLEAN_DISTANCES = [1];
const CLEAN = 0.003;
const CALM_DISTANCES = [1, 2];
/** Where two copies are not enough: a third brings back what they do not, 20 ms later, and long before repair would. */
const LOSSY_DISTANCES = [1, 2, 3];
const LOSSY = 0.08;
/** Two lossy hops behind each other. */
const VERY_LOSSY_DISTANCES = [1, 2, 3, 4];
const VERY_LOSSY = 0.24;
const BURSTY_DISTANCES = [1, 3, 5];
const BURSTY_MS = 12;
const LEAST_BURSTY = 0.01;
/** Frames are remembered up to the largest distance. */
const REMEMBERED = 6;
const ENTRY_BYTES = 5;
const MAX_AGE_US = 6_500_000;

/** What a hop, or the whole way, loses: share of datagrams, and how long losses last. */
export type Losses = Pick<HopConditions, "loss" | "burstMs">;

/** How many frames back the copies are, for what is known of the way to the receiver. */
export function redundancyDistances(hop: Readonly<Losses>): readonly number[] {
  if (hop.loss < CLEAN) return CLEAN_DISTANCES;
  if (hop.loss >= LEAST_BURSTY && hop.burstMs >= BURSTY_MS) return BURSTY_DISTANCES;
  if (hop.loss < LOSSY) return CALM_DISTANCES;
  return hop.loss < VERY_LOSSY ? LOSSY_DISTANCES : VERY_LOSSY_DISTANCES;
}

export class AudioRedundancy {
  readonly #recent: AccessUnit[] = [];
  #beyond: Losses = { loss: 0, burstMs: 0 };

  /** What the worst of the hops behind the next relay loses: copies serve the whole way. */
  setBeyond(losses: Losses): void {
    this.#beyond = losses;
  }

  /** Forgets earlier units: they will not travel along. */
  clear(): void {
    this.#recent.length = 0;
  }

  /**
   * The payload for `unit` with copies of earlier units in front, at most `maxBytes` long; undefined when there is no copy to
   * send, or no room. Units are kept, their bytes must not change.
   */
  wrap(unit: AccessUnit, maxBytes: number, hop: Readonly<Losses>): Uint8Array | undefined {
    const way: Losses = {
      loss: 1 - (1 - hop.loss) * (1 - this.#beyond.loss),
      burstMs: Math.max(hop.burstMs, this.#beyond.burstMs),
    };
    const redundant: RedundantFrame[] = [];
    let length = 1 + unit.bytes.length;
    for (const distance of redundancyDistances(way)) {
      const copy = this.#recent.find((earlier) => ((unit.frameId - earlier.frameId) | 0) === distance);
      if (copy === undefined || copy.encrypted !== unit.encrypted) continue;
      const ageUs = unit.captureTimeUs - copy.captureTimeUs;
      length += ENTRY_BYTES + copy.bytes.length;
      if (ageUs < 0 || ageUs > MAX_AGE_US || length > maxBytes || redundant.length >= MAX_REDUNDANT_FRAMES)
        break;
      redundant.push({ distance, ageUs, bytes: copy.bytes });
    }
    this.#recent.push(unit);
    if (this.#recent.length > REMEMBERED) this.#recent.shift();
    return redundant.length === 0 ? undefined : writeRedundantPayload({ primary: unit.bytes, redundant });
  }
}
