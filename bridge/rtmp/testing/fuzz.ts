/**
 * Hostile bytes into everything that reads RTMP: chunks, AMF0, FLV tags, whole connections. Seeded. What is refused must be an RtmpError
 * (or PublicationError), what is accepted must not depend on how the bytes were cut, and must not be more than came.
 */
import type { Random } from "../../../core/clock.ts";
import { hostileBytes } from "../../../test/fuzz/mutation.ts";
import { seededRandom } from "../../../test/sim/seeded-random.ts";
import { makeAacConfig } from "../aac-config.ts";
import { type Amf0Value, decodeAmf0, EcmaArray, encodeAmf0 } from "../amf0.ts";
import { ChunkReader, type RtmpMessage } from "../chunk-reader.ts";
import { ChunkWriter } from "../chunk-writer.ts";
import { makeAacTag, makeFourCcAudioTag } from "../flv-audio.ts";
import { makeAvcConfigTag, makeAvcFrameTag, makeFourCcVideoTag } from "../flv-video.ts";
import type { IngestSink } from "../ingest-sink.ts";
import { MediaReader } from "../media-reader.ts";
import { abort, command, MESSAGE, metadata, setChunkSize, windowSize } from "../messages.ts";
import { PublicationError } from "../publication-error.ts";
import { RtmpError } from "../rtmp-error.ts";

/** A sound run has plenty of both. */
export interface FuzzOutcome {
  accepted: number;
  refused: number;
}

/** Runs `count` inputs. `attempt` returns whether the input was accepted; anything but our errors ends the run. */
function run(
  seed: number,
  count: number,
  samples: readonly Uint8Array[],
  attempt: (input: Uint8Array, random: Random) => void,
): FuzzOutcome {
  const random = seededRandom(seed);
  const outcome = { accepted: 0, refused: 0 };
  for (let i = 0; i < count; i++) {
    const input = hostileBytes(random, samples);
    try {
      attempt(input, random);
      outcome.accepted++;
    } catch (error) {
      if (!(error instanceof RtmpError || error instanceof PublicationError)) {
        throw new Error(`seed ${seed}, input ${i}`, { cause: error });
      }
      outcome.refused++;
    }
  }
  return outcome;
}

const AVC_CONFIG = Uint8Array.from([
  1, 0x42, 0xe0, 0x1f, 0xff, 0xe1, 0, 5, 0x67, 0x42, 0xe0, 0x1f, 0xda, 1, 0, 4, 0x68, 0xce, 0x3c, 0x80,
]);
const HEVC_CONFIG = Uint8Array.from([
  ...new Uint8Array(21),
  ...[3, 2, 0x20, 0, 1, 0, 2, 0x40, 1, 0x21, 0, 1, 0, 2, 0x42, 1],
]);
const IDR = Uint8Array.of(0, 0, 0, 3, 0x65, 0x88, 0x84);
const HEVC_IDR = Uint8Array.of(0, 0, 0, 2, 0x26, 1);

const VALUES: readonly Amf0Value[][] = [
  ["connect", 1, { app: "live", tcUrl: "rtmp://a.example.org/live", fourCcList: ["av01", "hvc1"] }],
  ["@setDataFrame", "onMetaData", new EcmaArray({ width: 640, stereo: true, encoder: "x" })],
  ["publish", 3, null, "key", "live"],
  [[1, [2, [3, undefined]]], { a: { b: { c: null } } }],
];

/** AMF0 bodies: what is accepted can be encoded, and then says the same. */
export function fuzzAmf0(seed: number, count: number): FuzzOutcome {
  return run(seed, count, VALUES.map(encodeAmf0), (input) => {
    const bytes = encodeAmf0(decodeAmf0(input));
    const again = encodeAmf0(decodeAmf0(bytes));
    if (bytes.join() !== again.join()) throw new Error("a body reads otherwise the second time");
  });
}

/** The bytes of a few messages in chunks of several sizes, with the control messages that change how they are read. */
function chunkSamples(): Uint8Array[] {
  const body = (length: number): Uint8Array => new Uint8Array(length).fill(7);
  const message = (type: number, chunkStreamId: number, timestamp: number, length: number): RtmpMessage => ({
    ...{ type, streamId: 1, timestamp, chunkStreamId },
    payload: body(length),
  });
  return [
    [command("connect", 1, { app: "live" }), windowSize(5_000), command("createStream", 2, null)],
    [setChunkSize(64), message(9, 6, 40, 200), message(9, 6, 80, 200), message(8, 4, 81, 3)],
    [
      message(9, 6, 0xff_fff0, 130),
      message(9, 6, 0x100_0010, 260),
      abort(6),
      message(9, 6, 0xffff_fff0, 130),
    ],
    [message(8, 64, 1, 10), message(8, 400, 2, 10), message(8, 65_000, 3, 0)],
  ].map((messages) => {
    const writer = new ChunkWriter();
    return Uint8Array.from(
      messages.flatMap((each) => {
        const bytes = [...writer.write(each)];
        if (each.type === MESSAGE.setChunkSize) writer.chunkBytes = 64;
        return bytes;
      }),
    );
  });
}

/** What a reader makes of an input in pieces of at most `most` bytes, as text: messages, then the fault. */
function chunkStory(
  input: Uint8Array,
  random: Random,
  most: number,
): { text: string; bytes: number; error: unknown } {
  const messages: RtmpMessage[] = [];
  const reader = new ChunkReader((message) => messages.push(message));
  let error: unknown;
  try {
    for (let at = 0; at < input.length; ) {
      const size = 1 + Math.floor(random() * most);
      reader.push(input.subarray(at, at + size));
      at += size;
    }
  } catch (caught) {
    error = caught;
  }
  const fault = error instanceof RtmpError ? error.message : "";
  const text = messages.map((m) => `${m.type} ${m.streamId} ${m.timestamp} ${m.chunkStreamId} ${m.payload}`);
  const bytes = messages.reduce((sum, { payload }) => sum + payload.length, 0);
  return { text: [...text, fault].join("\n"), bytes, error };
}

/** Chunk streams: the same however they are cut, never more payload than bytes. */
export function fuzzChunks(seed: number, count: number): FuzzOutcome {
  return run(seed, count, chunkSamples(), (input, random) => {
    const whole = chunkStory(input, random, 10_000);
    const cut = chunkStory(input, random, 1 + Math.floor(random() * 9));
    if (whole.text !== cut.text)
      throw new Error(`cut otherwise, it reads otherwise:\n${whole.text}\n---\n${cut.text}`);
    if (whole.bytes > input.length) throw new Error("more payload came out than went in");
    if (whole.error !== undefined) throw whole.error;
  });
}

function tagSamples(): [number, Uint8Array][] {
  const ascii = (text: string): number[] => [...text].map((c) => c.charCodeAt(0));
  const nano = [0x97, 2, 0x0b, 0x71, 0xb0, 0x03, ...ascii("hvc1"), ...HEVC_IDR];
  const many = [0x96, 0x23, ...ascii("avc1"), 0, 0, 0, 7, ...IDR, ...ascii("vp09"), 1, 0, 0, 1, 9];
  const part = [8, 0, 0, 4, 0, 0, 9, 0, 0, 0, 0, 0xaf, 1, 2, 3, 0, 0, 0, 15];
  return [
    [MESSAGE.video, makeAvcConfigTag(AVC_CONFIG)],
    [MESSAGE.video, makeAvcFrameTag(true, -40, IDR)],
    [MESSAGE.video, makeFourCcVideoTag("hvc1", "config", true, 0, HEVC_CONFIG)],
    [MESSAGE.video, makeFourCcVideoTag("hvc1", "frame", true, 9, HEVC_IDR)],
    [MESSAGE.video, Uint8Array.from(nano)],
    [MESSAGE.video, Uint8Array.from(many)],
    [MESSAGE.audio, makeAacTag("config", makeAacConfig(48_000, 2))],
    [MESSAGE.audio, makeAacTag("frame", Uint8Array.of(1, 2, 3))],
    [MESSAGE.audio, makeFourCcAudioTag("Opus", "frame", Uint8Array.of(1, 2, 3))],
    [MESSAGE.data, metadata({ width: 640 }, 1).payload],
    [MESSAGE.aggregate, Uint8Array.from([...part, ...part])],
  ];
}

/** Media messages through a whole publication: units are sound, or the tag is dropped, or the publication ends. */
export function fuzzTags(seed: number, count: number): FuzzOutcome {
  const samples = tagSamples();
  let units = 0;
  const check = (bytes: Uint8Array, time: number, most: number): void => {
    if (bytes.length === 0 || bytes.length > most)
      throw new Error(`a unit of ${bytes.length} bytes came out`);
    if (!Number.isFinite(time)) throw new Error(`a unit came out at ${time}`);
    units++;
  };
  let most = 0;
  const sink: IngestSink = {
    onVideo: (unit) => check(unit.bytes, unit.ptsUs + unit.dtsUs, most),
    onAudio: (unit) => check(unit.bytes, unit.timeUs, most),
    onMetadata: () => undefined,
    onEnd: () => undefined,
  };
  let reader = new MediaReader(["hevc", "av1", "vp9"]);
  let configBytes = 0;
  const outcome = run(
    seed,
    count,
    samples.map(([, bytes]) => bytes),
    (payload, random) => {
      const type = samples[Math.floor(random() * samples.length)]![0];
      const timestamp = Math.floor(random() * 2 ** 32);
      configBytes = Math.max(configBytes, payload.length);
      // Start codes and parameter sets may make a unit larger than its tag, but not without bound.
      most = 8 * payload.length + 8 * configBytes + 64;
      const before = units + droppedBy(reader);
      try {
        reader.push({ type, streamId: 1, timestamp, chunkStreamId: 6, payload }, sink);
      } catch (error) {
        reader = new MediaReader(["hevc", "av1", "vp9"]);
        throw error;
      }
      if (units + droppedBy(reader) < before) throw new Error("counts went backwards");
    },
  );
  if (units === 0) throw new Error("no unit ever came out");
  return outcome;
}

function droppedBy(reader: MediaReader): number {
  return Object.values(reader.stats.dropped).reduce((sum, each) => sum + each, 0);
}
