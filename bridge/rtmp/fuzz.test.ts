/** RTMP_FUZZ_INPUTS=1000000 runs as many of each; RTMP_FUZZ_SEED begins elsewhere. */
import { describe, expect, it } from "vitest";
import { hostileBytes } from "../../test/fuzz/mutation.ts";
import { seededRandom } from "../../test/sim/seeded-random.ts";
import { VirtualClock } from "../../test/sim/virtual-clock.ts";
import { memorySocketPair } from "../net/memory-socket.ts";
import { ChunkReader } from "./chunk-reader.ts";
import { ChunkWriter } from "./chunk-writer.ts";
import { makeAacTag } from "./flv-audio.ts";
import { IngestServer } from "./ingest-server.ts";
import { command, MESSAGE, metadata, setChunkSize, windowSize } from "./messages.ts";
import { type FuzzOutcome, fuzzAmf0, fuzzChunks, fuzzTags } from "./testing/fuzz.ts";

const INPUTS = Number(process.env.RTMP_FUZZ_INPUTS ?? 3_000);
const SEED = Number(process.env.RTMP_FUZZ_SEED ?? 20_261_128);
const PATIENCE_MS = 30_000 + INPUTS;

describe("hostile bytes", () => {
  it.each([
    ["chunks", fuzzChunks],
    ["AMF0", fuzzAmf0],
    ["FLV tags", fuzzTags],
  ])(
    "%s",
    (_name, fuzz) => {
      const { accepted, refused }: FuzzOutcome = fuzz(SEED, INPUTS);
      expect(accepted + refused).toBe(INPUTS);
      expect(accepted).toBeGreaterThan(INPUTS / 100);
      expect(refused).toBeGreaterThan(INPUTS / 100);
    },
    PATIENCE_MS,
  );

  it(
    "whole connections: each ends, and the server keeps nothing of it",
    async () => {
      const random = seededRandom(SEED);
      const clock = new VirtualClock();
      const server = new IngestServer({
        clock,
        random,
        authorise: async () => ({
          granted: true,
          publication: "x",
          open: () => ({
            onVideo: () => undefined,
            onAudio: () => undefined,
            onMetadata: () => undefined,
            onEnd: () => undefined,
          }),
        }),
        log: () => undefined,
      });
      const samples = connectionSamples();
      const published = { count: 0 };
      for (let i = 0; i < Math.ceil(INPUTS / 20); i++) {
        const [near, far] = memorySocketPair([`192.0.2.${i % 250}:1`, "198.51.100.1:1935"], 10_000_000);
        const running = server.accept(far);
        await near.write(handshake());
        await near.write(hostileBytes(random, samples));
        await clock.advance(1);
        published.count += server.publications;
        near.finish();
        await clock.until(running, 100_000);
        expect(server.connections).toBe(0);
        expect(server.publications).toBe(0);
      }
      expect(published.count).toBeGreaterThan(INPUTS / 400);
    },
    PATIENCE_MS,
  );
});

function handshake(): Uint8Array {
  const bytes = new Uint8Array(1 + 2 * 1536);
  bytes[0] = 3;
  return bytes;
}

function connectionSamples(): Uint8Array[] {
  const media = [
    metadata({ width: 1 }, 1),
    { ...metadata({}, 1), type: MESSAGE.audio, payload: makeAacTag("frame", Uint8Array.of(1)) },
  ];
  const opening = [command("connect", 1, { app: "live" }), command("createStream", 2, null), windowSize(100)];
  const publish = command("publish", 3, null, ["key", "live"], 1);
  return [
    [...opening, publish, ...media],
    [...opening, publish, ...media, command("deleteStream", 4, null, [1]), publish],
    [...opening, publish, setChunkSize(1_000_000), ...media],
  ].map((messages) => {
    const writer = new ChunkWriter();
    return Uint8Array.from(messages.flatMap((each) => [...writer.write(each)]));
  });
}

describe("memory", () => {
  it("headers that announce much cost little", () => {
    const before = process.memoryUsage().arrayBuffers;
    const readers = Array.from({ length: 100 }, () => {
      const reader = new ChunkReader(() => undefined);
      reader.takeMedia();
      for (let id = 3; id < 5; id++) {
        // 2 MiB announced, one chunk sent.
        reader.push(Uint8Array.from([id, 0, 0, 0, 0x20, 0, 0, 9, 1, 0, 0, 0, ...new Uint8Array(128)]));
      }
      return reader;
    });
    expect(readers).toHaveLength(100);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 1024 * 1024);
  });
});
