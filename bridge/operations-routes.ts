/** The bridge's operations API for gateways (core/wire/bridge-operations.ts): its recordings, told and deleted. A Hono sub-app. */
import { type Context, Hono } from "hono";
import type { Clock } from "../core/clock.ts";
import type { RecordingInfo } from "../core/wire/bridge-jobs.ts";
import {
  newestFirst,
  placeOfRecording,
  type RecordingPage,
  recordingIdSchema,
  recordingQuerySchema,
} from "../core/wire/bridge-operations.ts";
import { type TicketKeys, verifyGatewayToken } from "../core/wire/gateway-keys.ts";
import { MAX_RECORDING_PAGE_BYTES } from "../core/wire/limits.ts";
import { serviceTokenSchema } from "../core/wire/tokens.ts";

/** The recordings that a bridge can reach. All methods may reject; the caller is told that the storage failed. */
export interface RecordingsSource {
  /** Of one room, or of all; in any order. */
  list(room: string | undefined): Promise<readonly RecordingInfo[]>;
  get(id: string): Promise<RecordingInfo | undefined>;
  /** `recording`: it is being made, so it stays. */
  delete(id: string): Promise<"deleted" | "absent" | "recording">;
}

export interface BridgeOperationsOptions {
  bridgeId: string;
  /** The gateway's public keys. */
  keys: TicketKeys;
  clock: Clock;
  recordings: RecordingsSource;
  /** One line for operators. */
  log(line: string): void;
}

/** Answers below /v1 and /healthz; everything else is left to whoever mounts it. */
export function createBridgeOperations(options: BridgeOperationsOptions): Hono {
  const { bridgeId, keys, clock, recordings, log } = options;
  const app = new Hono();
  app.use("/v1/*", async (c, next) => {
    const token = /^Bearer (\S+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
    try {
      if (token === undefined) throw new Error("no service token: send it as Authorization: Bearer");
      const { scope } = serviceTokenSchema.parse(await verifyGatewayToken(token, keys, bridgeId, clock));
      if (scope !== "recordings") throw new Error("the service token is for something else");
    } catch (error) {
      log(`operations: a call was refused: ${error instanceof Error ? error.message : String(error)}`);
      return problem(c, 401, "Not authorised", "this is for gateways, with a service token for this bridge");
    }
    await next();
  });
  app.get("/healthz", (c) => c.json({ status: "ok" }));
  app.get("/v1/recordings", async (c) => {
    const query = recordingQuerySchema.safeParse(c.req.query());
    if (!query.success) return problem(c, 400, "Not valid", query.error.issues[0]?.message ?? "the query");
    const { room, before, limit } = query.data;
    return c.json(pageOf(await recordings.list(room), before, limit));
  });
  app.get("/v1/recordings/:id", async (c) => {
    const recording = await find(c);
    return recording ? c.json(recording) : absent(c);
  });
  app.delete("/v1/recordings/:id", async (c) => {
    const recording = await find(c);
    const outcome = recording ? await recordings.delete(recording.id) : "absent";
    if (!recording || outcome === "absent") return absent(c);
    if (outcome === "recording") {
      return problem(c, 409, "Being recorded", "the recording is still being made: end its output first");
    }
    log(`operations: recording ${recording.id} of room ${recording.room} was deleted`);
    return c.json(recording);
  });
  app.onError((error, c) => {
    log(`operations: ${c.req.method} ${c.req.path} failed: ${error.message}`);
    return problem(c, 500, "Storage failed", "the recordings cannot be reached: look at the bridge's log");
  });

  async function find(c: Context): Promise<RecordingInfo | undefined> {
    const id = recordingIdSchema.safeParse(c.req.param("id"));
    return id.success ? await recordings.get(id.data) : undefined;
  }
  return app;
}

/** As many of the newest behind a place as are asked for and fit; at least one, so that lists get on. */
function pageOf(all: readonly RecordingInfo[], before: string | undefined, limit: number): RecordingPage {
  const behind = all
    .filter((recording) => before === undefined || placeOfRecording(recording) < before)
    .sort(newestFirst);
  const page: RecordingInfo[] = [];
  let bytes = 0;
  for (const recording of behind.slice(0, limit)) {
    bytes += new TextEncoder().encode(JSON.stringify(recording)).length;
    if (bytes > MAX_RECORDING_PAGE_BYTES && page.length > 0) break;
    page.push(recording);
  }
  return { recordings: page, more: page.length < behind.length };
}

function absent(c: Context): Response {
  return problem(c, 404, "Not found", "there is no recording of this id");
}

/** RFC 9457. */
function problem(c: Context, status: 400 | 401 | 404 | 409 | 500, title: string, detail: string): Response {
  return c.body(JSON.stringify({ title, status, detail }), status, {
    "content-type": "application/problem+json",
  });
}
