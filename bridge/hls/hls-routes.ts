/**
 * HLS over HTTP (RFC 8216bis, 6.2), to be mounted at /hls: playlists, init segments, segments and parts of each room. What has a number in
 * its name never changes, so caches may keep it; playlists live for a moment; errors are not kept.
 */
import { type Context, Hono } from "hono";
import type { HlsRoom } from "./hls-room.ts";
import { SKIP_UNTIL_US } from "./limits.ts";
import type { Found } from "./live-rendition.ts";
import { readDirectives } from "./playlist-query.ts";

export interface HlsRoutesOptions {
  /** The HLS of a room; undefined = it has none. */
  room(name: string): HlsRoom | undefined;
}

const PLAYLIST_TYPE = "application/vnd.apple.mpegurl";
const IMMUTABLE = "public, max-age=86400, immutable";
/** A playlist that was waited for is what its address asks for, for everybody who asks the same. */
const WAITED = `public, max-age=${SKIP_UNTIL_US / 1e6}`;
/** Below it a smaller answer saves no IP datagram. */
const MIN_COMPRESSED_BYTES = 1_400;
const MOMENT = "public, max-age=1";
const CORS = {
  "access-control-allow-origin": "*",
  "access-control-expose-headers": "date, content-length, content-range, age",
  "cross-origin-resource-policy": "cross-origin",
};

export function hlsRoutes({ room }: HlsRoutesOptions): Hono {
  const app = new Hono();
  app.options("*", () => new Response(null, { status: 204, headers: preflight() }));
  app.get("/:room/index.m3u8", async (c) => {
    const found = room(c.req.param("room"));
    if (found === undefined) return refuse(c, 404, "That room has no HLS now.");
    return playlist(c, await found.multivariant(c.req.raw.signal), MOMENT);
  });
  app.get("/:room/:file", async (c) => {
    const found = room(c.req.param("room"));
    if (found === undefined) return refuse(c, 404, "That room has no HLS now.");
    return serveFile(c, found, c.req.param("file"));
  });
  app.get("/:room/ts/:file", async (c) => {
    const found = room(c.req.param("room"));
    if (found === undefined) return refuse(c, 404, "That room has no HLS now.");
    const file = c.req.param("file");
    if (file === "index.m3u8") return playlist(c, await found.ts.playlist(c.req.raw.signal), MOMENT);
    const segment = found.ts.segment(file);
    return "body" in segment ? bytes(segment.body, "video/mp2t") : refuse(c, segment.status, segment.message);
  });
  app.all("*", (c) =>
    refuse(c, c.req.method === "GET" || c.req.method === "HEAD" ? 404 : 405, "There is nothing here."),
  );
  return app;
}

async function serveFile(c: Context, room: HlsRoom, file: string): Promise<Response> {
  const { signal } = c.req.raw;
  const rendition = room.renditions.find(({ playlistName }) => playlistName === file);
  if (rendition === undefined) {
    for (const each of room.renditions) {
      const found = await each.resource(file, signal);
      if ("body" in found) return bytes(found.body, "video/mp4");
      if (found.status !== 404) return refuse(c, found.status, found.message);
    }
    return refuse(c, 404, "There is no such segment, or no longer.");
  }
  const directives = readDirectives(new URL(c.req.url).searchParams);
  if (typeof directives === "string") return refuse(c, 400, directives);
  const waits = directives.sequence !== undefined && !rendition.has(directives);
  return playlist(c, await rendition.playlist(directives, signal), waits ? WAITED : MOMENT);
}

async function playlist(c: Context, found: Found<Uint8Array>, caching: string): Promise<Response> {
  if (!("body" in found)) return refuse(c, found.status, found.message);
  const headers = {
    ...CORS,
    "content-type": PLAYLIST_TYPE,
    "cache-control": caching,
    vary: "accept-encoding",
  };
  const { body } = found;
  if (body.length < MIN_COMPRESSED_BYTES || !/\bgzip\b/.test(c.req.header("accept-encoding") ?? "")) {
    return new Response(body as BodyInit, { headers: { ...headers, "content-length": String(body.length) } });
  }
  const small = await compressed(body);
  const encoded = { ...headers, "content-encoding": "gzip", "content-length": String(small.length) };
  return new Response(small as BodyInit, { headers: encoded });
}

/** Playlists are the same bytes for everybody who waits for them, so each is compressed once. */
const compressedBodies = new WeakMap<Uint8Array, Promise<Uint8Array>>();

function compressed(body: Uint8Array): Promise<Uint8Array> {
  let small = compressedBodies.get(body);
  if (small === undefined) {
    const stream = new Blob([body as BlobPart]).stream().pipeThrough(new CompressionStream("gzip"));
    small = new Response(stream).arrayBuffer().then((buffer) => new Uint8Array(buffer));
    compressedBodies.set(body, small);
  }
  return small;
}

function bytes(body: Uint8Array, type: string): Response {
  const headers = { ...CORS, "content-type": type, "content-length": String(body.length) };
  return new Response(body as BodyInit, { headers: { ...headers, "cache-control": IMMUTABLE } });
}

function refuse(c: Context, status: 400 | 404 | 405 | 503, message: string): Response {
  const headers = { ...CORS, "cache-control": "no-store", ...(status === 503 ? { "retry-after": "1" } : {}) };
  return c.text(`${message}\n`, status, headers);
}

function preflight(): Record<string, string> {
  return {
    ...CORS,
    "access-control-allow-methods": "GET, HEAD, OPTIONS",
    "access-control-allow-headers": "*",
    "access-control-max-age": "86400",
  };
}
