import { expect, test } from "vitest";
import { gatewayContract } from "./contract/gateway.contract.ts";
import { listedRelaysContract } from "./contract/listed-relays.contract.ts";
import { GatewayStartError, startOnNode } from "./gateway-process.ts";

gatewayContract("Node.js", startOnNode);
listedRelaysContract("Node.js", startOnNode);

test("on Node.js a missing setting is one line and exit 1", async () => {
  const error = await startOnNode({}).catch((reason: unknown) => reason);
  if (!(error instanceof GatewayStartError)) throw error;
  expect(error.exitCode).toBe(1);
  expect(error.output.trim()).toMatch(/^TRIBUTARY_API_KEYS is not set: [^\n]*$/);
});
