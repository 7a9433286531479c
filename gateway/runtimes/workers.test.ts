import { expect, test } from "vitest";
import { startOnWorkers } from "./gateway-process.ts";
import { gatewayRuntimeContract } from "./runtime.contract.ts";

gatewayRuntimeContract("Workers", startOnWorkers);

test("on Workers a missing setting is a problem that does not say which", async () => {
  const gateway = await startOnWorkers({});
  try {
    const response = await fetch(`${gateway.url}/healthz`);
    const text = await response.text();
    expect(response.status).toBe(500);
    expect(text).toContain("/v1/docs#misconfigured");
    expect(text).not.toContain("TRIBUTARY_");
  } finally {
    await gateway.stop();
  }
}, 90_000);
