import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { nowHeardSchema } from "../../core/wire/now-heard.ts";
import { BLOCK_SAMPLES, BLOCK_US } from "../programme/programme.ts";
import { FrameCutter, readFrameHeader } from "./frame-header.ts";
import { ICY_INTERVAL_BYTES } from "./limits.ts";
import { listenRoutes } from "./listen-routes.ts";
import { Mp3Output } from "./mp3-output.ts";

const ROOM = "Küche-7";
const START_US = 1_700_000_000_000_000;

describe("listenRoutes", () => {
  let output: Mp3Output;
  let nowUs: number;
  let blocks: number;
  const routes = listenRoutes((room) => (room === ROOM ? output : undefined));
  const get = (path: string, init?: RequestInit): Response | Promise<Response> =>
    routes.request(`/${encodeURIComponent(path)}`, init);

  beforeEach(async () => {
    nowUs = START_US;
    blocks = 0;
    output = await Mp3Output.open({
      room: ROOM,
      bitrateKbps: 128,
      nowUs: () => nowUs,
      onFailure: (error) => expect.unreachable(error.message),
    });
  });
  afterEach(() => output.onEnd());

  function speak(seconds: number): void {
    for (const end = blocks + seconds * 50; blocks < end; blocks++) {
      const tone = Float32Array.from(
        { length: BLOCK_SAMPLES },
        (_, i) => 0.5 * Math.sin((i + blocks * BLOCK_SAMPLES) * 0.13),
      );
      // The programme is 100 ms behind what it plays.
      nowUs = START_US + (blocks + 5) * BLOCK_US;
      output.onSound({ timeUs: START_US + blocks * BLOCK_US, left: tone, right: tone });
    }
  }

  it("answers an endless MP3 of whole frames at the bitrate that was asked for", async () => {
    speak(3);
    const response = await get(`${ROOM}.mp3`, { headers: { range: "bytes=0-" } });
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "audio/mpeg",
      "cache-control": "no-cache, no-store",
      "access-control-allow-origin": "*",
      "icy-br": "128",
      "ice-audio-info": "bitrate=128;channels=2;samplerate=48000",
    });
    expect(
      new TextDecoder().decode(Uint8Array.from(response.headers.get("icy-name")!, (c) => c.charCodeAt(0))),
    ).toBe(ROOM);
    expect(response.headers.has("icy-metaint")).toBe(false);
    speak(1);
    expect(output.status()).toMatchObject({ listeners: 1, joined: 1, droppedSlow: 0 });
    output.onEnd();
    const frames = new FrameCutter().push(new Uint8Array(await response.arrayBuffer()));
    expect(frames.length).toBeGreaterThan(3 * 41);
    expect(frames.every((frame) => readFrameHeader(frame)!.bitrateBps === 128_000)).toBe(true);
    expect(output.status().listeners).toBe(0);
  });

  it("measures its delay: LAME's, a chunk's, and what the programme has", () => {
    expect(output.status().latencyMs).toBeNull();
    speak(4);
    const { latencyMs } = output.status();
    // 10 frames of 24 ms, 3 to 4 in LAME, 5 blocks of the programme.
    expect(latencyMs).toBeGreaterThan(100 + 240);
    expect(latencyMs).toBeLessThan(100 + 240 + 200);
  });

  it("says who is speaking to those who ask", async () => {
    speak(3);
    output.onSpeakers([
      { identity: "ada", name: "Ada" },
      { identity: "bob", name: "Bob" },
    ]);
    const response = await get(`${ROOM}.mp3`, { headers: { "Icy-MetaData": "1" } });
    expect(response.headers.get("icy-metaint")).toBe(String(ICY_INTERVAL_BYTES));
    output.onEnd();
    const bytes = new Uint8Array(await response.arrayBuffer());
    const size = bytes[ICY_INTERVAL_BYTES]! * 16;
    const title = new TextDecoder().decode(
      bytes.subarray(ICY_INTERVAL_BYTES + 1, ICY_INTERVAL_BYTES + 1 + size),
    );
    expect(title.replace(/\0+$/, "")).toBe("StreamTitle='Ada, Bob';");
  });

  it("tells pages who is speaking and how many listen, by names alone", async () => {
    const heard = async () => (await get(`${ROOM}.json`)).json();
    expect(await heard()).toEqual({ room: ROOM, title: ROOM, speaking: [], listeners: 0 });
    output.onSpeakers(
      ["Ada", "Bob", "Cem", "Dora"].map((name) => ({ identity: `${name}@example.org`, name })),
    );
    const response = await get(`${ROOM}.mp3`);
    const asked = await get(`${ROOM}.json`, { headers: { origin: "https://example.org" } });
    expect(Object.fromEntries(asked.headers)).toMatchObject({
      "content-type": "application/json",
      "cache-control": "no-store",
      "access-control-allow-origin": "*",
    });
    expect(nowHeardSchema.strict().parse(await asked.json())).toEqual({
      room: ROOM,
      title: "Ada, Bob, Cem",
      speaking: ["Ada", "Bob", "Cem"],
      listeners: 1,
    });
    await response.body!.cancel();
    output.onSpeakers([]);
    expect(await heard()).toEqual({ room: ROOM, title: ROOM, speaking: [], listeners: 0 });
    expect((await get("elsewhere.json")).status).toBe(404);
    expect((await get(`${ROOM}.json`, { method: "OPTIONS" })).status).toBe(204);
  });

  it("answers HEAD without a listener, and pages of other origins", async () => {
    const head = await get(`${ROOM}.mp3`, { method: "HEAD" });
    expect([head.status, head.headers.get("content-type"), head.body]).toEqual([200, "audio/mpeg", null]);
    const asked = await get(`${ROOM}.mp3`, { method: "OPTIONS" });
    expect(asked.headers.get("access-control-allow-headers")).toContain("icy-metadata");
    expect(output.status().joined).toBe(0);
  });

  it("knows no other rooms", async () => {
    const response = await get("elsewhere.mp3");
    expect([response.status, await response.text()]).toEqual([
      404,
      "There is no MP3 of this room: it is over, or nobody has started one.\n",
    ]);
    expect((await get(ROOM)).status).toBe(404);
  });
});
