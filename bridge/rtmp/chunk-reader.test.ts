import { describe, expect, it } from "vitest";
import { seededRandom } from "../../test/sim/seeded-random.ts";
import { ChunkReader, type RtmpMessage } from "./chunk-reader.ts";
import { ChunkWriter } from "./chunk-writer.ts";
import { abort, setChunkSize } from "./messages.ts";
import { RtmpError } from "./rtmp-error.ts";

function message(length: number, over: Partial<RtmpMessage> = {}): RtmpMessage {
  const payload = Uint8Array.from({ length }, (_, i) => (i * 7 + length) & 0xff);
  return { type: 9, streamId: 1, timestamp: 0, chunkStreamId: 6, payload, ...over };
}

/** Messages in `bytes`, read in pieces of `size`. */
function read(bytes: Uint8Array | number[], size = 1_000_000): RtmpMessage[] {
  const found: RtmpMessage[] = [];
  const reader = new ChunkReader((each) => found.push(each));
  reader.takeMedia();
  const all = Uint8Array.from(bytes);
  for (let at = 0; at < all.length; at += size) reader.push(all.subarray(at, at + size));
  return found;
}

function faultOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof RtmpError) return error.fault;
    throw error;
  }
  return "none";
}

/** Type-0 header by hand. */
function head0(id: number, time: number, length: number, type = 9): number[] {
  return [
    id,
    time >> 16,
    (time >> 8) & 255,
    time & 255,
    length >> 16,
    (length >> 8) & 255,
    length & 255,
    type,
    1,
    0,
    0,
    0,
  ];
}

describe("chunks, written and read", () => {
  it.each([1, 2, 127, 128, 129, 4096, 65_536])("of %i bytes, in pieces of any size", (chunkBytes) => {
    const random = seededRandom(chunkBytes);
    const writer = new ChunkWriter();
    const sent: RtmpMessage[] = [];
    const bytes: number[] = [...writer.write(setChunkSize(chunkBytes))];
    writer.chunkBytes = chunkBytes;
    let time = 0;
    for (let i = 0; i < 60; i++) {
      time += Math.floor(random() * 50) - 5 * Number(i % 9 === 0);
      const id = [4, 6, 63, 64, 319, 320, 65_599][Math.floor(random() * 7)]!;
      const each = message(Math.floor(random() * random() * 1_000), {
        timestamp: Math.max(0, time),
        chunkStreamId: id,
        type: random() < 0.5 ? 8 : 9,
        streamId: random() < 0.9 ? 1 : 0x01020304,
      });
      sent.push(each);
      bytes.push(...writer.write(each));
    }
    for (const size of [1, 3, 1_000, 1_000_000]) expect(read(bytes, size)).toEqual(sent);
  });

  it("uses the short headers", () => {
    const writer = new ChunkWriter();
    const lengths = [0, 20, 40, 60, 80].map((timestamp) => writer.write(message(10, { timestamp })).length);
    expect(lengths).toEqual([22, 14, 11, 11, 11]);
    expect(writer.write(message(10, { timestamp: 5 }))).toHaveLength(22);
  });

  it.each([
    ["repeated", true],
    ["not repeated", false],
  ])("extended timestamps, %s on continuations, across 2^24 and 2^32 ms", (_name, repeatExtended) => {
    const writer = new ChunkWriter({ repeatExtended });
    const sent: RtmpMessage[] = [];
    const bytes: number[] = [];
    for (const around of [2 ** 24, 2 ** 32]) {
      for (let step = -3; step <= 3; step++) {
        for (const length of [1, 127, 128, 129, 130, 258, 600]) {
          const each = message(length, { timestamp: (around + step) >>> 0, chunkStreamId: 6 + (step & 1) });
          sent.push(each);
          bytes.push(...writer.write(each));
        }
      }
    }
    for (const size of [1, 5, 1_000_000]) expect(read(bytes, size)).toEqual(sent);
  });

  it("continuations without the timestamp, whose payload begins like it", () => {
    const payload = new Uint8Array(256).fill(1);
    // The first two bytes of the extended timestamp, then something else.
    payload.set([0x01, 0x00, 0x77, 0x77], 128);
    const bytes = new ChunkWriter({ repeatExtended: false }).write(
      message(0, { timestamp: 0x0100_0000, payload }),
    );
    for (const size of [1, 1_000]) expect(read(bytes, size)[0]?.payload).toEqual(payload);
  });

  it("a short last chunk without the timestamp, followed by another header", () => {
    const writer = new ChunkWriter({ repeatExtended: false });
    const sent = [
      message(129, { timestamp: 0x0100_0000 }),
      message(1, { chunkStreamId: 4, timestamp: 0x0100_0001 }),
      message(129, { timestamp: 0x0300_0000 }),
    ];
    const bytes = sent.flatMap((each) => [...writer.write(each)]);
    for (const size of [1, 2, 1_000]) expect(read(bytes, size)).toEqual(sent);
  });
});

describe("ChunkReader", () => {
  it("takes chunks of two messages interleaved, and a control message between", () => {
    const video = message(200);
    const audio = message(150, { type: 8, chunkStreamId: 4 });
    const v = [...new ChunkWriter().write(video)];
    const a = [...new ChunkWriter().write(audio)];
    const first = 12 + 128;
    const bytes = [...v.slice(0, first), ...a.slice(0, first), ...new ChunkWriter().write(setChunkSize(100))];
    // After Set Chunk Size the rests still fit one chunk each.
    expect(read([...bytes, ...v.slice(first), ...a.slice(first)])).toEqual([video, audio]);
  });

  it("forgets an aborted message and one that another overtakes", () => {
    const found: RtmpMessage[] = [];
    const reader = new ChunkReader((each) => found.push(each));
    const begun = new ChunkWriter().write(message(300)).subarray(0, 12 + 128);
    const whole = message(20, { timestamp: 7 });
    reader.push(begun);
    reader.push(new ChunkWriter().write(abort(6)));
    reader.push(begun);
    reader.push(new ChunkWriter().write(whole));
    expect(found).toEqual([whole]);
    expect(reader.abandoned).toBe(2);
  });

  it("a message of format 3 adds the time of the header before it", () => {
    const bytes = [...head0(6, 10, 1), 1, 0xc6, 2, 0x86, 0, 0, 5, 3, 0xc6, 4];
    expect(read(bytes).map(({ timestamp }) => timestamp)).toEqual([10, 20, 25, 30]);
  });

  it("begins with format 1 from zero, as librtmp does", () => {
    expect(read([0x42, 0, 0, 9, 0, 0, 1, 4, 5])).toMatchObject([{ timestamp: 9, type: 4, streamId: 0 }]);
  });

  it("hands on empty messages", () => {
    expect(read(head0(6, 3, 0))).toMatchObject([{ payload: new Uint8Array(0) }]);
  });

  it("refuses what cannot be", () => {
    expect(faultOf(() => read([0xc6]))).toBe("malformed");
    expect(faultOf(() => read([0x86, 0, 0, 0]))).toBe("malformed");
    for (const size of [[0, 0, 0, 0], [0x80, 0, 0, 0], [1]]) {
      expect(faultOf(() => read([...head0(2, 0, size.length, 1), ...size]))).toBe("malformed");
    }
    expect(faultOf(() => read([...head0(2, 0, 1, 2), 0]))).toBe("malformed");
  });

  it("refuses too much: chunk streams, long messages, many in progress, long ones before media is allowed", () => {
    const streams = Array.from({ length: 65 }, (_, i) => head0(3 + (i % 60), 0, 0)).flat();
    expect(faultOf(() => read(streams))).toBe("none");
    const many = Array.from({ length: 65 }, (_, i) => [0, i, ...head0(3, 0, 0).slice(1)]).flat();
    expect(faultOf(() => read(many))).toBe("too-large");
    expect(faultOf(() => read(head0(6, 0, 0xff_ffff)))).toBe("too-large");
    const open = Array.from({ length: 5 }, (_, i) => [...head0(3 + i, 0, 2_000_000), ...new Uint8Array(128)]);
    expect(faultOf(() => read(open.flat()))).toBe("too-large");
    const commandsOnly = new ChunkReader(() => undefined);
    expect(faultOf(() => commandsOnly.push(Uint8Array.from(head0(6, 0, 70_000))))).toBe("too-large");
  });

  it("takes the largest chunk size that can be said", () => {
    const whole = message(100_000);
    const writer = new ChunkWriter();
    writer.chunkBytes = 0xff_ffff;
    const size = [...head0(2, 0, 4, 1), 0x7f, 0xff, 0xff, 0xff];
    expect(read([...size, ...writer.write(whole)], 999)).toEqual([whole]);
  });
});
