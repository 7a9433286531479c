/** The server against a real Chromium: what its WebTransport sees of us and what we see of it. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { EchoServerProcess } from "./testing/deno-process.ts";

const CHROMIUM = process.env.CHROMIUM_PATH ?? "/usr/bin/chromium";
const FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"];

let server: EchoServerProcess;
let port: number;
let hash: number[];
let site: Server;
let siteOrigin: string;
let browser: Browser;
/** Pages share one context: closing a context (a private window) kills its connections without a word to the server. */
let context: BrowserContext;
let page: Page;

/** In the page: opens a session as `session` and keeps it on the window. */
async function open(path: string, withHash: number[] = hash): Promise<string> {
  return page.evaluate(
    async ({ url, bytes }) => {
      const session = new WebTransport(url, {
        serverCertificateHashes: [{ algorithm: "sha-256", value: new Uint8Array(bytes) }],
      });
      (window as unknown as { session: WebTransport }).session = session;
      session.closed.catch(() => undefined);
      return session.ready.then(
        () => "ready",
        (error: Error) => `refused: ${error.message}`,
      );
    },
    { url: `https://127.0.0.1:${port}${path}`, bytes: withHash },
  );
}

beforeAll(async () => {
  server = new EchoServerProcess();
  site = createServer((_, response) =>
    response.setHeader("content-type", "text/html").end("<title>test</title>"),
  );
  await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
  siteOrigin = `http://localhost:${(site.address() as AddressInfo).port}`;
  browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  context = await browser.newContext();
  const listening = await server.next("listening");
  port = listening.port as number;
  hash = listening.hash as number[];
}, 30_000);

afterAll(async () => {
  await browser?.close();
  await server?.stop();
  site?.close();
});

beforeEach(async () => {
  page = await context.newPage();
  await page.goto(siteOrigin);
});

afterEach(async () => {
  await page.close();
});

describe("a session with Chromium", () => {
  test("the server sees path, query, origin, authority and address", async () => {
    expect(await open("/plain?ticket=a%20b")).toBe("ready");
    const seen = await server.next("session", ({ path }) => path === "/plain?ticket=a%20b");
    expect(seen).toMatchObject({ origin: siteOrigin, authority: `127.0.0.1:${port}`, remote: "127.0.0.1" });
  });

  test("datagrams come back, and 1,000 bytes fit", async () => {
    await open("/echo");
    const answer = await page.evaluate(async () => {
      const { datagrams } = (window as unknown as { session: WebTransport }).session;
      const writer = datagrams.writable.getWriter();
      const reader = datagrams.readable.getReader();
      const sizes: number[] = [];
      for (const size of [1, 500, 1000]) {
        await writer.write(new Uint8Array(size).fill(7));
        const { value } = await reader.read();
        sizes.push((value as Uint8Array).filter((byte) => byte === 7).length);
      }
      return { sizes, max: datagrams.maxDatagramSize };
    });
    expect(answer.sizes).toEqual([1, 500, 1000]);
    expect(answer.max).toBeGreaterThanOrEqual(1024);
  });

  test("streams of both kinds that the page opens, one of them idle", async () => {
    await open("/echo");
    const answers = await page.evaluate(async () => {
      const { session } = window as unknown as { session: WebTransport };
      const idle = await session.createBidirectionalStream();
      await idle.writable.getWriter().write(new Uint8Array([1]));
      const big = new Uint8Array(300_000).map((_, index) => index % 251);
      const two = await session.createBidirectionalStream();
      const twoWriter = two.writable.getWriter();
      void twoWriter.write(big).then(() => twoWriter.close());
      const twoWay = new Uint8Array(await new Response(two.readable).arrayBuffer());
      const oneWriter = (await session.createUnidirectionalStream()).getWriter();
      await oneWriter.write(new TextEncoder().encode("one way"));
      await oneWriter.close();
      const incoming = await session.incomingUnidirectionalStreams.getReader().read();
      const oneWay = await new Response(incoming.value).text();
      return { twoWay: twoWay.length === big.length && twoWay.every((byte, i) => byte === big[i]), oneWay };
    });
    expect(answers).toEqual({ twoWay: true, oneWay: "one way" });
  });

  test("streams of both kinds that the server opens", async () => {
    await open("/open");
    const texts = await page.evaluate(async () => {
      const { session } = window as unknown as { session: WebTransport };
      const uni = await session.incomingUnidirectionalStreams.getReader().read();
      const oneWay = await new Response(uni.value).text();
      const bidi = await session.incomingBidirectionalStreams.getReader().read();
      const stream = bidi.value as WebTransportBidirectionalStream;
      const twoWay = await new Response(stream.readable).text();
      const writer = stream.writable.getWriter();
      await writer.write(new TextEncoder().encode("answer from the page"));
      await writer.close();
      return [oneWay, twoWay];
    });
    expect(texts).toEqual(["one-way from the server", "two-way from the server"]);
    expect((await server.next("answer")).text).toBe("answer from the page");
  });

  test("a request that is refused rejects before ready", async () => {
    expect(await open("/forbidden")).toMatch(/^refused: /);
  });

  test("a request whose decision takes a while is accepted", async () => {
    expect(await open("/slow")).toBe("ready");
  });
});

describe("the end of a session with Chromium", () => {
  // Chromium tells a close now and then as "Connection lost.": its news of the close and of the stream's end race each
  // other. A wrong code or reason fails at once; only that error is tried again.
  test("the page sees code and reason of the server", async () => {
    let info: unknown = "Connection lost.";
    for (let tries = 0; tries < 10 && info === "Connection lost."; tries += 1) {
      await open("/close?code=4010&reason=caf%C3%A9");
      info = await page.evaluate(async () => {
        const { session } = window as unknown as { session: WebTransport };
        await session.datagrams.writable.getWriter().write(new Uint8Array([1]));
        try {
          const { closeCode, reason } = await session.closed;
          return { closeCode, reason };
        } catch (error) {
          return (error as Error).message;
        }
      });
    }
    expect(info).toEqual({ closeCode: 4010, reason: "café" });
  });

  test("the server sees code and reason of the page", async () => {
    await open("/bye");
    await page.evaluate(() => {
      (window as unknown as { session: WebTransport }).session.close({ closeCode: 77, reason: "done here" });
    });
    const closed = await server.next("closed", ({ path }) => path === "/bye");
    expect(closed).toMatchObject({ code: 77, reason: "done here", clean: true });
  });

  test("a closed tab is noticed long before the idle timeout", async () => {
    await open("/tab");
    await server.next("session", ({ path }) => path === "/tab");
    const idleTimeout = new Promise((resolve) => setTimeout(() => resolve("nothing for 5 s"), 5000));
    await page.close();
    const closed = await Promise.race([idleTimeout, server.next("closed", ({ path }) => path === "/tab")]);
    expect(closed).toMatchObject({ code: 0 });
    page = await context.newPage();
  });

  test("a page is told to drain", async () => {
    await open("/drain");
    const isDraining = await page.evaluate(async () => {
      const session = (window as unknown as { session: { draining?: Promise<void> } }).session;
      if (session.draining === undefined) return "no draining in this browser";
      await session.draining;
      return "draining";
    });
    expect(["draining", "no draining in this browser"]).toContain(isDraining);
  });
});

test("a new certificate serves new sessions and leaves old ones alone", async () => {
  await open("/echo");
  server.command("renew");
  const newHash = (await server.next("renewed")).hash as number[];
  const secondPage = page;
  page = await context.newPage();
  await page.goto(siteOrigin);
  expect(await open("/plain", hash)).toMatch(/^refused: /);
  expect(await open("/plain", newHash)).toBe("ready");
  await page.close();
  page = secondPage;
  const echoed = await page.evaluate(async () => {
    const { datagrams } = (window as unknown as { session: WebTransport }).session;
    await datagrams.writable.getWriter().write(new Uint8Array([5]));
    return [...((await datagrams.readable.getReader().read()).value as Uint8Array)];
  });
  expect(echoed).toEqual([5]);
  hash = newHash;
});
