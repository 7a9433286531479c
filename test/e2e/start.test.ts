/** `npm start` as its own thing: what it prints, what it serves, how it refuses, and that nothing outlives it. */
import { spawn, spawnSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { ROOT } from "../../start/dependencies.mjs";
import { startTributary } from "./tributary.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** Runs it until it ends by itself. */
function runToEnd(env: Record<string, string>): { status: number | null; lines: string[] } {
  const result = spawnSync(process.execPath, [join(ROOT, "start", "main.mjs")], {
    cwd: ROOT,
    encoding: "utf8",
    timeout: 60_000,
    env: { ...process.env, PORT: "0", RELAY_PORT: "0", TRIBUTARY_STATE: "test/.cache/state", ...env },
  });
  return { status: result.status, lines: `${result.stdout}${result.stderr}`.trim().split("\n") };
}

/** Waits until nothing answers at the address any more. */
async function isGone(url: string): Promise<boolean> {
  for (let i = 0; i < 100; i++) {
    try {
      await fetch(url);
    } catch {
      return true; // Refused: that is what we wait for.
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}

describe("npm start", () => {
  it("says one line, serves app and API, and ends with a signal", async () => {
    const tributary = await startTributary();
    closers.push(() => tributary.stop());
    expect(tributary.output().match(/^.*ready.*$/gm)).toEqual([`Tributary is ready: ${tributary.url}`]);
    for (const path of ["/", "/r/some-room"]) {
      const page = await fetch(tributary.url + path);
      expect(page.status).toBe(200);
      expect(page.headers.get("cross-origin-opener-policy")).toBe("same-origin");
      expect(page.headers.get("cross-origin-embedder-policy")).toBe("require-corp");
      expect(await page.text()).toContain("<!doctype html>");
    }
    expect((await fetch(`${tributary.url}/healthz`)).status).toBe(200);
    const missing = await fetch(`${tributary.url}/no/such/page`);
    expect([missing.status, missing.headers.get("content-type")]).toEqual([404, "application/problem+json"]);
    const guest = await fetch(`${tributary.url}/v1/rooms/a-room/guests`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name: "Ann" }),
    });
    expect(guest.status).toBe(200);
    await tributary.stop();
    expect(await isGone(tributary.url)).toBe(true);
  });

  it("leaves nothing behind when it is killed", async () => {
    const child = spawn(process.execPath, [join(ROOT, "start", "main.mjs")], {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, PORT: "0", RELAY_PORT: "0", TRIBUTARY_STATE: "test/.cache/state" },
    });
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    const url = /http:\S+/.exec(line.toString())?.[0] ?? "";
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    child.kill("SIGKILL");
    expect(await isGone(url)).toBe(true);
  });

  it("a taken HTTP port is one line that says what to do", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    closers.push(() => other.close());
    await once(other, "listening");
    const { port } = other.address() as { port: number };
    const { status, lines } = runToEnd({ PORT: String(port) });
    expect(lines).toEqual([
      `Port ${port} is taken: end what uses it, or choose another one, as in PORT=8081 npm start.`,
    ]);
    expect(status).toBe(1);
  });

  it("a taken UDP port is one line that says what to do", async () => {
    const other = createSocket("udp4");
    closers.push(() => other.close());
    other.bind(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address();
    const { status, lines } = runToEnd({ RELAY_PORT: String(port) });
    expect(lines).toEqual([
      `UDP port ${port} of 127.0.0.1 is taken: stop what uses it or set RELAY_PORT to another.`,
    ]);
    expect(status).toBe(1);
  });

  it.each([
    ["PORT", "http"],
    ["RELAY_PUBLIC_URL", "127.0.0.1:15433"],
    ["TRIBUTARY_API_KEYS", "short:secret"],
    ["TRIBUTARY_TICKET_KEY", "{}"],
  ])("%s=%s is refused in one line", (name, value) => {
    const { status, lines } = runToEnd({ [name]: value });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(name);
    expect(status).toBe(1);
  });
});
