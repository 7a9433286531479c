import { describe, expect, it } from "vitest";
import { Audience } from "./audience.ts";
import { readFrameHeader } from "./frame-header.ts";
import { BURST_FRAMES, CHUNK_FRAMES, MAX_LISTENER_QUEUE_BYTES, MAX_MP3_LISTENERS } from "./limits.ts";
import type { Listener } from "./listener.ts";

const FRAME_BYTES = 384;

/** A frame whose number can be read from it. */
function frame(number: number, reservoirBytes = 0): { timeUs: number; bytes: Uint8Array } {
  const bytes = new Uint8Array(FRAME_BYTES);
  bytes.set([0xff, 0xfb, 0x94, 0x64, reservoirBytes >> 1, (reservoirBytes & 1) << 7]);
  new DataView(bytes.buffer).setUint32(FRAME_BYTES - 4, number);
  return { timeUs: number * 24_000, bytes };
}

async function drain(listener: Listener): Promise<number[]> {
  const bytes = new Uint8Array(await new Response(listener.body).arrayBuffer());
  const numbers: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    const header = readFrameHeader(bytes, at);
    if (header === undefined) throw new Error(`no frame at ${at}`);
    numbers.push(new DataView(bytes.buffer).getUint32(at + header.frameBytes - 4));
    at += header.frameBytes;
  }
  return numbers;
}

const upTo = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

describe("Audience", () => {
  it("gives everybody each frame once and in order, from a burst of the past on, whenever they come", async () => {
    const audience = new Audience({ onSent: () => undefined });
    const joined: { at: number; listener: Listener }[] = [];
    for (let number = 0; number < 400; number++) {
      if (number % 7 === 0) joined.push({ at: number, listener: audience.join(false)! });
      audience.push(frame(number));
    }
    expect(audience.size).toBe(joined.length);
    audience.end();
    expect(audience.size).toBe(0);
    for (const { at, listener } of joined) {
      const numbers = await drain(listener);
      expect(numbers).toEqual(upTo(numbers[0]!, 400));
      const past = at - numbers[0]!;
      expect(past).toBeGreaterThanOrEqual(Math.min(at, BURST_FRAMES));
      expect(past).toBeLessThanOrEqual(BURST_FRAMES + CHUNK_FRAMES);
    }
  });

  it("shares chunks among listeners, and gives each group its turn", async () => {
    const audience = new Audience({ onSent: () => undefined });
    const listeners = upTo(0, 2 * CHUNK_FRAMES).map(() => audience.join(false)!);
    const readers = listeners.map(({ body }) => body.getReader());
    for (const number of upTo(0, 2 * CHUNK_FRAMES)) audience.push(frame(number));
    const chunks: Uint8Array[] = [];
    for (const reader of readers) {
      await reader.read();
      chunks.push((await reader.read()).value!);
    }
    expect(chunks.every((chunk) => chunk.length === CHUNK_FRAMES * FRAME_BYTES)).toBe(true);
    expect(new Set(chunks).size).toBe(CHUNK_FRAMES);
  });

  it("says when the oldest sound of each chunk was captured", () => {
    const oldest: number[] = [];
    const audience = new Audience({ onSent: (timeUs) => oldest.push(timeUs) });
    for (const number of upTo(0, 4 * CHUNK_FRAMES)) audience.push(frame(number));
    expect(oldest.slice(-CHUNK_FRAMES)).toEqual(
      upTo(2 * CHUNK_FRAMES + 1, 3 * CHUNK_FRAMES + 1).map((number) => frame(number).timeUs),
    );
  });

  it("cuts off who does not read, and nobody else", async () => {
    const audience = new Audience({ onSent: () => undefined });
    const slow = audience.join(false)!;
    const brisk = audience.join(true)!;
    const reader = brisk.body.getReader();
    let queued = 0;
    let number = 0;
    const readAll = (async () => {
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        queued += value.length;
      }
    })();
    while (audience.droppedSlow === 0 && number < 5_000) {
      audience.push(frame(number));
      number += 1;
      await Promise.resolve();
    }
    expect(number * FRAME_BYTES).toBeLessThanOrEqual(
      MAX_LISTENER_QUEUE_BYTES + 2 * CHUNK_FRAMES * FRAME_BYTES,
    );
    expect(audience).toMatchObject({ size: 1, droppedSlow: 1, joined: 2 });
    await expect(slow.body.getReader().read()).rejects.toThrow("too slowly");
    audience.end();
    await readAll;
    expect(queued).toBeGreaterThanOrEqual(number * FRAME_BYTES);
  });

  it("forgets who leaves, and refuses who is too many", async () => {
    const audience = new Audience({ onSent: () => undefined });
    const first = audience.join(false)!;
    for (let i = 1; i < MAX_MP3_LISTENERS; i++) audience.join(false);
    expect(audience.join(false)).toBeUndefined();
    await first.body.cancel();
    expect(audience).toMatchObject({ size: MAX_MP3_LISTENERS - 1, refused: 1 });
    expect(audience.join(false)).toBeDefined();
  });

  it("puts the reservoir in front of a burst that begins in the middle", async () => {
    const audience = new Audience({ onSent: () => undefined });
    for (const number of upTo(0, 200)) audience.push(frame(number, 400));
    const listener = audience.join(false)!;
    audience.end();
    const bytes = new Uint8Array(await new Response(listener.body).arrayBuffer());
    // 400 bytes need two frames of 348.
    expect([0, 1, 2].map((i) => readFrameHeader(bytes, i * FRAME_BYTES)!.reservoirBytes)).toEqual([
      0, 348, 400,
    ]);
  });

  it("lets those who come after the end have the last of it", async () => {
    const audience = new Audience({ onSent: () => undefined });
    for (const number of upTo(0, 20)) audience.push(frame(number));
    audience.end();
    audience.push(frame(20));
    expect(await drain(audience.join(false)!)).toEqual(upTo(0, 20));
    expect(audience.size).toBe(0);
  });
});
