/** deploy/rolling-restart.sh takes down one relay at a time, and none while another is missing. Relays are played here. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { ROOT } from "../../start/dependencies.mjs";

/** How long a played relay is away. */
const AWAY_MS = 400;

const backAtMs = new Map<string, number>();
const events: string[] = [];
let server: Server;
let base = "";

const isReady = (name: string): boolean => performance.now() >= (backAtMs.get(name) ?? 0);

beforeEach(async () => {
  backAtMs.clear();
  events.length = 0;
  server = createServer((request, response) => {
    const [, name = "", what] = request.url!.split("/");
    if (what === "restart") {
      events.push(`restart ${name}`);
      const others = ["r1", "r2", "r3"].filter((other) => other !== name);
      if (!others.every(isReady)) events.push(`${name} was not alone`);
      backAtMs.set(name, performance.now() + AWAY_MS);
    }
    response.writeHead(what === "readyz" && !isReady(name) ? 503 : 200).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

async function roll(names: string[], waitSeconds = 10): Promise<{ code: number; output: string }> {
  const command = `curl --silent --output /dev/null ${base}/%s/restart`;
  const relays = names.map((name) => `${name}=${base}/${name}/`);
  const child = spawn("sh", [join(ROOT, "deploy", "rolling-restart.sh"), command, ...relays], {
    env: { ...process.env, ROLLING_WAIT_SECONDS: String(waitSeconds) },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const [code] = (await once(child, "close")) as [number];
  return { code, output };
}

it("restarts one after the other, each when the one before is back", async () => {
  const { code, output } = await roll(["r1", "r2", "r3"]);
  expect(events).toEqual(["restart r1", "restart r2", "restart r3"]);
  expect(output).toContain("r1: draining and restarting\nr1: ready\nr2: draining");
  expect(code).toBe(0);
});

it("touches nothing while one is down, and stops behind one that does not come back", async () => {
  backAtMs.set("r2", Number.POSITIVE_INFINITY);
  const first = await roll(["r1", "r2"]);
  expect(first).toEqual({ code: 1, output: "r2 is not ready now: nothing was restarted\n" });
  expect(events).toEqual([]);
  backAtMs.clear();
  const { code, output } = await roll(["r1", "r2"], 0);
  expect(events).toEqual(["restart r1"]);
  expect(output).toContain("r1 is not ready 0 s after its restart: stopped here");
  expect(code).toBe(1);
});

it("refuses names that would be more than a name to a shell", async () => {
  const { code, output } = await roll(["r1;reboot"]);
  expect(output).toBe("r1;reboot has characters that no relay's name has\n");
  expect(code).toBe(2);
  expect(events).toEqual([]);
});
