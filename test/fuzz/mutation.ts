/** Hostile bytes from valid ones: what all fuzz tests of ours feed their decoders. Seeded, so that a failure can be had again. */
import type { Random } from "../../core/clock.ts";

/** Bytes that often sit at the edge of a check. */
const EDGES = [0x00, 0x01, 0x7f, 0x80, 0xc1, 0xde, 0xdf, 0xfe, 0xff];
const MAX_RANDOM_BYTES = 300;

export function randomBytes(random: Random, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => Math.floor(random() * 256));
}

function below(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}

/** One hostile input: random, or a sample cut, extended, overwritten, with bits flipped, or spliced with another. */
export function hostileBytes(random: Random, samples: readonly Uint8Array[]): Uint8Array {
  const kind = below(random, 8);
  const sample = samples[below(random, samples.length)]!;
  if (kind === 0) return randomBytes(random, below(random, MAX_RANDOM_BYTES));
  if (kind === 1) return sample.slice(0, below(random, sample.length + 1));
  if (kind === 2) {
    const other = samples[below(random, samples.length)]!;
    const head = sample.subarray(0, below(random, sample.length + 1));
    const tail = other.subarray(below(random, other.length + 1));
    return Uint8Array.of(...head, ...tail);
  }
  const bytes =
    kind === 3 ? Uint8Array.of(...sample, ...randomBytes(random, below(random, 40))) : sample.slice();
  if (bytes.length === 0) return bytes;
  const changes = 1 + below(random, 4);
  for (let i = 0; i < changes; i++) {
    const at = below(random, bytes.length);
    bytes[at] = kind < 6 ? EDGES[below(random, EDGES.length)]! : bytes[at]! ^ (1 << below(random, 8));
  }
  return bytes;
}
