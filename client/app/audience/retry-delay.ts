/** How long a page waits before it looks again for something that is not there: a little longer each time, never in step with others. */

const FIRST_MS = 2_000;
const LONGEST_MS = 15_000;

/** `tries` looks have been made (1 = the first), `random` is in [0, 1). Milliseconds. */
export function retryDelayMs(tries: number, random: number): number {
  const longest = Math.min(LONGEST_MS, FIRST_MS * 1.5 ** Math.max(0, tries - 1));
  return longest * (0.75 + random / 4);
}
