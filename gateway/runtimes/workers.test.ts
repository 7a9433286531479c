import { connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { problemOf } from "../gateway.fixture.ts";
import { gatewayContract } from "./contract/gateway.contract.ts";
import { listedRelays, listedRelaysContract, mintStatus } from "./contract/listed-relays.contract.ts";
import { type Settings, startOnWorkers, type WorkerLimits } from "./gateway-process.ts";
import { dryRun } from "./worker-bundle.ts";

const START_MS = 90_000;
/** Workers takes 3 MiB, compressed, of free accounts; what starts fast is far below. */
const MAX_GZIP_KIB = 256;
const MAX_RAW_KIB = 1_024;

/** docs/gateway.md has operators of Workers let no more than this through to etcd. */
const ETCD_PATHS = ["/v3/auth/authenticate", "/v3/kv/range", "/v3/kv/txn", "/v3/lease/grant"];

gatewayContract("Workers", startOnWorkers, ETCD_PATHS);
listedRelaysContract("Workers", startOnWorkers);

async function started(settings: Settings, limits?: WorkerLimits) {
  const gateway = await startOnWorkers(settings, limits);
  onTestFinished(() => gateway.stop());
  return gateway;
}

test(
  "on Workers a missing setting is a problem that does not say which",
  async () => {
    const { url } = await started({});
    const text = await (await fetch(`${url}/healthz`)).text();
    expect(text).toContain("/v1/docs#misconfigured");
    expect(text).not.toContain("TRIBUTARY_");
  },
  START_MS,
);

test(
  "on Workers the rate limiting bindings count where the isolate's own limits would let all through",
  async () => {
    const { url } = await started(await listedRelays(), { perAddress: 1_000, perKey: 12 });
    const mints = () => Promise.all(Array.from({ length: 12 }, () => mintStatus(url)));
    // Two periods of 10 s may meet in here, not three.
    const statuses = [...(await mints()), ...(await mints()), ...(await mints())];
    expect(statuses.slice(0, 12)).toEqual(Array(12).fill(200));
    expect(statuses).toContain(429);
  },
  START_MS,
);

test(
  "on Workers without bindings the isolate's own limits count; a first request that is cut off spoils nothing",
  async () => {
    const settings = { ...(await listedRelays()), TRIBUTARY_RATE_PER_KEY: "0.01/5" };
    const { url } = await started(settings, {});
    await cutOff(url);
    const statuses = [];
    for (let i = 0; i < 6; i++) statuses.push(await mintStatus(url));
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
    expect(await problemOf(await fetch(`${url}/v1/rooms`))).toBe("401 credentials-missing");
  },
  START_MS,
);

test(
  "what would be deployed has its bindings, and is small (offline, without an account)",
  async () => {
    const { rawKib, gzipKib, output } = await dryRun();
    console.info(`Worker: ${rawKib.toFixed(0)} KiB, ${gzipKib.toFixed(0)} KiB gzip`);
    expect(output).toMatch(/env\.RATE_PER_ADDRESS \(500 requests\/10s\)/);
    expect(output).toMatch(/env\.RATE_PER_KEY \(5000 requests\/10s\)/);
    expect(rawKib).toBeLessThan(MAX_RAW_KIB);
    expect(gzipKib).toBeLessThan(MAX_GZIP_KIB);
  },
  START_MS,
);

/** A request whose sender goes away as soon as it is sent. */
function cutOff(url: string): Promise<void> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port) }, () =>
      socket.end("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", () => socket.destroy()),
    );
    socket.on("error", reject);
    socket.on("close", () => resolve());
  });
}
