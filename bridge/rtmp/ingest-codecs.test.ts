import { beforeEach, describe, expect, it } from "vitest";
import { makeFourCcAudioTag } from "./flv-audio.ts";
import { makeAvcConfigTag, makeAvcFrameTag, makeFourCcVideoTag } from "./flv-video.ts";
import { MESSAGE } from "./messages.ts";
import { AVC_CONFIG, IDR, TestIngest } from "./testing/test-ingest.ts";

let ingest: TestIngest;
beforeEach(() => {
  ingest = new TestIngest();
});

describe("codecs", () => {
  const hevcConfig = Uint8Array.from([
    ...new Uint8Array(21),
    3,
    2,
    0x20,
    0,
    1,
    0,
    2,
    0x40,
    1,
    0x21,
    0,
    1,
    0,
    2,
    0x42,
    1,
  ]);
  const hevcKey = Uint8Array.of(0, 0, 0, 2, 0x26, 1);

  it("refuses HEVC where the room does not take it", async () => {
    const client = await ingest.publisher();
    client.media("video", 0, makeFourCcVideoTag("hvc1", "config", true, 0, hevcConfig));
    await ingest.clock.advance(1);
    expect(client.codes.at(-1)).toBe("NetStream.Publish.Rejected");
    expect(client.lastDescription).toContain("set the video encoder to H.264");
    expect(ingest.taken[0]!.ends).toMatchObject([{ code: "codec-refused" }]);
    expect(ingest.log.at(-1)).toContain("HEVC");
    await ingest.clock.advance(1_500);
    expect(client.ended).toBe(true);
    expect(ingest.server.connections).toBe(0);
  });

  it("takes HEVC, AV1 and VP9 where it does", async () => {
    ingest.videoCodecs = ["hevc", "av1", "vp9"];
    const client = await ingest.publisher();
    client.media("video", 0, makeFourCcVideoTag("hvc1", "config", true, 0, hevcConfig));
    client.media("video", 10, makeFourCcVideoTag("hvc1", "frame", true, 7, hevcKey));
    for (const [index, codec] of ["av01", "vp09"].entries()) {
      client.media("video", 20 + index, makeFourCcVideoTag(codec, "config", true, 0, Uint8Array.of(0x81)));
      client.media("video", 20 + index, makeFourCcVideoTag(codec, "frame", true, 0, Uint8Array.of(5, 6)));
    }
    await ingest.clock.advance(1);
    expect(ingest.taken[0]!.video).toMatchObject([
      {
        codec: "hevc",
        keyframe: true,
        ptsUs: 17_000,
        bytes: Uint8Array.of(0, 0, 0, 1, 0x40, 1, 0, 0, 0, 1, 0x42, 1, 0, 0, 0, 1, 0x26, 1),
      },
      { codec: "av1", bytes: Uint8Array.of(5, 6), config: Uint8Array.of(0x81) },
      { codec: "vp9", keyframe: true },
    ]);
  });

  it("takes the first track that it can, and counts the others", async () => {
    const client = await ingest.publisher();
    const ascii = (text: string): number[] => [...text].map((c) => c.charCodeAt(0));
    const tag = (kind: number, body: Uint8Array): Uint8Array =>
      Uint8Array.from([
        0x96,
        0x20 | kind,
        ...ascii("hvc1"),
        1,
        0,
        0,
        1,
        9,
        ...ascii("avc1"),
        0,
        0,
        0,
        body.length,
        ...body,
      ]);
    client.media("video", 0, tag(0, AVC_CONFIG));
    client.media("video", 0, tag(3, IDR));
    await ingest.clock.advance(1);
    expect(ingest.taken[0]!.video).toMatchObject([{ codec: "h264", keyframe: true }]);
    expect(ingest.taken[0]!.control.stats.dropped["other-track"]).toBe(2);
  });

  it("takes aggregates apart", async () => {
    const client = await ingest.publisher();
    const part = (ms: number, byte: number): number[] => [
      8,
      0,
      0,
      6,
      0,
      0,
      ms,
      0,
      0,
      0,
      0,
      ...makeFourCcAudioTag("Opus", "frame", Uint8Array.of(byte)),
      0,
      0,
      0,
      17,
    ];
    const payload = Uint8Array.from([...part(100, 1), ...part(120, 2)]);
    client.send({ type: MESSAGE.aggregate, streamId: 1, timestamp: 5_000, chunkStreamId: 6, payload });
    await ingest.clock.advance(1);
    expect(ingest.taken[0]!.audio.map(({ timeUs, bytes }) => [timeUs, bytes[0]])).toEqual([
      [5_000_000, 1],
      [5_020_000, 2],
    ]);
  });

  it("passes over some broken tags, and ends when nothing else comes", async () => {
    const client = await ingest.publisher();
    client.media("video", 0, makeAvcConfigTag(AVC_CONFIG));
    const broken = makeAvcFrameTag(true, 0, Uint8Array.of(0, 0, 0, 99, 1));
    for (let i = 0; i < 50; i++) client.media("video", i, broken);
    client.media("video", 60, makeAvcFrameTag(true, 0, IDR));
    await ingest.clock.advance(1);
    expect(ingest.taken[0]!.video).toHaveLength(1);
    expect(ingest.taken[0]!.control.stats.dropped.malformed).toBe(50);
    for (let i = 0; i < 51; i++) client.media("video", 100 + i, broken);
    await ingest.clock.advance(1);
    expect(ingest.taken[0]!.ends).toMatchObject([{ code: "protocol-error" }]);
  });
});
