/** What the TCP listener makes of clients that break the rules, on Node. */
import { describe, it } from "vitest";
import { listenerContract } from "../../test/fuzz/tcp-listener.contract.ts";

describe("TCP listener on Node", () => {
  for (const { name, run } of listenerContract) it(name, run);
});
