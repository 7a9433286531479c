/** LL-HLS of a played programme over real HTTP, with the player's page beside it. */
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { openProgrammeParts } from "../../bridge/fmp4/programme-to-parts.ts";
import { HlsRoom } from "../../bridge/hls/hls-room.ts";
import { hlsRoutes } from "../../bridge/hls/hls-routes.ts";
import type { Programme } from "../../bridge/programme/programme.ts";
import { openAacEncoder } from "../../bridge/sound/aac-encoder.ts";
import { wallClock } from "../sim/wall-clock.ts";
import { hlsScript, playerPage } from "./hls-player.ts";

export interface HlsServer {
  readonly room: HlsRoom;
  readonly origin: string;
  /** What went wrong with encoders. */
  readonly problems: Error[];
  close(): Promise<void>;
}

/** Serves the programme as room "stage" at /hls/stage/index.m3u8, on a free port of 127.0.0.1. */
export async function openHlsServer(programme: Programme): Promise<HlsServer> {
  const problems: Error[] = [];
  const parts = await openProgrammeParts({
    programme,
    openEncoder: openAacEncoder,
    codec: "mp4a.40.2",
    bitrateBps: 128_000,
    withoutPicture: "black",
    onProblem: (error) => problems.push(error),
  });
  const room = new HlsRoom({ clock: wallClock });
  parts.add(room.main);
  const app = new Hono();
  app.route("/hls", hlsRoutes({ room: (name) => (name === "stage" ? room : undefined) }));
  app.get("/hls.js", () => new Response(hlsScript(), { headers: { "content-type": "text/javascript" } }));
  app.get("/", (c) => c.html(playerPage()));
  const server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 });
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    room,
    problems,
    origin: `http://127.0.0.1:${port}`,
    async close() {
      await parts.close();
      server.close();
      if ("closeAllConnections" in server) server.closeAllConnections();
    },
  };
}
