/**
 * The history over HTTP, as a Hono app below the bridge's public URL: lists, playlists, media, downloads, posters. An id is a secret of 128 bits:
 * who has it may watch; lists and deleting are for whoever `authorise` lets.
 */
import { type Context, Hono } from "hono";
import type { RecordingInfo } from "../../core/wire/bridge-jobs.ts";
import type { Storage } from "../storage/storage.ts";
import { StorageError } from "../storage/storage.ts";
import { requestedRange } from "./byte-range.ts";
import { downloadBody } from "./download.ts";
import { contentDisposition } from "./file-name.ts";
import type { History, Played, PlayedFile } from "./history.ts";
import type { RecordingLog } from "./part-file.ts";
import { keysOf } from "./recording-record.ts";

const FOR_EVER = "public, max-age=31536000, immutable";
const CHANGING = "no-cache";

export interface HistoryRoutesOptions {
  history: History;
  storage: Storage;
  log: RecordingLog;
  /** May this request list (`room` undefined: all rooms), or delete? */
  authorise(request: Request, action: "list" | "delete", room: string | undefined): Promise<boolean>;
}

/** Bytes that a response is made of. */
interface Sent {
  bytes: number;
  type: string;
  cache: string;
  /** Changes with the bytes. */
  version: string;
  disposition?: string;
  body(offset: number, length: number): Promise<ReadableStream<Uint8Array> | undefined>;
}

export function historyRoutes(options: HistoryRoutesOptions): Hono {
  const { history, storage, log, authorise } = options;
  const app = new Hono();

  app.use("/recordings/*", cors);
  app.use("/recordings", cors);
  app.onError((error, c) => {
    log("error", "a request for recordings failed", { path: c.req.path, error: String(error) });
    const isStorage = error instanceof StorageError;
    const detail = isStorage ? error.message : "Something is wrong here: try again later.";
    return c.json({ detail }, isStorage && error.temporary ? 503 : 500, { "cache-control": "no-store" });
  });

  app.get("/recordings", async (c) => {
    const { room, limit, after } = c.req.query();
    if (!(await authorise(c.req.raw, "list", room))) return forbidden(c);
    const count = limit === undefined ? undefined : Number(limit);
    if (count !== undefined && !(Number.isSafeInteger(count) && count > 0)) {
      return c.json({ detail: "limit is how many recordings to list: a number from 1." }, 400);
    }
    return c.json(await history.list({ room, limit: count, after }), 200, { "cache-control": "no-store" });
  });

  app.get("/recordings/:id", async (c) => {
    const played = await history.play(c.req.param("id"));
    if (played === undefined) return missing(c);
    const body = { ...played.info, formats: formatsOf(played) };
    return c.json(body, 200, { "cache-control": CHANGING });
  });

  app.delete("/recordings/:id", async (c) => {
    const info = await history.info(c.req.param("id"));
    if (!(await authorise(c.req.raw, "delete", info?.room))) return forbidden(c);
    return (await history.delete(c.req.param("id"))) ? c.body(null, 204) : missing(c);
  });

  app.get("/recordings/:id/index.m3u8", async (c) => {
    const played = await history.play(c.req.param("id"));
    if (played === undefined) return missing(c);
    const text = played.playlist.text(hasEnded(played.info));
    return c.body(text, 200, {
      "content-type": "application/vnd.apple.mpegurl",
      "cache-control": hasEnded(played.info) ? "public, max-age=60" : CHANGING,
    });
  });

  app.get("/recordings/:id/media.mp4", async (c) => {
    const played = await history.play(c.req.param("id"));
    return played === undefined ? missing(c) : send(c, mediaOf(storage, played));
  });

  app.get("/recordings/:id/download", async (c) => {
    const played = await history.play(c.req.param("id"));
    const sent = played && (await downloadFor(storage, history, played, c.req.query("format")));
    return sent === undefined ? missing(c) : send(c, sent);
  });

  app.get("/recordings/:id/participants/:file", async (c) => {
    const played = await history.file(c.req.param("id"), c.req.param("file"));
    const sent = played && (await fileFor(storage, history, played));
    return sent === undefined ? missing(c) : send(c, sent);
  });

  app.get("/recordings/:id/poster.jpg", async (c) => {
    const info = await history.info(c.req.param("id"));
    if (info?.posterPath == null) return missing(c);
    const key = keysOf(info.id).poster;
    const bytes = (await storage.read(key, { offset: 0, length: 0 }))?.bytes;
    if (bytes === undefined) return missing(c);
    const body = async (offset: number, length: number) =>
      (await storage.read(key, { offset, length }))?.body;
    return send(c, { bytes, type: "image/jpeg", cache: FOR_EVER, version: `${info.id}-poster`, body });
  });

  return app;
}

/** Players on other origins read it, ranges included. */
async function cors(c: Context, next: () => Promise<void>): Promise<Response | undefined> {
  c.header("access-control-allow-origin", "*");
  // Posters in pages that are cross-origin isolated, as the room's is.
  c.header("cross-origin-resource-policy", "cross-origin");
  c.header("access-control-expose-headers", "content-range, content-length, accept-ranges, etag");
  if (c.req.method === "OPTIONS") {
    c.header("access-control-allow-methods", "GET, HEAD, DELETE, OPTIONS");
    c.header("access-control-allow-headers", "authorization, range, content-type");
    c.header("access-control-max-age", "86400");
    return c.body(null, 204);
  }
  await next();
  return undefined;
}

function missing(c: Context): Response {
  return c.json({ detail: "There is no such recording, or it was deleted." }, 404, {
    "cache-control": "no-store",
  });
}

function forbidden(c: Context): Response {
  return c.json({ detail: "Show an API key, or an admin's join token of this room." }, 403, {
    "cache-control": "no-store",
  });
}

function hasEnded(info: RecordingInfo): boolean {
  return info.state !== "recording";
}

function cacheOf(info: RecordingInfo): string {
  return hasEnded(info) ? FOR_EVER : CHANGING;
}

/** Each picture format is a file of its own, where there are several. */
function formatsOf({ info, index }: Played): { durationMs: number; downloadPath: string }[] {
  if (index.inits.length < 2) return [];
  return index.inits.map((_, format) => ({
    durationMs: Math.round(
      index.segments.reduce((sum, s) => (s.init === format ? sum + s.durationUs : sum), 0) / 1000,
    ),
    downloadPath: `${info.downloadPath}?format=${format}`,
  }));
}

function mediaOf(storage: Storage, { info, index, media }: Played): Sent {
  return {
    bytes: index.bytes,
    type: "video/mp4",
    cache: cacheOf(info),
    version: `${info.id}-${index.bytes}`,
    body: async (offset, length) => (await storage.read(media, { offset, length }))?.body,
  };
}

/** Undefined: there is no such format, or nothing recorded yet. */
async function downloadFor(
  storage: Storage,
  history: History,
  played: Played,
  asked: string | undefined,
): Promise<Sent | undefined> {
  const { info, index } = played;
  if (asked !== undefined && !/^\d{1,6}$/.test(asked)) return undefined;
  const format = asked === undefined ? undefined : Number(asked);
  const download = await history.download(played, format);
  if (download === undefined) return undefined;
  return {
    bytes: download.bytes,
    type: "video/mp4",
    cache: cacheOf(info),
    version: `${info.id}-${index.bytes}-${asked ?? "all"}`,
    disposition: contentDisposition(info, format === undefined ? "" : ` part ${format + 1}`),
    body: async (offset, length) => downloadBody(storage, played.media, download, offset, length),
  };
}

async function fileFor(storage: Storage, history: History, played: PlayedFile): Promise<Sent | undefined> {
  const { info, file, index, media } = played;
  const download = await history.download(played, undefined);
  if (download === undefined) return undefined;
  return {
    bytes: download.bytes,
    type: "video/mp4",
    cache: cacheOf(info),
    version: `${info.id}-${file.file}-${index.bytes}`,
    disposition: contentDisposition(info, ` ${file.name} ${Number.parseInt(file.file, 10)}`),
    body: async (offset, length) => downloadBody(storage, media, download, offset, length),
  };
}

/** 200, 206, 304 or 416 (RFC 9110, 13 and 14). */
async function send(c: Context, sent: Sent): Promise<Response> {
  const etag = `"${sent.version}"`;
  const headers: Record<string, string> = {
    "content-type": sent.type,
    "cache-control": sent.cache,
    "accept-ranges": "bytes",
    etag,
    ...(sent.disposition === undefined ? {} : { "content-disposition": sent.disposition }),
  };
  if (c.req.header("if-none-match") === etag) return c.body(null, 304, headers);
  const ifRange = c.req.header("if-range");
  const asked = ifRange === undefined || ifRange === etag ? c.req.header("range") : undefined;
  const range = requestedRange(asked, sent.bytes);
  if (range.kind === "none") {
    return c.body(null, 416, {
      ...headers,
      "cache-control": "no-store",
      "content-range": `bytes */${sent.bytes}`,
    });
  }
  const { offset, length } = range.kind === "part" ? range : { offset: 0, length: sent.bytes };
  headers["content-length"] = String(length);
  if (range.kind === "part")
    headers["content-range"] = `bytes ${offset}-${offset + length - 1}/${sent.bytes}`;
  const status = range.kind === "part" ? 206 : 200;
  // Hono answers HEAD with the same and throws the body away: it must not have been opened.
  if (c.req.method === "HEAD") return c.body(null, status, headers);
  const body = await sent.body(offset, length);
  return body === undefined ? missing(c) : c.body(body, status, headers);
}
