/** Static files: isolation headers, caching, compression, the app on its own paths, and nothing outside of the folder. */
import assert from "node:assert/strict";
import { StaticFiles } from "./static-files.ts";

async function withFiles(
  test: (get: (path: string, init?: RequestInit) => Response | undefined) => Promise<void>,
) {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/dist/assets`, { recursive: true });
    await Deno.writeTextFile(`${folder}/dist/index.html`, `<!doctype html>${"<p>hello</p>".repeat(100)}`);
    await Deno.writeTextFile(`${folder}/dist/audience.html`, "<!doctype html><p>audience</p>");
    await Deno.writeTextFile(`${folder}/dist/doctor.html`, "<!doctype html><p>doctor</p>");
    await Deno.writeTextFile(`${folder}/dist/assets/main-0a1b2c3d.js`, "export {};");
    await Deno.writeTextFile(`${folder}/dist/.built-from`, "inside");
    await Deno.writeTextFile(`${folder}/secret.txt`, "outside");
    const files = await StaticFiles.read(`${folder}/dist`);
    await test((path, init) => files.answer(new Request(`http://localhost:8080${path}`, init)));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the app answers on / and on rooms, isolated", () =>
  withFiles(async (get) => {
    for (const path of ["/", "/r/a-room", "/r/%C3%BCber", "/r/a-room/", "/index.html"]) {
      const response = get(path);
      assert.equal(response?.headers.get("cross-origin-opener-policy"), "same-origin", path);
      assert.equal(response?.headers.get("cross-origin-embedder-policy"), "require-corp");
      assert.equal(response?.headers.get("cache-control"), "no-cache");
      assert.match((await response?.text()) ?? "", /hello/);
    }
  }));

Deno.test("the audience's pages have a document of their own; streams and playlists have none", () =>
  withFiles(async (get) => {
    for (const path of [
      "/watch",
      "/watch/a-room",
      "/listen/%C3%BCber/",
      "/history",
      "/history/abc?x=1",
      "/watch/mix.mp3x",
    ]) {
      assert.match((await get(path)?.text()) ?? "", /audience/, path);
      assert.equal(get(path)?.headers.get("cross-origin-embedder-policy"), "require-corp", path);
    }
    for (const path of [
      "/listen/a-room.mp3",
      "/listen/a-room.json",
      "/hls/a-room/index.m3u8",
      "/watch/a/b",
      "/histories",
      "/v1/recordings",
    ]) {
      assert.equal(get(path), undefined, path);
    }
  }));

Deno.test("the check of the connection has a document of its own", () =>
  withFiles(async (get) => {
    for (const path of ["/doctor", "/doctor/", "/doctor?room=tea"]) {
      assert.match((await get(path)?.text()) ?? "", /doctor/, path);
    }
    assert.equal(get("/doctor/tea"), undefined);
  }));

Deno.test("hashed assets are cached for ever, other answers are asked for again", () =>
  withFiles(async (get) => {
    const asset = get("/assets/main-0a1b2c3d.js");
    assert.match(asset?.headers.get("cache-control") ?? "", /immutable/);
    assert.match(asset?.headers.get("content-type") ?? "", /javascript/);
    assert.equal(asset?.headers.get("cross-origin-resource-policy"), "same-origin");
    const etag = get("/")?.headers.get("etag") ?? "";
    assert.equal(get("/", { headers: { "if-none-match": etag } })?.status, 304);
    assert.equal(get("/", { headers: { "if-none-match": '"other"' } })?.status, 200);
  }));

Deno.test("compresses for those who take it", () =>
  withFiles(async (get) => {
    const gzipped = get("/", { headers: { "accept-encoding": "br, gzip;q=0.8" } });
    assert.equal(gzipped?.headers.get("content-encoding"), "gzip");
    assert.ok(Number(gzipped?.headers.get("content-length")) < 300);
    const body = gzipped?.body?.pipeThrough(new DecompressionStream("gzip"));
    assert.match(await new Response(body).text(), /hello/);
    assert.equal(
      get("/", { headers: { "accept-encoding": "gzip;q=0" } })?.headers.get("content-encoding"),
      null,
    );
    assert.equal(get("/")?.headers.get("content-encoding"), null);
  }));

Deno.test("nothing else is here", () =>
  withFiles(async (get) => {
    const elsewhere = [
      "/../secret.txt",
      "/%2e%2e/secret.txt",
      "/.built-from",
      "/assets",
      "/r/a/b",
      "/v1/rooms",
      "/%E0%A4",
    ];
    for (const path of elsewhere) assert.equal(get(path), undefined, path);
    assert.equal(get("/", { method: "POST" }), undefined);
    assert.equal(get("/", { method: "HEAD" })?.body, null);
  }));
