import { describe, expect, test } from "vitest";
import { ConfigError, type Env, readGatewayConfig, readStandaloneConfig, readTicketKey } from "./config.ts";
import { startFault } from "./standalone.ts";

const SECRET = "0123456789abcdef0123456789abcdef";
const EC = { kty: "EC", crv: "P-256", x: "a", y: "b" };
const RELAYS = JSON.stringify([
  { id: "r1", url: "https://r1.example.org/", operationsUrl: "http://10.0.0.1:9090" },
]);

async function ticketJwk(): Promise<string> {
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
    "sign",
    "verify",
  ]);
  return JSON.stringify(await crypto.subtle.exportKey("jwk", pair.privateKey));
}

async function complaint(env: Env): Promise<string> {
  try {
    await readStandaloneConfig(env);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    const line = startFault(error, "", 0) ?? "";
    expect(line).not.toContain("\n");
    return line;
  }
  throw new Error("the configuration was taken");
}

describe("configuration", () => {
  test("a good one is read, with defaults for what is left out", async () => {
    const env = { TRIBUTARY_API_KEYS: `a:${SECRET}, b:${SECRET}x `, TRIBUTARY_TICKET_KEY: await ticketJwk() };
    const config = await readStandaloneConfig({ ...env, TRIBUTARY_RELAYS: RELAYS });
    expect([...config.gateway.apiKeys]).toEqual([
      ["a", SECRET],
      ["b", `${SECRET}x`],
    ]);
    expect(config.gateway).toMatchObject({
      jwks: undefined,
      allowedOrigins: new Set(),
      trustProxy: false,
      perAddress: { perSecond: 50, burst: 200 },
    });
    expect(config.relays).toEqual([
      {
        id: "r1",
        region: "",
        url: "https://r1.example.org/",
        fallbackUrl: "",
        certificateHashes: [],
        operationsUrl: "http://10.0.0.1:9090",
        capacity: 1000,
        participants: 0,
        version: "",
        linkKey: "",
        draining: false,
      },
    ]);
    expect(config).toMatchObject({ host: "127.0.0.1", port: 8080 });
    expect(config.ticketKey.publicJwk).not.toHaveProperty("d");
  });

  test("the shape of rates, origins and flags", () => {
    const config = readGatewayConfig({
      TRIBUTARY_RATE_PER_ADDRESS: "0.5/10",
      TRIBUTARY_RATE_PER_KEY: "off",
      TRIBUTARY_ALLOWED_ORIGINS: "https://a.example.org, http://localhost:3000",
      TRIBUTARY_TRUST_PROXY: "1",
    });
    expect(config.perAddress).toEqual({ perSecond: 0.5, burst: 10 });
    expect(config.perKey).toBeUndefined();
    expect(config.allowedOrigins).toEqual(new Set(["https://a.example.org", "http://localhost:3000"]));
    expect(config.trustProxy).toBe(true);
    expect(readGatewayConfig({ TRIBUTARY_ALLOWED_ORIGINS: "*" }).allowedOrigins).toBe("*");
  });

  const wrong: [string, Env, RegExp][] = [
    ["no way to join", { TRIBUTARY_API_KEYS: undefined }, /^TRIBUTARY_API_KEYS is not set: .*id:secret/],
    ["a key without secret", { TRIBUTARY_API_KEYS: "abc" }, /^TRIBUTARY_API_KEYS .*write id:secret/],
    ["a short secret", { TRIBUTARY_API_KEYS: "a:hunter2" }, /^TRIBUTARY_API_KEYS: .*at least 32/],
    ["a secret with a space", { TRIBUTARY_API_KEYS: `a:x ${SECRET}` }, /^TRIBUTARY_API_KEYS .*spaces/],
    ["an id twice", { TRIBUTARY_API_KEYS: `a:${SECRET},a:${SECRET}` }, /^TRIBUTARY_API_KEYS .*twice/],
    ["no ticket key", { TRIBUTARY_TICKET_KEY: undefined }, /^TRIBUTARY_TICKET_KEY is not set/],
    ["a ticket key that is no JSON", { TRIBUTARY_TICKET_KEY: "{" }, /^TRIBUTARY_TICKET_KEY is not a private/],
    [
      "a public ticket key",
      { TRIBUTARY_TICKET_KEY: JSON.stringify(EC) },
      /^TRIBUTARY_TICKET_KEY is not a private/,
    ],
    [
      "a ticket key whose numbers do not fit",
      { TRIBUTARY_TICKET_KEY: JSON.stringify({ ...EC, d: "c" }) },
      /^TRIBUTARY_TICKET_KEY is not a private/,
    ],
    ["no relays", { TRIBUTARY_RELAYS: undefined }, /^TRIBUTARY_RELAYS is not set/],
    ["relays that are no JSON", { TRIBUTARY_RELAYS: "[" }, /^TRIBUTARY_RELAYS is not JSON/],
    ["an empty list of relays", { TRIBUTARY_RELAYS: "[]" }, /^TRIBUTARY_RELAYS: the list is empty/],
    [
      "a relay on http",
      { TRIBUTARY_RELAYS: RELAYS.replace("https:", "http:") },
      /^TRIBUTARY_RELAYS\[0\]\[url\]: must be an https/,
    ],
    [
      "two relays of one id",
      { TRIBUTARY_RELAYS: `[${RELAYS.slice(1, -1)},${RELAYS.slice(1)}` },
      /^TRIBUTARY_RELAYS has two/,
    ],
    [
      "two sources of keys",
      { TRIBUTARY_JWKS: "{}", TRIBUTARY_JWKS_URL: "https://x/" },
      /^TRIBUTARY_JWKS and TRIBUTARY_JWKS_URL/,
    ],
    ["a JWKS URL that is none", { TRIBUTARY_JWKS_URL: "file:///x" }, /^TRIBUTARY_JWKS_URL is not/],
    ["a JWKS without keys", { TRIBUTARY_JWKS: '{"keys":[]}' }, /^TRIBUTARY_JWKS\[keys\]: it has no keys/],
    [
      "a secret among public keys",
      { TRIBUTARY_JWKS: '{"keys":[{"kty":"oct","k":"x"}]}' },
      /^TRIBUTARY_JWKS.*kty must be EC, RSA or OKP/,
    ],
    [
      "a private key among public keys",
      { TRIBUTARY_JWKS: JSON.stringify({ keys: [{ ...EC, d: "c" }] }) },
      /^TRIBUTARY_JWKS.*public half only/,
    ],
    [
      "an origin with a path",
      { TRIBUTARY_ALLOWED_ORIGINS: "https://a.org/" },
      /^TRIBUTARY_ALLOWED_ORIGINS: .*origin/,
    ],
    [
      "all origins and one",
      { TRIBUTARY_ALLOWED_ORIGINS: "*,https://a.org" },
      /^TRIBUTARY_ALLOWED_ORIGINS: \*/,
    ],
    ["a flag in words", { TRIBUTARY_TRUST_PROXY: "yes" }, /^TRIBUTARY_TRUST_PROXY is neither 0 nor 1/],
    ["a rate in words", { TRIBUTARY_RATE_PER_KEY: "many" }, /^TRIBUTARY_RATE_PER_KEY is not a rate/],
    [
      "a rate of nothing",
      { TRIBUTARY_RATE_PER_ADDRESS: "0/10" },
      /^TRIBUTARY_RATE_PER_ADDRESS is not a rate/,
    ],
    [
      "a place in words",
      { TRIBUTARY_REGION_MAP: "Europe:eu" },
      /^TRIBUTARY_REGION_MAP: Europe:eu is not place:region/,
    ],
    [
      "a place without a region",
      { TRIBUTARY_REGION_MAP: "EU:eu,NA" },
      /^TRIBUTARY_REGION_MAP: NA names no region/,
    ],
    ["a place twice", { TRIBUTARY_REGION_MAP: "EU:eu,EU:uk" }, /^TRIBUTARY_REGION_MAP has EU twice/],
    [
      "a webhook without a secret",
      { TRIBUTARY_WEBHOOK_URL: "https://a.org/" },
      /^TRIBUTARY_WEBHOOK_URL and TRIBUTARY_WEBHOOK_SECRET belong together/,
    ],
    [
      "a webhook that is no URL",
      { TRIBUTARY_WEBHOOK_URL: "a.org", TRIBUTARY_WEBHOOK_SECRET: SECRET },
      /^TRIBUTARY_WEBHOOK_URL is not an http/,
    ],
    [
      "a short webhook secret",
      { TRIBUTARY_WEBHOOK_URL: "https://a.org/", TRIBUTARY_WEBHOOK_SECRET: "x" },
      /^TRIBUTARY_WEBHOOK_SECRET has 1 char/,
    ],
    ["an etcd that is no URL", { TRIBUTARY_ETCD: "10.0.0.1:2379" }, /^TRIBUTARY_ETCD: entry 1 .*write http/],
    ["a port in words", { PORT: "http" }, /^PORT is not a port/],
    ["a port too large", { PORT: "65536" }, /^PORT is not a port/],
  ];
  test.each(wrong)("%s is one line that names the variable", async (_what, change, line) => {
    const good = { TRIBUTARY_API_KEYS: `a:${SECRET}`, TRIBUTARY_TICKET_KEY: await ticketJwk() };
    expect(await complaint({ ...good, TRIBUTARY_RELAYS: RELAYS, ...change })).toMatch(line);
  });

  test("an etcd stands in for the list of relays", async () => {
    const env = { TRIBUTARY_API_KEYS: `a:${SECRET}`, TRIBUTARY_TICKET_KEY: await ticketJwk() };
    const config = await readStandaloneConfig({ ...env, TRIBUTARY_ETCD: "http://10.0.0.1:2379/" });
    expect(config.relays).toEqual([]);
    expect(config.etcd).toMatchObject({ endpoints: ["http://10.0.0.1:2379"], prefix: "tributary/" });
    const without = await readStandaloneConfig({ ...env, TRIBUTARY_RELAYS: RELAYS });
    expect(without.etcd).toBeUndefined();
  });

  test("a secret is never repeated", async () => {
    expect(await complaint({ TRIBUTARY_API_KEYS: "a:hunter2" })).not.toContain("hunter2");
    expect(await complaint({ TRIBUTARY_API_KEYS: "hunter2" })).not.toContain("hunter2");
  });

  test("where a ticket key may be left out, each start has a fresh one", async () => {
    const [one, two] = await Promise.all([readTicketKey({}, false), readTicketKey({}, false)]);
    expect(one.publicJwk.kid).not.toBe(two.publicJwk.kid);
  });

  test("a taken port and a wrong host are one line too; other faults keep their stack", () => {
    const fault = (code: string) => startFault(Object.assign(new Error("x"), { code }), "127.0.0.1", 80);
    expect(fault("EADDRINUSE")).toMatch(/^PORT 80 is taken on 127.0.0.1: .*set PORT/);
    expect(fault("EACCES")).toMatch(/^PORT 80 may not be opened/);
    expect(fault("EADDRNOTAVAIL")).toMatch(/^HOST 127.0.0.1 is not an address/);
    expect(fault("EOTHER")).toBeUndefined();
  });
});
