import { expect, test } from "vitest";
import { fuzzWebTransport } from "./fuzz.ts";

test.each([1, 2, 3])("seed %i: every input is read the same in any pieces, or refused", (seed) => {
  const { accepted, refused } = fuzzWebTransport(seed, 6000);
  // Both roads are walked; a fuzzer that only produces rubbish proves little.
  expect(accepted).toBeGreaterThan(1000);
  expect(refused).toBeGreaterThan(1000);
});
