/** The HLS output of a played programme over real HTTP, with the player's page beside it. */
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { HlsRooms } from "../../bridge/hls/hls-rooms.ts";
import { hlsRoutes } from "../../bridge/hls/hls-routes.ts";
import { hlsOutput } from "../../bridge/outputs/hls.ts";
import { SharedParts } from "../../bridge/outputs/shared-parts.ts";
import type { Programme } from "../../bridge/programme/programme.ts";
import { openAacEncoder } from "../../bridge/sound/aac-encoder.ts";
import { wallClock } from "../sim/wall-clock.ts";
import { hlsScript, playerPage } from "./hls-player.ts";

export interface HlsServer {
  readonly origin: string;
  /** What went wrong with encoders. */
  readonly problems: string[];
  close(): Promise<void>;
}

/** Serves the programme as room "stage" at /hls/stage/index.m3u8, on a free port of 127.0.0.1. */
export async function openHlsServer(programme: Programme, opus = false): Promise<HlsServer> {
  const problems: string[] = [];
  const rooms = new HlsRooms(wallClock);
  const open = hlsOutput({
    clock: wallClock,
    parts: new SharedParts({ openAac: openAacEncoder, log: (line) => problems.push(line) }),
    rooms,
    historyOf: () => ({ segmentsBefore: () => [] }),
    publicUrl: "",
  });
  const output = await open(
    {
      kind: "output",
      id: "job-00001",
      room: "stage",
      createdAt: new Date().toISOString(),
      spec: { type: "hls", picture: { mode: "speaker" }, gainsDb: {}, opus },
    },
    Object.assign(programme, { holdParticipant: notAsked }),
    (message) => problems.push(message),
  );
  const app = new Hono();
  app.route("/hls", hlsRoutes({ room: (name) => rooms.find(name) }));
  app.get("/hls.js", () => new Response(hlsScript(), { headers: { "content-type": "text/javascript" } }));
  app.get("/", (c) => c.html(playerPage()));
  const server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 });
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    problems,
    origin: `http://127.0.0.1:${port}`,
    async close() {
      await output.close(false);
      rooms.close();
      server.close();
      if ("closeAllConnections" in server) server.closeAllConnections();
    },
  };
}

function notAsked(): never {
  throw new Error("HLS asks for no programme of a single participant");
}
