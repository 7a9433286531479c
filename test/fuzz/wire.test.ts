import { expect, it } from "vitest";
import { fuzzControlMessages } from "./control-messages.ts";
import { fuzzDatagrams } from "./datagrams.ts";

it.each([1, 2, 3])("datagram decoders survive hostile bytes, seed %i", (seed) => {
  const taken = fuzzDatagrams(seed, 20_000);
  // Some must get through, or the fuzzer tests nothing but the first check.
  expect(taken).toBeGreaterThan(2_000);
});

it.each([1, 2, 3])("the control channel survives hostile bytes, seed %i", async (seed) => {
  expect(await fuzzControlMessages(seed, 5_000)).toBeGreaterThan(100);
});
