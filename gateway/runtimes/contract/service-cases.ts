/** The contract of gateways over HTTP: what a gateway says of itself, how it limits, and that all of its routes were tried. */
import { expect, test } from "vitest";
import packageJson from "../../../package.json" with { type: "json" };
import { ADDRESS_BURST, BUSY_KEY, KEY, KEY_BURST, type Stage } from "./stage.contract.ts";

const AT_ONCE = 25;

export function serviceCases(stage: Stage): void {
  test("it is alive, describes itself, and shows the public half of its key", async () => {
    const health = await stage.call("GET", "/healthz");
    expect(await health.json()).toEqual({ status: "ok", version: packageJson.version });
    expect(health.headers.get("x-content-type-options")).toBe("nosniff");
    expect(await stage.get("GET", "/.well-known/jwks.json")).toEqual({
      keys: [expect.objectContaining({ kid: stage.ticketKey.kid, x: stage.ticketKey.x })],
    });
    const page = await stage.call("GET", "/v1/docs");
    expect(page.headers.get("content-type")).toContain("text/html");
    expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(await page.text()).toContain("/v1/rooms/{room}/join");
  });
}

/** To be the last: uses up what its address may ask. */
export function limitCases(stage: Stage): void {
  test("a key that asks too much is told to wait; other keys are not touched", async () => {
    const path = "/v1/rooms/room/tokens";
    const ask = () => stage.call("POST", path, { headers: BUSY_KEY, body: { identity: "ann" } });
    const first = await ask();
    expect(first.headers.get("ratelimit-policy")).toBe(`"key";q=${KEY_BURST};w=${KEY_BURST * 100}`);
    expect(first.headers.get("ratelimit")).toMatch(new RegExp(`^"key";r=${KEY_BURST - 1};t=\\d+$`));
    const refused = await firstRefused(ask, KEY_BURST);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(1);
    expect(refused.headers.get("ratelimit")).toContain('"key";r=0;');
    expect(await stage.refusal("GET", "/v1/rooms", { headers: KEY })).toBe("200");
  });

  test("an address that asks too much is told to wait, whatever it says of itself; health is still told", async () => {
    const ask = (i: number) =>
      stage.call("GET", "/v1/rooms", { headers: { "x-forwarded-for": `192.0.2.${i % 250}` } });
    const refused = await firstRefused(ask, ADDRESS_BURST);
    expect(refused.headers.get("ratelimit-policy")).toContain('"address";');
    expect(await stage.refusal("GET", "/hls/room/index.m3u8")).toBe("429 rate-limited");
    expect(await stage.refusal("GET", "/healthz")).toBe("200");
  });
}

/** To come after all that call routes. */
export function coverageCase(stage: Stage): void {
  test("every route has been called, and has answered with success", async () => {
    const { paths } = await stage.get<{ paths: Record<string, object> }>("GET", "/v1/openapi.json");
    const routes = Object.entries(paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const others = ["GET /v1/docs", "GET /v1/openapi.json", "GET /tree", "GET /hls/{r}/index.m3u8"];
    others.push("GET /listen/{r}.mp3", "GET /recordings/{id}/index.m3u8");
    // A gateway that stands alone takes no guests: its refusal is what there is to see.
    const expected = (route: string) => (route.endsWith("/guests") ? 404 : "[23]\\d\\d");
    const calls = [...stage.calls];
    const missing = [...routes, ...others].filter((route) => {
      const [head = "", ...tail] = route
        .split(/\{\w+\}/)
        .map((text) => text.replaceAll(/[.*+?^$()|[\]\\]/g, "\\$&"));
      const pattern = new RegExp(`^${[head, ...tail].join("[^/]+")} ${expected(route)}$`);
      return !calls.some((call) => pattern.test(call));
    });
    expect(missing).toEqual([]);
  });
}

/** Asks until it is refused with 429, at most so often that it must have been. */
async function firstRefused(ask: (i: number) => Promise<Response>, burst: number): Promise<Response> {
  for (let i = 0; i <= burst; i += AT_ONCE) {
    const responses = await Promise.all(Array.from({ length: AT_ONCE }, (_, k) => ask(i + k)));
    for (const response of responses) await response.body?.cancel();
    const refused = responses.find(({ status }) => status === 429);
    if (refused) return refused;
  }
  throw new Error(`${burst} requests and more were let through`);
}
