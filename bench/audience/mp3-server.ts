/**
 * The bridge's side of the MP3 audience benchmark, a process of its own so that its CPU and memory are its own: one room of synthetic sound in
 * real time, encoded and served by the real code over HTTP. Runs on Node (tsx) and on Deno. Orders on standard input, one answer a line.
 */
import process from "node:process";
import { createInterface } from "node:readline";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { listenRoutes } from "../../bridge/mp3/listen-routes.ts";
import { Mp3Output } from "../../bridge/mp3/mp3-output.ts";
import { BLOCK_SAMPLES, BLOCK_US } from "../../bridge/programme/programme.ts";

/** "end": the room is over. */
export type Mp3Order = "status" | "end";

export interface Mp3ServerStatus {
  listeners: number;
  droppedSlow: number;
  refused: number;
  latencyMs: number | null;
  memoryMb: number;
}

const nowUs = (): number => Math.round((performance.timeOrigin + performance.now()) * 1000);

const output = await Mp3Output.open({
  room: "hall",
  bitrateKbps: 128,
  nowUs,
  onFailure: (error) => {
    throw error;
  },
});

/** Ten seconds of it, again and again: making it must not cost more than encoding it. */
const SOUND = Array.from({ length: 500 }, (_, block) =>
  Float32Array.from({ length: BLOCK_SAMPLES }, (_, i) => {
    const at = block * BLOCK_SAMPLES + i;
    return 0.5 * Math.sin(at / 7_000) ** 2 * Math.sin(at * 0.0576) + 0.02 * Math.sin(at * at * 1e-3);
  }),
);

const startUs = nowUs();
let blocks = 0;
/** A block is given when its last sample has been captured. */
const feeding = setInterval(() => {
  while (startUs + (blocks + 1) * BLOCK_US <= nowUs()) {
    const sound = SOUND[blocks % SOUND.length]!;
    output.onSound({ timeUs: startUs + blocks * BLOCK_US, left: sound, right: sound });
    blocks += 1;
  }
}, 5);

const app = new Hono().route(
  "/listen",
  listenRoutes((room) => (room === "hall" ? output : undefined)),
);
const server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 }, ({ port }) => {
  process.stdout.write(`${JSON.stringify({ port })}\n`);
});

createInterface({ input: process.stdin }).on("line", (line) => {
  const order = JSON.parse(line) as Mp3Order;
  const { listeners, droppedSlow, refused, latencyMs } = output.status();
  const status: Mp3ServerStatus = {
    listeners,
    droppedSlow,
    refused,
    latencyMs,
    memoryMb: process.memoryUsage().rss / 2 ** 20,
  };
  if (order === "end") {
    clearInterval(feeding);
    output.onEnd();
    server.close();
  }
  // When what decodes to the end of the last frame was captured.
  process.stdout.write(`${JSON.stringify({ ...status, endUs: startUs + blocks * BLOCK_US })}\n`);
});
