/** Enhanced RTMP with media of real encoders, sent by a client of ours: what ffmpeg before version 6 and GStreamer cannot send. */
import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BufferSource, type EncodedPacket, EncodedPacketSink, Input, MP4 } from "mediabunny";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectTcp } from "../../bridge/node/tcp.ts";
import { makeAacTag, makeFourCcAudioTag } from "../../bridge/rtmp/flv-audio.ts";
import { makeFourCcVideoTag } from "../../bridge/rtmp/flv-video.ts";
import { TestClient } from "../../bridge/rtmp/testing/test-client.ts";
import { seededRandom } from "../sim/seeded-random.ts";
import { type Ingest, KEY, Program, startIngest, type Taken } from "./rtmp-ingest-harness.ts";

interface Track {
  config: Uint8Array;
  packets: EncodedPacket[];
}

let folder = "";
let ingest: Ingest;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "rtmp-enhanced-"));
  ingest = await startIngest({ videoCodecs: ["hevc"] });
});
afterAll(() => {
  ingest.close();
  rmSync(folder, { recursive: true });
});

/** Two seconds with B-frames in an MP4 file, read back. */
async function encoded(video: string[], audio: string[]): Promise<{ video: Track; audio: Track }> {
  const file = join(folder, `${video[0]}-${audio[0]}.mp4`);
  const source = [
    "-f",
    "lavfi",
    "-i",
    "testsrc2=size=320x180:rate=30",
    "-f",
    "lavfi",
    "-i",
    "sine=sample_rate=48000",
  ];
  const codecs = ["-c:v", ...video, "-bf", "2", "-g", "30", "-pix_fmt", "yuv420p", "-c:a", ...audio];
  const ran = await new Program("ffmpeg", ["-v", "error", "-y", ...source, ...codecs, "-t", "2", file]).ended;
  expect(ran).toMatchObject({ code: 0 });
  const input = new Input({ formats: [MP4], source: new BufferSource(await readFile(file)) });
  const read = async (
    track:
      | Awaited<ReturnType<Input["getPrimaryVideoTrack"]>>
      | Awaited<ReturnType<Input["getPrimaryAudioTrack"]>>,
  ): Promise<Track> => {
    const packets: EncodedPacket[] = [];
    for await (const packet of new EncodedPacketSink(track!).packets()) packets.push(packet);
    const description = (await track!.getDecoderConfig())?.description;
    return { config: new Uint8Array(description as ArrayBuffer), packets };
  };
  return {
    video: await read(await input.getPrimaryVideoTrack()),
    audio: await read(await input.getPrimaryAudioTrack()),
  };
}

/** Sends both tracks, decode times 1/30 s apart from `startMs` on, and waits for the end. */
async function publish(
  codecs: { video: string; audio: string },
  tracks: { video: Track; audio: Track },
  startMs: number,
): Promise<Taken> {
  const socket = await connectTcp({ host: "127.0.0.1", port: ingest.port, timeoutMs: 5_000 });
  const client = new TestClient(socket, seededRandom(3));
  const index = ingest.taken.length;
  client.begin();
  await client.established;
  client.publish(KEY, { fourCcList: ["hvc1"] });
  const taken = await ingest.publication(index);
  const at = (ms: number): number => (startMs + Math.round(ms)) % 2 ** 32;
  const audioTag = (kind: "config" | "frame", data: Uint8Array): Uint8Array =>
    codecs.audio === "mp4a" ? makeAacTag(kind, data) : makeFourCcAudioTag(codecs.audio, kind, data);
  client.chunkBytes(1_000);
  client.media("video", at(0), makeFourCcVideoTag(codecs.video, "config", true, 0, tracks.video.config));
  client.media("audio", at(0), audioTag("config", tracks.audio.config));
  const sounds = [...tracks.audio.packets];
  for (const [number, packet] of tracks.video.packets.entries()) {
    const decodeMs = (number * 1000) / 30;
    while (sounds[0] !== undefined && sounds[0].timestamp * 1000 <= decodeMs) {
      const sound = sounds.shift()!;
      client.media("audio", at(sound.timestamp * 1000), audioTag("frame", sound.data));
    }
    const compositionMs = Math.round(packet.timestamp * 1000) - Math.round(decodeMs);
    const tag = makeFourCcVideoTag(codecs.video, "frame", packet.type === "key", compositionMs, packet.data);
    client.media("video", at(decodeMs), tag);
  }
  client.call("deleteStream", 9, [1]);
  expect(await taken.ended).toMatchObject({ code: "finished" });
  socket.destroy();
  return taken;
}

/** Pictures are shown evenly, whatever order they were sent in, and decode times go on. */
function expectEven(taken: Taken): void {
  const shown = taken.video.map(({ ptsUs }) => ptsUs).sort((a, b) => a - b);
  const steps = shown.slice(1).map((time, at) => time - shown[at]!);
  expect(Math.min(...steps)).toBeGreaterThanOrEqual(32_000);
  expect(Math.max(...steps)).toBeLessThanOrEqual(35_000);
  expect(taken.video.at(-1)!.dtsUs - taken.video[0]!.dtsUs).toBeLessThan(2_000_000);
}

describe("Enhanced RTMP", () => {
  it("H.264 by FourCC and AAC, across 2^32 ms", async () => {
    const tracks = await encoded(["libx264", "-preset", "ultrafast", "-tune", "animation"], ["aac"]);
    const taken = await publish({ video: "avc1", audio: "mp4a" }, tracks, 2 ** 32 - 1_000);
    expect(taken.video).toHaveLength(60);
    expect(await taken.countPictures()).toBe(60);
    expect(await taken.countSounds()).toBe(taken.audio.length);
    expect(taken.audio.length).toBeGreaterThan(85);
    expectEven(taken);
    expect(taken.video.some(({ ptsUs, dtsUs }) => ptsUs !== dtsUs)).toBe(true);
    expect(taken.video.at(-1)!.dtsUs).toBeGreaterThan(2 ** 32 * 1000);
    expect(taken.audio.at(-1)!.timeUs).toBeGreaterThan(2 ** 32 * 1000);
  });

  it("HEVC and Opus", async () => {
    const tracks = await encoded(
      ["libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:pools=1", "-tag:v", "hvc1"],
      ["libopus"],
    );
    const taken = await publish({ video: "hvc1", audio: "Opus" }, tracks, 0);
    expect(taken.video).toHaveLength(60);
    expect(await taken.countPictures("hevc")).toBe(60);
    expectEven(taken);
    expect(taken.audio.length).toBeGreaterThan(90);
    expect(taken.audio[0]).toMatchObject({ codec: "opus", aac: undefined });
  });
});
