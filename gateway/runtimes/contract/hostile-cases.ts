/** The contract of gateways over HTTP: what no well-meaning client sends, refused by name, and the gateway lives on. */
import { connect } from "node:net";
import { expect, test } from "vitest";
import { MAX_BODY_BYTES } from "../../limits.ts";
import { problemOf } from "../../gateway.fixture.ts";
import { KEY, PAGE, type Stage } from "./stage.contract.ts";

const TOKENS = "/v1/rooms/room/tokens";
/** Of a body that the gateway takes no more than MAX_BODY_BYTES of, and gives up at 1 MiB: time enough to say so. */
const MAX_ENDLESS_BYTES = 64 * 1024 * 1024;
const EVIL = "https://evil.example.org";

export function hostileCases(stage: Stage): void {
  const lives = async () => expect(await stage.refusal("GET", "/healthz")).toBe("200");
  bodyCases(stage, lives);
  addressCases(stage);
  originCases(stage);

  test("every address says which methods it takes to one that it does not take", async () => {
    const { paths } = await stage.get<{ paths: Record<string, object> }>("GET", "/v1/openapi.json");
    for (const [path, operations] of Object.entries(paths)) {
      const methods = Object.keys(operations).map((method) => method.toUpperCase());
      const wrong = ["PUT", "PATCH", "DELETE", "GET", "POST"].filter((method) => !methods.includes(method));
      for (const method of wrong) {
        const response = await stage.call(method, path.replaceAll(/\{\w+\}/g, "a-name"));
        expect([method, path, await problemOf(response)]).toEqual([method, path, "405 method-not-allowed"]);
        expect(response.headers.get("allow")?.split(", ").sort()).toEqual(methods.sort());
      }
    }
  });

  test("what is no HTTP is cut off", async () => {
    for (const text of [
      "\r\n\r\n\0\u00ff",
      "GET / HTTP/9.9\r\n\r\n",
      `GET /${"x".repeat(200_000)} HTTP/1.1\r\n`,
    ]) {
      const answer = await rawExchange(stage.gateway.url, text);
      expect(answer).toMatch(/^($|HTTP\/1\.[01] [45])/);
    }
    await lives();
  });

  test("two lengths are no way to smuggle a second request in, and chunks count before a length", async () => {
    const head = `POST ${TOKENS} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n`;
    const smuggled = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    const lengths = `Content-Length: 0\r\nContent-Length: ${smuggled.length}\r\n\r\n`;
    const twoLengths = await rawExchange(stage.gateway.url, head + lengths + smuggled);
    expect(twoLengths).not.toMatch(/HTTP\/1\.1 200/);
    // Who went by the length would wait for the rest of a chunk, or take this for one request with a body.
    const both = `Content-Length: ${smuggled.length + 5}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`;
    const chunked = await rawExchange(stage.gateway.url, head + both);
    expect(chunked).toMatch(/^($|HTTP\/1\.1 4)/);
    await lives();
  });
}

function bodyCases(stage: Stage, lives: () => Promise<void>): void {
  const send = (body: string) => stage.refusal("POST", TOKENS, { headers: KEY, body });

  test.each([
    ["nothing", "", "400 malformed-json"],
    ["half an object", "{", "400 malformed-json"],
    ["a list", "[]", "400 invalid-request"],
    ["null", "null", "400 invalid-request"],
    ["a number beyond all bounds", '{"identity":"ann","ttlSeconds":1e999}', "400 invalid-request"],
    ["a name that is no text", '{"identity":{"toString":"x"}}', "400 invalid-request"],
    ["control characters", '{"identity":"a\\u0000b"}', "400 invalid-request"],
    ["lists in lists, 20,000 deep", `${"[".repeat(20_000)}${"]".repeat(20_000)}`, "400 invalid-request"],
    ["a prototype", '{"__proto__":{"identity":"ann"}}', "400 invalid-request"],
  ])("a body of %s is refused", async (_what, body, problem) => {
    expect(await send(body)).toBe(problem);
    await lives();
  });

  test("a body that is not marked as JSON is not read as JSON", async () => {
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]) {
      const headers = { ...KEY, "content-type": type };
      const refusal = await stage.refusal("POST", TOKENS, { headers, body: '{"identity":"ann"}' });
      expect(refusal).toBe("415 not-json");
    }
  });

  test("a body is read up to the limit, and refused above, whether its length is told or not", async () => {
    const fits = JSON.stringify({ identity: "ann" }).padEnd(MAX_BODY_BYTES);
    expect(await send(fits)).toBe("200");
    expect(await send(`${fits} `)).toBe("413 body-too-large");
    expect(await send(" ".repeat(900_000))).toBe("413 body-too-large");
    const streamed = (body: string) =>
      fetch(stage.gateway.url + TOKENS, {
        method: "POST",
        headers: { "content-type": "application/json", ...KEY },
        body: new Blob([body]).stream(),
        duplex: "half",
      } as RequestInit);
    expect((await streamed(fits)).status).toBe(200);
    expect(await problemOf(await streamed(`${fits} `))).toBe("413 body-too-large");
  });

  test("a body without end is given up, and so is one whose sender goes away", async () => {
    const answer = await endlessBody(stage.gateway.url);
    // The refusal, where the runtime sends it before the end of the request; else the connection breaks.
    expect(answer).toMatch(/^($|HTTP\/1\.1 413)/);
    // Within `wrangler dev` one proxy passes requests on to another process; the next one goes down the connection that the
    // endless body still holds, and is lost. Those after it are not.
    const next = await fetch(`${stage.gateway.url}/healthz`, { signal: AbortSignal.timeout(1_000) }).catch(
      () => null,
    );
    await next?.body?.cancel();
    await lives();
    for (let i = 0; i < 5; i++) {
      await rawExchange(
        stage.gateway.url,
        `POST ${TOKENS} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{`,
        50,
      );
    }
    await lives();
  });
}

function addressCases(stage: Stage): void {
  test.each([
    ["/v1/nothing", "404 not-found"],
    ["/", "404 not-found"],
    ["/v1/../../etc/passwd", "404 not-found"],
    ["/v1/rooms/room/join/", "404 not-found"],
    ["//evil.example.org/v1/rooms", "404 not-found"],
    [`/v1/rooms/${"x".repeat(5_000)}`, "400 invalid-request"],
    ["/v1/rooms/%00", "400 invalid-request"],
    ["/v1/rooms/%ff%fe", "400 invalid-request"],
    ["/v1/rooms/%", "400 invalid-request"],
    ["/v1/rooms/a%2fb", "400 invalid-request"],
    ["/v1/rooms?limit=-1", "400 invalid-request"],
    ["/v1/rooms?limit=1e9", "400 invalid-request"],
    ["/v1/rooms?limit=1&limit=x", "400 invalid-request"],
    ["/v1/recordings?before=..%2f..", "400 invalid-request"],
    ["/v1/ingests/%2e%2e%2f", "404 ingest-not-found"],
  ])("GET %s is refused", async (path, problem) => {
    expect(await stage.refusal("GET", path, { headers: KEY })).toBe(problem);
  });

  test("a request id of the caller's is kept when it is harmless, and no header of theirs comes back else", async () => {
    const ask = (id: string) => stage.call("GET", "/healthz", { headers: { "x-request-id": id } });
    expect((await ask("trace-1")).headers.get("x-request-id")).toBe("trace-1");
    expect((await ask("a b<script>")).headers.get("x-request-id")).not.toContain("script");
    expect((await ask("x".repeat(5_000))).headers.get("x-request-id")?.length).toBeLessThan(300);
  });
}

function originCases(stage: Stage): void {
  test("pages of other origins are refused, whatever they ask and however", async () => {
    for (const origin of [EVIL, "http://app.example.org", `${PAGE}:444`, "null", "x"]) {
      for (const [method, path] of [
        ["GET", "/healthz"],
        ["POST", "/v1/rooms/room/join"],
        ["OPTIONS", "/v1/rooms/room/join"],
        ["GET", "/v1/docs"],
      ] as const) {
        const response = await stage.call(method, path, { headers: { origin } });
        expect(response.headers.get("access-control-allow-origin")).toBeNull();
        expect(await problemOf(response)).toBe("403 origin-not-allowed");
      }
    }
  });

  test("pages of the list, and the gateway's own, may ask first, and read answers and refusals", async () => {
    const own = new URL(stage.gateway.url).origin;
    for (const origin of [PAGE, own]) {
      const preflight = await stage.call("OPTIONS", "/v1/rooms/room/join", {
        headers: { origin, "access-control-request-method": "POST" },
      });
      expect(preflight.status).toBe(204);
      expect(preflight.headers.get("access-control-allow-origin")).toBe(origin);
      expect(preflight.headers.get("access-control-allow-headers")).toContain("authorization");
      const refused = await stage.call("POST", "/v1/rooms/room/join", { headers: { origin } });
      expect(refused.headers.get("access-control-allow-origin")).toBe(origin);
      expect(refused.headers.get("access-control-expose-headers")).toContain("retry-after");
      expect(refused.headers.get("vary")).toContain("Origin");
      expect(await problemOf(refused)).toBe("401 credentials-missing");
    }
  });
}

/** Sends a body of chunks that has no end; resolves to what comes back by the time that the other side answers or breaks off. */
function endlessBody(url: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const head = `POST ${TOKENS} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: ${KEY.authorization}\r\n`;
  const chunk = `4000\r\n${" ".repeat(0x4000)}\r\n`;
  return new Promise((resolve, reject) => {
    let sentBytes = 0;
    const socket = connect({ host: hostname, port: Number(port) }, () => {
      socket.write(`${head}Transfer-Encoding: chunked\r\n\r\n`);
    });
    const timer = setInterval(() => {
      if (socket.connecting) return;
      if (socket.writable && !socket.writableNeedDrain) socket.write(chunk);
      sentBytes += chunk.length;
      if (sentBytes < MAX_ENDLESS_BYTES) return;
      reject(new Error(`it read ${sentBytes} bytes and said nothing`));
      socket.destroy();
    }, 1);
    const finish = (answer: string) => {
      resolve(answer);
      socket.destroy();
    };
    socket.on("data", (data) => finish(data.toString("latin1")));
    socket.on("error", () => finish(""));
    socket.on("close", () => {
      clearInterval(timer);
      finish("");
    });
  });
}

/** Sends a text over TCP and collects what comes until the other side ends, or `patienceMs` have passed without a byte. */
function rawExchange(url: string, text: string, patienceMs = 500): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    let answer = "";
    const socket = connect({ host: hostname, port: Number(port) }, () => socket.write(text, "latin1"));
    socket.setTimeout(patienceMs, () => socket.destroy());
    socket.on("data", (chunk) => {
      answer += chunk.toString("latin1");
    });
    // A reset is one way of cutting off.
    socket.on("error", () => socket.destroy());
    socket.on("close", () => resolve(answer));
  });
}
