import { beforeEach, describe, expect, it } from "vitest";
import { seededRandom } from "../../test/sim/seeded-random.ts";
import { VirtualClock } from "../../test/sim/virtual-clock.ts";
import { memorySocketPair } from "../net/memory-socket.ts";
import { makeAacConfig } from "./aac-config.ts";
import type { Amf0Object } from "./amf0.ts";
import { encodeAmf0 } from "./amf0.ts";
import type { ChunkWriterOptions } from "./chunk-writer.ts";
import { makeAacTag, makeFourCcAudioTag } from "./flv-audio.ts";
import { makeAvcConfigTag, makeAvcFrameTag, makeFourCcVideoTag } from "./flv-video.ts";
import { IngestServer } from "./ingest-server.ts";
import type {
  Authorise,
  IngestAudio,
  IngestControl,
  IngestEnd,
  IngestRequest,
  IngestVideo,
  VideoCodec,
} from "./ingest-sink.ts";
import { command, MESSAGE, metadata, readU32, userControl, USER_EVENT, windowSize } from "./messages.ts";
import { TestClient } from "./testing/test-client.ts";

const KEY = "the-right-key-of-camera-1";
const AVC_CONFIG = Uint8Array.from([
  1, 0x42, 0xe0, 0x1f, 0xff, 0xe1, 0, 5, 0x67, 0x42, 0xe0, 0x1f, 0xda, 1, 0, 4, 0x68, 0xce, 0x3c, 0x80,
]);
const IDR = Uint8Array.of(0, 0, 0, 3, 0x65, 0x88, 0x84);
const SLICE = Uint8Array.of(0, 0, 0, 3, 0x41, 0x9a, 0x22);

interface Taken {
  control: IngestControl;
  video: IngestVideo[];
  audio: IngestAudio[];
  metadata: Amf0Object[];
  ends: IngestEnd[];
}

let clock: VirtualClock;
let log: string[];
let taken: Taken[];
let requests: IngestRequest[];
let videoCodecs: VideoCodec[];
let authorise: Authorise;
let server: IngestServer;
let faults: unknown[];

beforeEach(() => {
  clock = new VirtualClock();
  log = [];
  taken = [];
  requests = [];
  faults = [];
  videoCodecs = [];
  authorise = async (request) => {
    requests.push(request);
    if (request.streamKey !== KEY) return { granted: false, wrongKey: true, message: "The key is wrong." };
    return { granted: true, publication: "camera-1", videoCodecs, open };
  };
  server = new IngestServer({
    clock,
    random: seededRandom(1),
    authorise: (request) => authorise(request),
    log: (line) => log.push(line),
  });
});

function open(control: IngestControl) {
  const one: Taken = { control, video: [], audio: [], metadata: [], ends: [] };
  taken.push(one);
  return {
    onVideo: (unit: IngestVideo) => void one.video.push(unit),
    onAudio: (unit: IngestAudio) => void one.audio.push(unit),
    onMetadata: (entries: Amf0Object) => void one.metadata.push(entries),
    onEnd: (end: IngestEnd) => void one.ends.push(end),
  };
}

async function dial(address = "192.0.2.7:4000", options: ChunkWriterOptions = {}): Promise<TestClient> {
  const [near, far] = memorySocketPair([address, "198.51.100.1:1935"]);
  server.accept(far).catch((error: unknown) => faults.push(error));
  const client = new TestClient(near, seededRandom(2), options);
  client.begin();
  await clock.advance(1);
  return client;
}

async function publisher(options: ChunkWriterOptions = {}, object: Amf0Object = {}): Promise<TestClient> {
  const client = await dial(undefined, options);
  client.publish(KEY, object);
  await clock.advance(1);
  expect(client.codes).toEqual(["NetConnection.Connect.Success", "NetStream.Publish.Start"]);
  return client;
}

describe("publishing", () => {
  it("starts when the key was judged, and not before", async () => {
    let allow: () => void = () => undefined;
    const judged = new Promise<void>((resolve) => {
      allow = resolve;
    });
    const judge = authorise;
    authorise = async (request) => {
      await judged;
      return await judge(request);
    };
    const client = await dial();
    client.publish(KEY);
    await clock.advance(100);
    expect(client.codes).toEqual(["NetConnection.Connect.Success"]);
    expect(taken).toEqual([]);
    allow();
    await clock.advance(1);
    expect(client.codes).toEqual(["NetConnection.Connect.Success", "NetStream.Publish.Start"]);
    expect(requests).toEqual([
      { app: "live", name: KEY, query: {}, streamKey: KEY, remoteAddress: "192.0.2.7:4000" },
    ]);
    expect(taken).toHaveLength(1);
    expect(server.publications).toBe(1);
  });

  it("hands on pictures, sound and metadata, and ends with deleteStream; then another may follow", async () => {
    const client = await publisher();
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
    await clock.advance(1);
    const [one] = taken;
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
    expect(server.publications).toBe(0);
    client.call("createStream", 7);
    client.call("publish", 8, [KEY], 2);
    await clock.advance(1);
    expect(client.codes.at(-1)).toBe("NetStream.Publish.Start");
    expect(taken).toHaveLength(2);
  });

  it.each([
    ["with extended timestamps repeated", {}],
    ["without", { repeatExtended: false }],
  ])("time goes on across 2^24 and 2^32 ms, %s", async (_name, options) => {
    const client = await publisher(options);
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
    await clock.advance(1);
    const times = taken[0]!.video.map(({ dtsUs, ptsUs }) => [dtsUs, ptsUs - dtsUs]);
    const expected = [];
    for (let ms = 2 ** 24 - 50; ms < 2 ** 24 + 100; ms += 33) expected.push(ms);
    for (let ms = 2 ** 31; ms < 2 ** 32 - 100; ms += 2 ** 30) expected.push(ms);
    for (let ms = 2 ** 32 - 50; ms < 2 ** 32 + 100; ms += 33) expected.push(ms);
    expect(times).toEqual(expected.map((ms) => [ms * 1000, 5_000]));
    expect(taken[0]!.audio.at(-1)!.timeUs).toBe((expected.at(-1)! - 7) * 1000);
  });

  it("straightens time that jitters, and ends where it jumps back", async () => {
    const client = await publisher();
    for (const ms of [2_000, 2_033, 2_032, 2_066]) {
      client.media("audio", ms, makeFourCcAudioTag("Opus", "frame", Uint8Array.of(1)));
    }
    await clock.advance(1);
    expect(taken[0]!.audio.map(({ timeUs }) => timeUs)).toEqual([2_000_000, 2_033_000, 2_033_001, 2_066_000]);
    client.media("audio", 0, makeFourCcAudioTag("Opus", "frame", Uint8Array.of(1)));
    await clock.advance(1);
    expect(taken[0]!.ends).toMatchObject([{ code: "protocol-error" }]);
    expect(client.codes.at(-1)).toBe("NetStream.Failed");
    expect(client.lastDescription).toContain("jumped back");
  });

  it.each([1, 128, 65_536])("takes chunks of %i bytes", async (chunkBytes) => {
    const client = await publisher();
    client.chunkBytes(chunkBytes);
    const large = Uint8Array.from([...IDR, 0, 1, 0x11, 0x70, 0x41, ...new Uint8Array(69_999)]);
    client.media("video", 0, makeAvcConfigTag(AVC_CONFIG));
    client.media("video", 0, makeAvcFrameTag(true, 0, large));
    await clock.advance(5);
    expect(taken[0]!.video.map(({ bytes }) => bytes.length)).toEqual([large.length + 9 + 8]);
  });

  it("takes commands in their AMF3 wrapping", async () => {
    const client = await dial();
    for (const each of [
      command("connect", 1, { app: "live" }),
      command("createStream", 2, null),
      command("publish", 3, null, [KEY, "live"], 1),
    ]) {
      client.send({ ...each, type: MESSAGE.command3, payload: Uint8Array.of(0, ...each.payload) });
    }
    await clock.advance(1);
    expect(client.codes.at(-1)).toBe("NetStream.Publish.Start");
  });

  it("says what it understands to who asks", async () => {
    const client = await publisher({}, { fourCcList: ["hvc1"], capsEx: 15 });
    expect(client.commands[0]?.object).toMatchObject({ capsEx: 15, audioFourCcInfoMap: { Opus: 5 } });
    const plain = await dial("192.0.2.8:1");
    plain.connect();
    await clock.advance(1);
    expect(plain.commands[0]?.object).not.toHaveProperty("capsEx");
  });

  it("answers the calls that librtmp makes beside, and refuses others", async () => {
    const client = await dial();
    client.connect();
    client.call("releaseStream", 2, [KEY]);
    client.call("FCPublish", 3, [KEY]);
    client.call("_checkbw", 4);
    client.call("exec", 5, ["rm"]);
    await clock.advance(1);
    expect(client.commands.map(({ name, transaction }) => [name, transaction])).toEqual([
      ["_result", 1],
      ["_result", 2],
      ["_result", 3],
      ["_result", 4],
      ["_error", 5],
    ]);
  });
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
    const client = await publisher();
    client.media("video", 0, makeFourCcVideoTag("hvc1", "config", true, 0, hevcConfig));
    await clock.advance(1);
    expect(client.codes.at(-1)).toBe("NetStream.Publish.Rejected");
    expect(client.lastDescription).toContain("set the video encoder to H.264");
    expect(taken[0]!.ends).toMatchObject([{ code: "codec-refused" }]);
    expect(log.at(-1)).toContain("HEVC");
    await clock.advance(1_500);
    expect(client.ended).toBe(true);
    expect(server.connections).toBe(0);
  });

  it("takes HEVC, AV1 and VP9 where it does", async () => {
    videoCodecs = ["hevc", "av1", "vp9"];
    const client = await publisher();
    client.media("video", 0, makeFourCcVideoTag("hvc1", "config", true, 0, hevcConfig));
    client.media("video", 10, makeFourCcVideoTag("hvc1", "frame", true, 7, hevcKey));
    for (const [index, codec] of ["av01", "vp09"].entries()) {
      client.media("video", 20 + index, makeFourCcVideoTag(codec, "config", true, 0, Uint8Array.of(0x81)));
      client.media("video", 20 + index, makeFourCcVideoTag(codec, "frame", true, 0, Uint8Array.of(5, 6)));
    }
    await clock.advance(1);
    expect(taken[0]!.video).toMatchObject([
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
    const client = await publisher();
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
    await clock.advance(1);
    expect(taken[0]!.video).toMatchObject([{ codec: "h264", keyframe: true }]);
    expect(taken[0]!.control.stats.dropped["other-track"]).toBe(2);
  });

  it("takes aggregates apart", async () => {
    const client = await publisher();
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
    await clock.advance(1);
    expect(taken[0]!.audio.map(({ timeUs, bytes }) => [timeUs, bytes[0]])).toEqual([
      [5_000_000, 1],
      [5_020_000, 2],
    ]);
  });

  it("passes over some broken tags, and ends when nothing else comes", async () => {
    const client = await publisher();
    client.media("video", 0, makeAvcConfigTag(AVC_CONFIG));
    const broken = makeAvcFrameTag(true, 0, Uint8Array.of(0, 0, 0, 99, 1));
    for (let i = 0; i < 50; i++) client.media("video", i, broken);
    client.media("video", 60, makeAvcFrameTag(true, 0, IDR));
    await clock.advance(1);
    expect(taken[0]!.video).toHaveLength(1);
    expect(taken[0]!.control.stats.dropped.malformed).toBe(50);
    for (let i = 0; i < 51; i++) client.media("video", 100 + i, broken);
    await clock.advance(1);
    expect(taken[0]!.ends).toMatchObject([{ code: "protocol-error" }]);
  });
});

describe("refusals", () => {
  it("wrong keys are told, logged without the key, and block their address after ten", async () => {
    for (let i = 0; i < 10; i++) {
      const client = await dial(`192.0.2.9:${i}`);
      client.publish(`guess-${i}`);
      await clock.advance(1_500);
      expect(client.codes.at(-1)).toBe("NetStream.Publish.BadName");
      expect(client.ended).toBe(true);
    }
    const blocked = await dial("192.0.2.9:99");
    blocked.publish(KEY);
    await clock.advance(10);
    expect(blocked.codes).toEqual(["NetConnection.Connect.Rejected"]);
    expect(requests).toHaveLength(10);
    expect(log.join("\n")).not.toContain("guess-");
    const other = await dial("192.0.2.10:1");
    other.publish(KEY);
    await clock.advance(10);
    expect(other.codes.at(-1)).toBe("NetStream.Publish.Start");
    await clock.advance(60_000);
    const again = await dial("192.0.2.9:100");
    again.publish(KEY);
    await clock.advance(10);
    expect(again.codes.at(-1)).toBe("NetStream.Publish.Start");
  });

  it("a key that cannot be judged, or not in time", async () => {
    authorise = () => Promise.reject(new Error("no directory"));
    const first = await dial();
    first.publish(KEY);
    await clock.advance(1);
    expect(first.lastDescription).toContain("try again soon");
    authorise = () => new Promise(() => undefined);
    const second = await dial();
    second.publish(KEY);
    await clock.advance(10_001);
    expect(second.lastDescription).toContain("try again soon");
    expect(log.join("\n")).toMatch(/no directory[\s\S]*no answer came in time/);
  });

  it("the newest with a key has it, until two take turns", async () => {
    const clients: TestClient[] = [];
    for (let i = 0; i < 6; i++) {
      const client = await dial(`192.0.2.${i}:1`);
      client.publish(KEY);
      await clock.advance(100);
      clients.push(client);
    }
    expect(clients.slice(0, 4).map(({ codes }) => codes.at(-1))).toEqual(
      Array(4).fill("NetStream.Publish.BadName"),
    );
    expect(clients[4]!.codes.at(-1)).toBe("NetStream.Publish.Start");
    expect(clients[5]!.lastDescription).toContain("Two programs");
    expect(taken.map(({ ends }) => ends[0]?.code)).toEqual([...Array(4).fill("taken-over"), undefined]);
    await clock.advance(2_000);
    expect(server.connections).toBe(1);
  });

  it("a name that is published already in the same connection, playing, an app that is none, commands out of order", async () => {
    const client = await publisher();
    client.call("publish", 4, [KEY], 1);
    await clock.advance(1);
    expect(client.codes.at(-1)).toBe("NetStream.Publish.BadName");
    expect(taken[0]!.ends).toEqual([]);
    const player = await dial();
    player.connect();
    player.call("play", 2, ["x"], 1);
    await clock.advance(1);
    expect(player.codes.at(-1)).toBe("NetStream.Play.Failed");
    const nowhere = await dial();
    nowhere.connect({ app: "" });
    await clock.advance(1);
    expect(nowhere.codes).toEqual(["NetConnection.Connect.Rejected"]);
    const early = await dial();
    early.call("publish", 1, [KEY], 1);
    await clock.advance(1);
    expect(early.lastDescription).toContain("before connect");
    await clock.advance(2_000);
    expect(server.connections).toBe(1);
  });

  it("another protocol, and garbage behind the handshake", async () => {
    const [near, far] = memorySocketPair();
    void server.accept(far);
    await near.write(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
    await clock.advance(1);
    expect(log.at(-1)).toContain("This is not RTMP");
    const client = await dial();
    client.write(new Uint8Array(100).fill(0xff));
    await clock.advance(1_500);
    expect(client.ended).toBe(true);
    expect(log.at(-1)).toContain("refers to an earlier one");
    expect(server.connections).toBe(0);
  });

  it("too many that do not publish, of one address and of all", async () => {
    for (let i = 0; i < 17; i++) await dial(`192.0.2.1:${i}`);
    expect(server.connections).toBe(16);
    for (let i = 0; i < 130; i++) await dial(`[2001:db8:0:${i}::1]:1`);
    expect(server.connections).toBe(128);
    expect(log.filter((line) => line.includes("do not publish yet"))).toHaveLength(19);
    for (let i = 0; i < 17; i++) await dial(`[2001:db8:0:1::${i}]:1`);
    expect(server.connections).toBe(128);
    await clock.advance(40_000);
    expect(server.connections).toBe(0);
  });
});

describe("time and flow", () => {
  it("cuts off who makes no handshake, and who publishes nothing", async () => {
    const [near, far] = memorySocketPair();
    void server.accept(far);
    await clock.advance(10_001);
    await expect(near.read()).rejects.toThrow("cut off");
    expect(log.at(-1)).toContain("no RTMP handshake");
    const client = await dial();
    client.connect();
    // Says something all the time, so that it is not idle.
    for (let i = 0; i < 32; i++) {
      await clock.advance(1_000);
      client.send(userControl(USER_EVENT.pingResponse, 0));
    }
    expect(log.at(-1)).toContain("published nothing");
    expect(client.ended).toBe(true);
  });

  it("pings who is silent, and gives up on who stays so", async () => {
    const client = await publisher();
    await clock.advance(6_000);
    const pings = client.received.filter(
      ({ type, payload }) => type === MESSAGE.userControl && payload[1] === 6,
    );
    expect(pings).toHaveLength(1);
    client.send(userControl(USER_EVENT.pingResponse, 0));
    await clock.advance(19_000);
    expect(taken[0]!.ends).toEqual([]);
    await clock.advance(2_000);
    expect(taken[0]!.ends).toMatchObject([{ code: "disconnected" }]);
    expect(taken[0]!.ends[0]!.message).toContain("nothing came for 20 s");
    expect(server.connections).toBe(0);
  });

  it("answers pings and acknowledges what it was asked to", async () => {
    const client = await publisher();
    client.send(userControl(USER_EVENT.pingRequest, 77));
    client.send(windowSize(10_000));
    client.media("audio", 0, makeFourCcAudioTag("Opus", "frame", new Uint8Array(25_000)));
    await clock.advance(1);
    const pong = client.received.find(
      ({ type, payload }) => type === MESSAGE.userControl && payload[1] === 7,
    );
    expect(pong?.payload).toEqual(Uint8Array.of(0, 7, 0, 0, 0, 77));
    const acknowledged = client.received.filter(({ type }) => type === MESSAGE.acknowledgement).map(readU32);
    expect(acknowledged[0]).toBeGreaterThan(3_073);
  });

  it("cuts off who floods with commands, or asks without reading", async () => {
    const flood = await dial();
    flood.connect();
    for (let i = 0; i < 60; i++) flood.call("_checkbw", i + 2);
    await clock.advance(10);
    expect(flood.lastDescription).toContain("commands came within a second");
    const [near, far] = memorySocketPair(["192.0.2.3:1", "198.51.100.1:1935"], 400_000);
    void server.accept(far);
    const deaf = new TestClient(near, seededRandom(3));
    deaf.begin();
    await clock.advance(1);
    near.read = () => new Promise(() => undefined);
    await clock.advance(1);
    for (let i = 0; i < 60_000; i++) {
      deaf.send(userControl(USER_EVENT.pingRequest, i));
      if (i % 1_000 === 0) await clock.advance(1);
    }
    await clock.advance(1_500);
    expect(log.at(-1)).toContain("does not read what it is told");
  });

  it("closes: who can is asked to connect anew, sinks hear of the end, nobody is let in", async () => {
    const client = await publisher({}, { capsEx: 1 });
    server.close("The bridge restarts.");
    await clock.advance(1);
    expect(client.codes.slice(2)).toEqual([
      "NetConnection.Connect.ReconnectRequest",
      "NetStream.Unpublish.Success",
    ]);
    expect(taken[0]!.ends).toEqual([{ code: "ended-here", message: "The bridge restarts." }]);
    await clock.advance(1_500);
    expect(server.connections).toBe(0);
    const late = await dial();
    expect(late.ended).toBe(true);
    expect(log.at(-1)).toContain("closing");
  });

  it("ends when the room says so", async () => {
    const client = await publisher();
    taken[0]!.control.end("The ingest was deleted.");
    await clock.advance(1);
    expect(client.lastDescription).toBe("The ingest was deleted.");
    expect(taken[0]!.ends).toHaveLength(1);
  });

  it("a sink that throws ends its connection and is heard of", async () => {
    authorise = async () => ({
      granted: true,
      publication: "x",
      open: (control) => ({
        ...open(control),
        onAudio: () => {
          throw new Error("a fault of ours");
        },
      }),
    });
    const client = await publisher();
    client.media("audio", 0, makeFourCcAudioTag("Opus", "frame", Uint8Array.of(1)));
    await clock.advance(1_500);
    expect(taken[0]!.ends).toMatchObject([{ code: "ended-here" }]);
    expect(faults).toMatchObject([{ message: "a fault of ours" }]);
    expect(server.connections).toBe(0);
  });
});
