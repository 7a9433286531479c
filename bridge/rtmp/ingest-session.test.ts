import { beforeEach, describe, expect, it } from "vitest";
import { makeAacConfig } from "./aac-config.ts";
import { encodeAmf0 } from "./amf0.ts";
import { makeAacTag, makeFourCcAudioTag } from "./flv-audio.ts";
import { makeAvcConfigTag, makeAvcFrameTag } from "./flv-video.ts";
import { command, MESSAGE, metadata } from "./messages.ts";
import { AVC_CONFIG, IDR, KEY, SLICE, TestIngest } from "./testing/test-ingest.ts";

let ingest: TestIngest;
beforeEach(() => {
  ingest = new TestIngest();
});

describe("publishing", () => {
  it("starts when the key was judged, and not before", async () => {
    let allow: () => void = () => undefined;
    const judged = new Promise<void>((resolve) => {
      allow = resolve;
    });
    const judge = ingest.authorise;
    ingest.authorise = async (request) => {
      await judged;
      return await judge(request);
    };
    const client = await ingest.dial();
    client.publish(KEY);
    await ingest.clock.advance(100);
    expect(client.codes).toEqual(["NetConnection.Connect.Success"]);
    expect(ingest.taken).toEqual([]);
    allow();
    await ingest.clock.advance(1);
    expect(client.codes).toEqual(["NetConnection.Connect.Success", "NetStream.Publish.Start"]);
    expect(ingest.requests).toEqual([
      { app: "live", name: KEY, query: {}, streamKey: KEY, remoteAddress: "192.0.2.7:4000" },
    ]);
    expect(ingest.taken).toHaveLength(1);
    expect(ingest.server.publications).toBe(1);
  });

  it("hands on pictures, sound and metadata, and ends with deleteStream; then another may follow", async () => {
    const client = await ingest.publisher();
    client.send(metadata({ width: 640 }, 1));
    client.send({ ...metadata({}, 1), payload: encodeAmf0(["onMetaData", { height: 360 }]) });
    client.media("video", 0, makeAvcFrameTag(true, 0, IDR));
    client.media("video", 0, makeAvcConfigTag(AVC_CONFIG));
    client.media("video", 20, makeAvcFrameTag(false, 0, SLICE));
    client.media("video", 40, makeAvcFrameTag(true, 66, IDR));
    client.media("video", 80, makeAvcFrameTag(false, -33, SLICE));
    client.media("audio", 41, makeAacTag("frame", Uint8Array.of(9)));
    client.media("audio", 41, makeAacTag("config", makeAacConfig(48_000, 2)));
    client.media("audio", 62, makeAacTag("frame", Uint8Array.of(1, 2)));
    client.call("FCUnpublish", 5, [KEY]);
    client.call("deleteStream", 6, [1]);
    await ingest.clock.advance(1);
    const [one] = ingest.taken;
    expect(one?.metadata).toEqual([{ width: 640 }, { height: 360 }]);
    expect(one?.video.map(({ bytes: _, ...rest }) => rest)).toEqual([
      { codec: "h264", ptsUs: 106_000, dtsUs: 40_000, keyframe: true, config: undefined },
      { codec: "h264", ptsUs: 47_000, dtsUs: 80_000, keyframe: false, config: undefined },
    ]);
    expect([...one!.video[0]!.bytes.subarray(0, 5)]).toEqual([0, 0, 0, 1, 0x67]);
    expect(one?.audio).toMatchObject([
      {
        codec: "aac",
        timeUs: 62_000,
        bytes: Uint8Array.of(1, 2),
        aac: { sampleRateHz: 48_000, channels: 2 },
      },
    ]);
    expect(one?.control.stats).toMatchObject({ videoUnits: 2, audioUnits: 1 });
    expect(one?.control.stats.dropped).toMatchObject({ "no-config": 2, "no-keyframe": 1, malformed: 0 });
    expect(one?.ends).toMatchObject([{ code: "finished" }]);
    expect(ingest.server.publications).toBe(0);
    client.call("createStream", 7);
    client.call("publish", 8, [KEY], 2);
    await ingest.clock.advance(1);
    expect(client.codes.at(-1)).toBe("NetStream.Publish.Start");
    expect(ingest.taken).toHaveLength(2);
  });

  it.each([
    ["with extended timestamps repeated", {}],
    ["without", { repeatExtended: false }],
  ])("time goes on across 2^24 and 2^32 ms, %s", async (_name, options) => {
    const client = await ingest.publisher(options);
    const frame = Uint8Array.from([...IDR, ...new Uint8Array(600)]);
    client.media("video", 2 ** 24 - 50, makeAvcConfigTag(AVC_CONFIG));
    for (let ms = 2 ** 24 - 50; ms < 2 ** 24 + 100; ms += 33)
      client.media("video", ms, makeAvcFrameTag(true, 5, frame));
    for (let ms = 2 ** 31; ms < 2 ** 32 - 100; ms += 2 ** 30)
      client.media("video", ms, makeAvcFrameTag(true, 5, frame));
    for (let ms = 2 ** 32 - 50; ms < 2 ** 32 + 100; ms += 33) {
      client.media("video", ms >>> 0, makeAvcFrameTag(true, 5, frame));
      client.media("audio", (ms - 7) >>> 0, makeFourCcAudioTag("Opus", "frame", Uint8Array.of(1)));
    }
    await ingest.clock.advance(1);
    const times = ingest.taken[0]!.video.map(({ dtsUs, ptsUs }) => [dtsUs, ptsUs - dtsUs]);
    const expected = [];
    for (let ms = 2 ** 24 - 50; ms < 2 ** 24 + 100; ms += 33) expected.push(ms);
    for (let ms = 2 ** 31; ms < 2 ** 32 - 100; ms += 2 ** 30) expected.push(ms);
    for (let ms = 2 ** 32 - 50; ms < 2 ** 32 + 100; ms += 33) expected.push(ms);
    expect(times).toEqual(expected.map((ms) => [ms * 1000, 5_000]));
    expect(ingest.taken[0]!.audio.at(-1)!.timeUs).toBe((expected.at(-1)! - 7) * 1000);
  });

  it("straightens time that jitters, and ends where it jumps back", async () => {
    const client = await ingest.publisher();
    for (const ms of [2_000, 2_033, 2_032, 2_066]) {
      client.media("audio", ms, makeFourCcAudioTag("Opus", "frame", Uint8Array.of(1)));
    }
    await ingest.clock.advance(1);
    expect(ingest.taken[0]!.audio.map(({ timeUs }) => timeUs)).toEqual([
      2_000_000, 2_033_000, 2_033_001, 2_066_000,
    ]);
    client.media("audio", 0, makeFourCcAudioTag("Opus", "frame", Uint8Array.of(1)));
    await ingest.clock.advance(1);
    expect(ingest.taken[0]!.ends).toMatchObject([{ code: "protocol-error" }]);
    expect(client.codes.at(-1)).toBe("NetStream.Failed");
    expect(client.lastDescription).toContain("jumped back");
  });

  it.each([1, 128, 65_536])("takes chunks of %i bytes", async (chunkBytes) => {
    const client = await ingest.publisher();
    client.chunkBytes(chunkBytes);
    const large = Uint8Array.from([...IDR, 0, 1, 0x11, 0x70, 0x41, ...new Uint8Array(69_999)]);
    client.media("video", 0, makeAvcConfigTag(AVC_CONFIG));
    client.media("video", 0, makeAvcFrameTag(true, 0, large));
    await ingest.clock.advance(5);
    expect(ingest.taken[0]!.video.map(({ bytes }) => bytes.length)).toEqual([large.length + 9 + 8]);
  });

  it("takes commands in their AMF3 wrapping", async () => {
    const client = await ingest.dial();
    for (const each of [
      command("connect", 1, { app: "live" }),
      command("createStream", 2, null),
      command("publish", 3, null, [KEY, "live"], 1),
    ]) {
      client.send({ ...each, type: MESSAGE.command3, payload: Uint8Array.of(0, ...each.payload) });
    }
    await ingest.clock.advance(1);
    expect(client.codes.at(-1)).toBe("NetStream.Publish.Start");
  });

  it("says what it understands to who asks", async () => {
    const client = await ingest.publisher({}, { fourCcList: ["hvc1"], capsEx: 15 });
    expect(client.commands[0]?.object).toMatchObject({ capsEx: 15, audioFourCcInfoMap: { Opus: 5 } });
    const plain = await ingest.dial("192.0.2.8:1");
    plain.connect();
    await ingest.clock.advance(1);
    expect(plain.commands[0]?.object).not.toHaveProperty("capsEx");
  });

  it("answers the calls that librtmp makes beside, and refuses others", async () => {
    const client = await ingest.dial();
    client.connect();
    client.call("releaseStream", 2, [KEY]);
    client.call("FCPublish", 3, [KEY]);
    client.call("_checkbw", 4);
    client.call("exec", 5, ["rm"]);
    await ingest.clock.advance(1);
    expect(client.commands.map(({ name, transaction }) => [name, transaction])).toEqual([
      ["_result", 1],
      ["_result", 2],
      ["_result", 3],
      ["_result", 4],
      ["_error", 5],
    ]);
  });
});
