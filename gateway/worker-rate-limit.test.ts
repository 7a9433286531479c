import { expect, test } from "vitest";
import { gatewayFixture, KEY_HEADERS, problemOf } from "./gateway.fixture.ts";
import { WorkerRateLimit } from "./worker-rate-limit.ts";

/** A binding that lets so many requests of a key through, or fails. */
function bindingOf(limit: number) {
  const counts = new Map<string, number>();
  return {
    counts,
    isBroken: false,
    async limit({ key }: { key: string }) {
      if (this.isBroken) throw new Error("internal error");
      const count = (counts.get(key) ?? 0) + 1;
      counts.set(key, count);
      return { success: count <= limit };
    },
  };
}

async function gatewayWith(limit: number, env: Record<string, string> = {}) {
  const [perAddress, perKey] = [bindingOf(limit), bindingOf(limit)];
  const log: string[] = [];
  const shared = (binding: typeof perKey) =>
    new WorkerRateLimit(binding, (level, message) => log.push(`${level} ${message}`));
  const { app } = await gatewayFixture({
    env,
    sharedLimits: { perAddress: shared(perAddress), perKey: shared(perKey) },
  });
  const ask = (headers: Record<string, string> = KEY_HEADERS) =>
    app.request("/v1/rooms", { headers }, { incoming: { socket: { remoteAddress: "192.0.2.7" } } });
  return { perAddress, perKey, log, ask };
}

test("the shared limit refuses what is within this instance's own, and says when to come back", async () => {
  const { perAddress, perKey, ask } = await gatewayWith(2);
  for (let i = 0; i < 2; i++) expect((await ask()).status).toBe(200);
  const refused = await ask();
  expect(refused.headers.get("retry-after")).toBe("10");
  expect(await problemOf(refused)).toBe("429 rate-limited");
  expect([...perAddress.counts]).toEqual([["192.0.2.7", 3]]);
  expect([...perKey.counts]).toEqual([["app", 2]]);
});

test("what the own limit refuses, and a wrong secret, cost the shared one nothing", async () => {
  const { perAddress, perKey, ask } = await gatewayWith(100, { TRIBUTARY_RATE_PER_ADDRESS: "0.1/3" });
  for (let i = 0; i < 6; i++) await ask({ authorization: "Bearer app:wrong" });
  expect([...perAddress.counts]).toEqual([["192.0.2.7", 3]]);
  expect(perKey.counts.size).toBe(0);
});

test("a limit that is off is off in both places", async () => {
  const { perAddress, perKey, ask } = await gatewayWith(0, {
    TRIBUTARY_RATE_PER_ADDRESS: "off",
    TRIBUTARY_RATE_PER_KEY: "off",
  });
  expect((await ask()).status).toBe(200);
  expect(perAddress.counts.size + perKey.counts.size).toBe(0);
});

test("a binding that fails lets everybody through, and the log has it once", async () => {
  const { perAddress, log, ask } = await gatewayWith(0);
  perAddress.isBroken = true;
  for (let i = 0; i < 3; i++) expect(await problemOf(await ask())).toBe("429 rate-limited");
  expect(log).toEqual(["error the rate limiting binding failed"]);
});
