import { describe, expect, test } from "vitest";
import { addressBucket, forwardedAddress } from "./client-address.ts";
import { gatewayFixture, KEY_HEADERS, problemOf } from "./gateway.fixture.ts";
import { MAX_RATE_BUCKETS, RateLimit } from "./rate-limit.ts";

function limitAt(rate: { perSecond: number; burst: number }, maxBuckets?: number) {
  let nowUs = 1e15;
  const clock = {
    nowUs: () => nowUs,
    after: () => {
      throw new Error("a rate limit needs no timers");
    },
  };
  const limit = new RateLimit(rate, clock, maxBuckets);
  const pass = (seconds: number): void => {
    nowUs += seconds * 1e6;
  };
  return { limit, pass };
}

describe("token bucket", () => {
  test("lets the burst through at once, then as many as the rate says", () => {
    const { limit, pass } = limitAt({ perSecond: 2, burst: 3 });
    expect([1, 2, 3].map(() => limit.take("a").remaining)).toEqual([2, 1, 0]);
    expect(limit.take("a")).toEqual({ allowed: false, remaining: 0, resetSeconds: 1 });
    pass(0.5);
    expect(limit.take("a").allowed).toBe(true);
    expect(limit.take("a").allowed).toBe(false);
    pass(3600);
    expect([1, 2, 3, 4].map(() => limit.take("a").allowed)).toEqual([true, true, true, false]);
  });

  test("after the time it names, one more is allowed, also at slow rates", () => {
    const { limit, pass } = limitAt({ perSecond: 0.1, burst: 1 });
    limit.take("a");
    pass(3);
    const refused = limit.take("a");
    expect(refused).toEqual({ allowed: false, remaining: 0, resetSeconds: 7 });
    pass(refused.resetSeconds);
    expect(limit.take("a").allowed).toBe(true);
  });

  test("buckets are apart from one another, and a bounded number of them is kept", () => {
    const { limit } = limitAt({ perSecond: 1, burst: 1 }, 100);
    expect(limit.take("a").allowed).toBe(true);
    expect(limit.take("b").allowed).toBe(true);
    expect(limit.take("a").allowed).toBe(false);
    for (let i = 0; i < 99; i++) limit.take(`other ${i}`);
    expect(limit.size).toBe(100);
    // "b" was used longest ago and is forgotten; "a" was used later and is not.
    expect(limit.take("a").allowed).toBe(false);
    expect(limit.take("b").allowed).toBe(true);
  });

  test("a flood of addresses does not grow it past its maximum", () => {
    const { limit } = limitAt({ perSecond: 1, burst: 1 });
    for (let i = 0; i < MAX_RATE_BUCKETS * 2; i++) limit.take(String(i));
    expect(limit.size).toBe(MAX_RATE_BUCKETS);
  });
});

describe("address buckets", () => {
  test.each([
    ["192.0.2.7", "192.0.2.7"],
    ["::ffff:192.0.2.7", "192.0.2.7"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:0DB8:0001:0002:ffff::1", "2001:db8:1:2::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["2001:db8:1:2::", "2001:db8:1:2::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["[::1]", "0:0:0:0::/64"],
    ["", "unknown"],
    [undefined, "unknown"],
  ])("%s counts as %s", (address, bucket) => {
    expect(addressBucket(address)).toBe(bucket);
  });

  test("of X-Forwarded-For only the last entry, our proxy's, is taken", () => {
    const request = (value: string) => new Request("http://x/", { headers: { "x-forwarded-for": value } });
    expect(forwardedAddress(request("6.6.6.6, 192.0.2.7"))).toBe("192.0.2.7");
    expect(forwardedAddress(request("6.6.6.6,"))).toBeUndefined();
    expect(forwardedAddress(new Request("http://x/"))).toBeUndefined();
  });
});

describe("limits of the gateway", () => {
  const env = { TRIBUTARY_RATE_PER_ADDRESS: "1/3", TRIBUTARY_RATE_PER_KEY: "off" };
  const from = (remoteAddress: string) => ({ incoming: { socket: { remoteAddress } } });

  test("an address that asks too much is told how long to wait; others are not touched", async () => {
    const { app, clock } = await gatewayFixture({ env });
    const ask = (address: string, headers: Record<string, string> = {}) =>
      app.request("/v1/rooms", { headers }, from(address));
    for (const left of [2, 1, 0]) {
      const response = await ask("192.0.2.7");
      expect(response.status).toBe(401);
      expect(response.headers.get("ratelimit")).toMatch(new RegExp(`^"address";r=${left};t=\\d+$`));
      expect(response.headers.get("ratelimit-policy")).toBe('"address";q=3;w=3');
    }
    const refused = await ask("192.0.2.7", { "x-forwarded-for": "192.0.2.9" });
    expect(refused.headers.get("retry-after")).toBe("1");
    expect(await problemOf(refused)).toBe("429 rate-limited");
    expect((await ask("192.0.2.8")).status).toBe(401);
    expect((await app.request("/healthz", {}, from("192.0.2.7"))).status).toBe(200);
    clock.pass(1000);
    expect((await ask("192.0.2.7")).status).toBe(401);
  });

  test("X-Forwarded-For counts only when the operator says that a proxy is in front", async () => {
    const { app } = await gatewayFixture({ env: { ...env, TRIBUTARY_TRUST_PROXY: "1" } });
    const ask = (forwarded: string) =>
      app.request("/v1/rooms", { headers: { "x-forwarded-for": forwarded } }, from("10.0.0.1"));
    for (let i = 0; i < 3; i++) expect((await ask(`6.6.6.${i}, 192.0.2.7`)).status).toBe(401);
    expect((await ask("6.6.6.9, 192.0.2.7")).status).toBe(429);
    expect((await ask("192.0.2.8")).status).toBe(401);
  });

  test("an API key has a limit of its own, wherever it is used from; a wrong secret does not use it up", async () => {
    const { app, post, token, join } = await gatewayFixture({
      env: { TRIBUTARY_RATE_PER_KEY: "0.5/2", TRIBUTARY_RATE_PER_ADDRESS: "off" },
    });
    const held = await token("room");
    for (let i = 0; i < 5; i++) {
      const wrong = { authorization: "Bearer app:wrong" };
      expect((await post("/v1/rooms/room/tokens", { identity: "ann" }, wrong)).status).toBe(401);
    }
    expect((await join("room", held)).status).toBe(200);
    const refused = await app.request("/v1/rooms", { headers: KEY_HEADERS });
    expect(refused.headers.get("ratelimit")).toBe('"key";r=0;t=2');
    expect(await problemOf(refused)).toBe("429 rate-limited");
  });
});
