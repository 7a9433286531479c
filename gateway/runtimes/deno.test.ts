import { expect, test } from "vitest";
import { gatewayContract } from "./contract/gateway.contract.ts";
import { listedRelaysContract } from "./contract/listed-relays.contract.ts";
import { GatewayStartError, startOnDeno, startOnDenoServe } from "./gateway-process.ts";

gatewayContract("Deno", startOnDeno);
listedRelaysContract("Deno", startOnDeno);
listedRelaysContract("deno serve", startOnDenoServe);

test("on Deno a missing setting is one line and exit 1", async () => {
  const error = await startOnDeno({}).catch((reason: unknown) => reason);
  if (!(error instanceof GatewayStartError)) throw error;
  expect(error.exitCode).toBe(1);
  expect(error.output.trim()).toMatch(/^TRIBUTARY_API_KEYS is not set: [^\n]*$/);
});
