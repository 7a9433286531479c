import { describe, expect, test } from "vitest";
import { gatewayFixture, KEY_HEADERS, problemOf, relayNamed } from "./gateway.fixture.ts";
import { MAX_BODY_BYTES } from "./limits.ts";
import { PROBLEMS } from "./problem.ts";

const TOKENS = "/v1/rooms/room/tokens";
const JSON_TYPE = { "content-type": "application/json" };

describe("refusals are problem documents", () => {
  const cases: [string, string, RequestInit, string][] = [
    ["an unknown address", "/v1/nothing", {}, "404 not-found"],
    ["the root", "/", {}, "404 not-found"],
    ["a wrong method", "/v1/rooms/room/join", { method: "GET" }, "405 method-not-allowed"],
    [
      "no JSON",
      TOKENS,
      { method: "POST", body: "{", headers: { ...JSON_TYPE, ...KEY_HEADERS } },
      "400 malformed-json",
    ],
    [
      "an empty body",
      TOKENS,
      { method: "POST", body: "", headers: { ...JSON_TYPE, ...KEY_HEADERS } },
      "400 malformed-json",
    ],
    [
      "another type of body",
      TOKENS,
      { method: "POST", body: "identity=ann", headers: { "content-type": "text/plain", ...KEY_HEADERS } },
      "415 not-json",
    ],
    [
      "a list for an object",
      TOKENS,
      { method: "POST", body: "[]", headers: { ...JSON_TYPE, ...KEY_HEADERS } },
      "400 invalid-request",
    ],
    [
      "a body that is too large",
      TOKENS,
      { method: "POST", body: " ".repeat(MAX_BODY_BYTES + 1), headers: { ...JSON_TYPE, ...KEY_HEADERS } },
      "413 body-too-large",
    ],
  ];
  test.each(cases)("%s", async (_what, path, init, problem) => {
    const { app, log } = await gatewayFixture();
    const response = await app.request(path, init);
    const { requestId } = (await response.clone().json()) as { requestId: string };
    expect(response.headers.get("x-request-id")).toBe(requestId);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(await problemOf(response)).toBe(problem);
    expect(log).toEqual([]);
  });

  test("a body exactly as large as allowed is read", async () => {
    const { app } = await gatewayFixture();
    const body = JSON.stringify({ identity: "ann" }).padEnd(MAX_BODY_BYTES, " ");
    const response = await app.request(TOKENS, {
      method: "POST",
      body,
      headers: { ...JSON_TYPE, ...KEY_HEADERS },
    });
    expect(response.status).toBe(200);
  });

  test("a wrong method is told the right ones", async () => {
    const { app } = await gatewayFixture();
    const response = await app.request("/v1/rooms/room", { method: "PATCH" });
    expect(response.headers.get("allow")).toBe("GET");
  });

  test("a fault of ours says nothing of its inside, and the log says all under the request's id", async () => {
    const { app, directory, log, token, join } = await gatewayFixture();
    const held = await token("room");
    directory.relays = async () => {
      throw new RangeError("the secret inside");
    };
    const response = await join("room", held);
    const text = await response.clone().text();
    expect(text).not.toContain("secret inside");
    expect(await problemOf(response)).toBe("500 internal-error");
    expect(log[0]).toMatchObject({ level: "error", fields: { path: "/v1/rooms/room/join" } });
    expect(String(log[0]?.fields.error)).toContain("the secret inside");
    expect(text).toContain(String(log[0]?.fields.requestId));
    expect(JSON.stringify(log)).not.toContain(held);
    expect((await app.request("/healthz")).status).toBe(200);
  });
});

describe("origins", () => {
  const listed = { TRIBUTARY_ALLOWED_ORIGINS: "https://app.example.org" };
  const ask = async (
    env: Record<string, string>,
    origin: string,
    init: RequestInit = {},
    path = "/healthz",
  ) => {
    const { app } = await gatewayFixture({ env });
    return app.request(`https://gateway.example.org${path}`, {
      ...init,
      headers: { ...init.headers, origin },
    });
  };

  test("of the list, and the gateway's own, are told that they may read", async () => {
    for (const origin of ["https://app.example.org", "https://gateway.example.org"]) {
      const response = await ask(listed, origin);
      expect(response.status).toBe(200);
      expect(response.headers.get("access-control-allow-origin")).toBe(origin);
      expect(response.headers.get("vary")).toContain("Origin");
    }
  });

  test.each([
    "https://evil.example.org",
    "http://app.example.org",
    "https://app.example.org:444",
    "null",
    "x",
  ])("%s is refused, whatever it asks for", async (origin) => {
    for (const method of ["GET", "OPTIONS"]) {
      const response = await ask(listed, origin, { method });
      expect(response.headers.get("access-control-allow-origin")).toBeNull();
      expect(await problemOf(response)).toBe("403 origin-not-allowed");
    }
  });

  test("none are allowed by default, all with *", async () => {
    expect((await ask({}, "https://app.example.org")).status).toBe(403);
    const response = await ask({ TRIBUTARY_ALLOWED_ORIGINS: "*" }, "https://any.example.org");
    expect(response.headers.get("access-control-allow-origin")).toBe("https://any.example.org");
  });

  test("a preflight is answered with what may be sent", async () => {
    const response = await ask(
      listed,
      "https://app.example.org",
      { method: "OPTIONS", headers: { "access-control-request-method": "POST" } },
      "/v1/rooms/room/join",
    );
    expect(response.status).toBe(204);
    expect(response.headers.get("access-control-allow-headers")).toContain("authorization");
    expect(response.headers.get("access-control-allow-methods")).toContain("DELETE");
  });

  test("an allowed page may read problems too", async () => {
    const response = await ask(listed, "https://app.example.org", { method: "POST" }, "/v1/rooms/room/join");
    expect(response.headers.get("access-control-allow-origin")).toBe("https://app.example.org");
    expect(response.headers.get("access-control-expose-headers")).toContain("retry-after");
    expect(await problemOf(response)).toBe("401 credentials-missing");
  });
});

describe("about itself", () => {
  test("health and version, the public key without its private half, security headers", async () => {
    const { app, ticketKey } = await gatewayFixture();
    const health = await app.request("/healthz");
    expect(await health.json()).toEqual({ status: "ok", version: "0.0.0-test" });
    expect(health.headers.get("x-content-type-options")).toBe("nosniff");
    const keys = await app.request("/.well-known/jwks.json");
    expect(await keys.json()).toEqual({ keys: [ticketKey.publicJwk] });
    expect(Object.keys(ticketKey.publicJwk).sort()).toEqual(["alg", "crv", "kid", "kty", "use", "x", "y"]);
  });

  test("the OpenAPI document names every route, and every route says which problems it answers", async () => {
    const { app } = await gatewayFixture();
    const document = (await (await app.request("/v1/openapi.json")).json()) as {
      openapi: string;
      paths: Record<
        string,
        Record<string, { responses: Record<string, unknown>; security?: Record<string, never>[] }>
      >;
      components: { schemas: object; securitySchemes: object };
    };
    expect(document.openapi).toBe("3.1.0");
    const listed = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ":$1")}`),
    );
    const served = app.routes
      .filter(({ method }) => method !== "ALL")
      .map(({ method, path }) => `${method} ${path}`)
      .filter((route) => !/openapi\.json$|docs$|^GET \/tree$| \/(hls|listen|recordings)\/:/.test(route));
    expect(listed.sort()).toEqual([...new Set(served)].sort());
    const text = JSON.stringify(document);
    for (const [, name] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
      expect(Object.keys(document.components.schemas)).toContain(name);
    }
    for (const item of Object.values(document.paths)) {
      for (const operation of Object.values(item)) {
        expect(Object.keys(operation.responses).filter((status) => /^20[01]$/.test(status))).toHaveLength(1);
        for (const scheme of (operation.security ?? []).flatMap((entry) => Object.keys(entry))) {
          expect(Object.keys(document.components.securitySchemes)).toContain(scheme);
        }
      }
    }
  });

  test("the page lists every route and every problem, without script or anything from elsewhere", async () => {
    const { app } = await gatewayFixture();
    const response = await app.request("/v1/docs");
    const page = await response.text();
    expect(response.headers.get("content-type")).toContain("text/html");
    expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(page).not.toMatch(/<script|src=|https?:\/\/(?!relay1|www\.w3)[^<"]*\.(js|css)/);
    expect(page).toContain("/v1/rooms/{room}/participants/{identity}");
    for (const name of Object.keys(PROBLEMS)) expect(page).toContain(`<tr id="${name}">`);
    expect(page).not.toContain("undefined");
  });
});

test("a request id of the caller's is kept when it is harmless", async () => {
  const { app } = await gatewayFixture({ relays: [relayNamed("r1")] });
  const ask = (id: string) => app.request("/healthz", { headers: { "x-request-id": id } });
  expect((await ask("trace-1")).headers.get("x-request-id")).toBe("trace-1");
  expect((await ask("a b<script>")).headers.get("x-request-id")).not.toContain("script");
});
