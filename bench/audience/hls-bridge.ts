/**
 * The bridge's part of the HLS row, a process of its own on Deno or Node: a programme in real time with true AAC and a black picture of the
 * wanted rate, through the real writer of parts and the real routes. Prints its port, then a line for each part.
 */
import process from "node:process";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { openProgrammeParts } from "../../bridge/fmp4/programme-to-parts.ts";
import { HlsRoom } from "../../bridge/hls/hls-room.ts";
import { hlsRoutes } from "../../bridge/hls/hls-routes.ts";
import { BlackPicture } from "../../bridge/picture/black-picture.ts";
import type { PictureUnit } from "../../bridge/programme/programme.ts";
import { openAacEncoder } from "../../bridge/sound/aac-encoder.ts";
import { LiveSource } from "../../test/bridge/live-source.ts";
import { wallClock } from "../../test/sim/wall-clock.ts";

const FPS = 30;
const GOP_SECONDS = 2;
const kbps = Number(process.argv[2] ?? 1_000);

/** Two seconds of black, each picture filled up to the rate with filler data (NAL unit type 12), which decoders ignore. */
function pictures(): PictureUnit[] {
  const black = new BlackPicture(640, 360);
  const bytesEach = (kbps * 125) / FPS;
  return Array.from({ length: FPS * GOP_SECONDS }, (_, index) => {
    const unit = index === 0 ? black.keyframe() : black.repeat();
    const filler = new Uint8Array(Math.max(8, Math.round(bytesEach - unit.length))).fill(0xff);
    filler.set([0, 0, 0, 1, 0x0c]);
    filler[filler.length - 1] = 0x80;
    const bytes = new Uint8Array(unit.length + filler.length);
    bytes.set(unit);
    bytes.set(filler, unit.length);
    const timeUs = Math.round((index * 1e6) / FPS);
    return { timeUs, decodeTimeUs: timeUs, keyframe: index === 0, switched: false, bytes };
  });
}

const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
const source = new LiveSource(pictures(), GOP_SECONDS * 1e6);
const parts = await openProgrammeParts({
  programme: source.programme,
  openEncoder: openAacEncoder,
  codec: "mp4a.40.2",
  bitrateBps: 128_000,
  withoutPicture: "black",
  onProblem: (error) => process.stderr.write(`${error.message}\n`),
});
const room = new HlsRoom({ clock: wallClock });
parts.add({
  onInit: (init) => room.main.onInit(init),
  onPart: (part) => {
    const atMs = wallClock.nowUs() / 1000;
    room.main.onPart(part);
    const newest = room.main.newest!;
    say({ key: `${newest.sequence}.${newest.part}`, atMs });
  },
});
const app = new Hono();
app.route("/hls", hlsRoutes({ room: (name) => (name === "stage" ? room : undefined) }));
source.start();
interface ServeOptions {
  hostname: string;
  port: number;
  onListen(address: { port: number }): void;
}
type DenoServe = (
  options: ServeOptions,
  handler: (request: Request) => Response | Promise<Response>,
) => unknown;
const { Deno: deno } = globalThis as { Deno?: { serve: DenoServe } };
const onListen = ({ port }: { port: number }): void => say({ port });
if (deno === undefined) serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 }, onListen);
else deno.serve({ hostname: "127.0.0.1", port: 0, onListen }, app.fetch);
