/** The MP3 output over real HTTP, judged by ffprobe and ffmpeg: joining in the middle, ICY metadata, a slow reader, an audience. */
import { spawn, spawnSync } from "node:child_process";
import { connect, type Socket } from "node:net";
import { type ServerType, serve } from "@hono/node-server";
import { Hono } from "hono";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FrameCutter, readFrameHeader } from "../../bridge/mp3/frame-header.ts";
import { leadIn } from "../../bridge/mp3/lead-in.ts";
import { listenRoutes } from "../../bridge/mp3/listen-routes.ts";
import { Mp3Output } from "../../bridge/mp3/mp3-output.ts";
import { BLOCK_SAMPLES, BLOCK_US } from "../../bridge/programme/programme.ts";
import { type Mp3BitrateKbps, openMp3Encoder } from "../../bridge/sound/mp3-encoder.ts";

/** A tone that swells and falls with bursts of noise, so that the encoder makes full use of its reservoir. */
function speech(block: number): Float32Array {
  return Float32Array.from({ length: BLOCK_SAMPLES }, (_, i) => {
    const at = block * BLOCK_SAMPLES + i;
    const swell = Math.sin(at / 7_000) ** 2;
    const noise = ((Math.imul(at, 2_654_435_761) >>> 8) % 2_000) / 1_000 - 1;
    return 0.5 * swell * Math.sin(at * 0.0576) + (block % 13 === 0 ? 0.3 * noise : 0.01 * noise);
  });
}

function decode(bytes: Uint8Array): { samples: Float32Array; complaints: string } {
  const line = ["-v", "warning", "-f", "mp3", "-i", "pipe:0", "-f", "f32le", "-ac", "1", "pipe:1"];
  const { stdout, stderr } = spawnSync("ffmpeg", line, { input: bytes, maxBuffer: 1 << 28 });
  const samples = new Float32Array(new Uint8Array(stdout).buffer);
  return { samples, complaints: stderr.toString().replace(/.*Estimating duration.*\n/, "") };
}

describe("a listener that joins in the middle", () => {
  it.each<Mp3BitrateKbps>([64, 128])(
    "decodes to what one that was there from the start has, at %i kbit/s",
    async (bitrateKbps) => {
      const frames: Uint8Array[] = [];
      const encoder = await openMp3Encoder({ bitrateKbps, onFrame: ({ bytes }) => frames.push(bytes) });
      for (let block = 0; block < 250; block++) {
        const sound = speech(block);
        encoder.push({ timeUs: block * BLOCK_US, left: sound, right: sound });
      }
      encoder.finish();
      const whole = decode(Buffer.concat(frames)).samples;
      const deep = frames.flatMap((frame, number) =>
        number > 10 && readFrameHeader(frame)!.reservoirBytes > 300 ? [number] : [],
      );
      expect(deep.length).toBeGreaterThan(5);
      for (const from of [...deep.slice(0, 3), 61, 100, 137]) {
        const lead = leadIn(frames[from]!, frames.slice(from - 4, from));
        const { samples, complaints } = decode(Buffer.concat([lead, ...frames.slice(from, from + 40)]));
        expect(complaints).toBe("");
        const leadSamples = (lead.length / frames[0]!.length) * 1152;
        // The first frame lacks the half of its transform that the one before would have had; the filter bank has forgotten that soon.
        let worst = 0;
        for (let i = 2 * 1152; i < 38 * 1152; i++) {
          worst = Math.max(worst, Math.abs(samples[leadSamples + i]! - whole[from * 1152 + i]!));
        }
        expect(worst).toBeLessThan(1e-4);
      }
    },
  );
});

describe("over HTTP", () => {
  let output: Mp3Output;
  let server: ServerType;
  let origin: string;
  let port: number;
  let blocks: number;
  const sockets: Socket[] = [];

  beforeEach(async () => {
    blocks = 0;
    output = await Mp3Output.open({
      room: "hall",
      bitrateKbps: 128,
      nowUs: () => blocks * BLOCK_US,
      onFailure: (error) => expect.unreachable(error.message),
    });
    const app = new Hono().route(
      "/listen",
      listenRoutes((room) => (room === "hall" ? output : undefined)),
    );
    port = await new Promise<number>((resolve) => {
      server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 }, (info) => resolve(info.port));
    });
    origin = `http://127.0.0.1:${port}`;
  });
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
    output.onEnd();
    server.close();
  });

  /** Faster than it would be spoken, but never so fast that readers have no turn. */
  async function speak(count: number): Promise<void> {
    for (const end = blocks + count; blocks < end; blocks++) {
      const sound = speech(blocks % 500);
      output.onSound({ timeUs: blocks * BLOCK_US, left: sound, right: sound });
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async function until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  it("ffprobe takes what a listener gets that joins late, and it is whole frames to the byte", async () => {
    await speak(300);
    const response = await fetch(`${origin}/listen/hall.mp3`);
    expect(response.headers.get("content-type")).toBe("audio/mpeg");
    await speak(200);
    output.onEnd();
    const bytes = new Uint8Array(await response.arrayBuffer());
    const frames = new FrameCutter().push(bytes);
    expect(frames.reduce((sum, { length }) => sum + length, 0)).toBe(bytes.length);
    expect(frames.every((frame) => frame.length === 384)).toBe(true);
    const probed = spawnSync(
      "ffprobe",
      ["-v", "warning", "-count_frames", "-of", "json", "-show_streams", "-f", "mp3", "pipe:0"],
      { input: bytes },
    );
    expect(probed.stderr.toString().replace(/.*Estimating duration.*\n/, "")).toBe("");
    expect(JSON.parse(probed.stdout.toString()).streams).toMatchObject([
      { codec_name: "mp3", sample_rate: "48000", channels: 2, nb_read_frames: String(frames.length) },
    ]);
    expect(decode(bytes).complaints).toBe("");
  });

  it("ffmpeg as an ICY client reads who is speaking", async () => {
    await speak(200);
    output.onSpeakers([{ identity: "ada", name: "Ada Lovelace" }]);
    const client = spawn("ffmpeg", [
      "-v",
      "debug",
      "-icy",
      "1",
      "-i",
      `${origin}/listen/hall.mp3`,
      "-f",
      "null",
      "-",
    ]);
    let said = "";
    client.stderr.on("data", (bytes: Uint8Array) => {
      said += new TextDecoder().decode(bytes);
    });
    const closed = new Promise<number | null>((resolve) => client.once("close", resolve));
    await until(() => output.status().listeners === 1 || client.exitCode !== null);
    await speak(300);
    output.onEnd();
    expect(await closed).toBe(0);
    expect(said).toContain("Metadata update for StreamTitle: Ada Lovelace");
    expect(said).toMatch(/Audio: mp3.*48000 Hz, stereo.*128 kb\/s/);
    expect(said).toMatch(/frames successfully decoded, 0 decoding errors/);
  });

  it("cuts off a listener that does not read, while others lose nothing", async () => {
    const slow = connect(port, "127.0.0.1");
    sockets.push(slow);
    slow.on("error", () => undefined);
    slow.pause();
    slow.write("GET /listen/hall.mp3 HTTP/1.0\r\n\r\n");
    await until(() => output.status().listeners === 1);
    const response = await fetch(`${origin}/listen/hall.mp3`);
    let received = 0;
    const reading = (async () => {
      for await (const chunk of response.body!) received += chunk.length;
    })();
    await until(() => output.status().listeners === 2);
    // The kernel's buffers take some MB before anything waits here.
    for (let turn = 0; output.status().droppedSlow === 0 && turn < 100; turn++) await speak(250);
    const { droppedSlow, listeners } = output.status();
    expect([droppedSlow, listeners]).toEqual([1, 1]);
    await speak(100);
    output.onEnd();
    await reading;
    expect(received % 384).toBe(0);
    expect(received / 384).toBeGreaterThanOrEqual(Math.floor((blocks * BLOCK_SAMPLES) / 1152));
  });

  it("200 listeners get the same sound, each from a frame's first byte, and are gone when they leave", async () => {
    await speak(150);
    const responses = await Promise.all(
      Array.from({ length: 200 }, () => fetch(`${origin}/listen/hall.mp3`)),
    );
    await until(() => output.status().listeners === 200);
    const leaving = responses.splice(0, 50);
    await Promise.all(leaving.map((response) => response.body!.cancel()));
    await until(() => output.status().listeners === 150);
    const bodies = responses.map((response) => response.arrayBuffer());
    await speak(150);
    output.onEnd();
    const all = await Promise.all(bodies);
    const tail = Buffer.from(all[0]!).subarray(-100 * 384);
    for (const body of all) {
      const bytes = Buffer.from(body);
      expect(bytes.length % 384).toBe(0);
      expect(readFrameHeader(bytes)).toMatchObject({ frameBytes: 384, reservoirBytes: 0 });
      expect(bytes.subarray(-100 * 384).equals(tail)).toBe(true);
    }
    expect(output.status()).toMatchObject({ listeners: 0, joined: 200, droppedSlow: 0 });
  });
});
