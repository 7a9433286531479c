import { expect, test } from "vitest";
import { GatewayStartError, startOnDeno } from "./gateway-process.ts";
import { gatewayRuntimeContract } from "./runtime.contract.ts";

gatewayRuntimeContract("Deno", startOnDeno);

test("on Deno a missing setting is one line and exit 1", async () => {
  const error = await startOnDeno({}).catch((reason: unknown) => reason);
  if (!(error instanceof GatewayStartError)) throw error;
  expect(error.exitCode).toBe(1);
  expect(error.output.trim()).toMatch(/^TRIBUTARY_API_KEYS is not set: [^\n]*$/);
});
