import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { SoundMessage } from "../audio/captured-sound.ts";
import { type PictureMessage, readPictures, readSound } from "./capture-input.ts";

interface FakeFrame {
  timestamp: number;
  isClosed: boolean;
  close(): void;
}

function frame(timestamp: number): FakeFrame & VideoFrame {
  const made: FakeFrame = {
    timestamp,
    isClosed: false,
    close() {
      made.isClosed = true;
    },
  };
  return made as FakeFrame & VideoFrame;
}

/** Both ends in one thread: what is posted arrives at once and is not copied. */
function portPair() {
  const asked: unknown[] = [];
  const port = {
    onmessage: (_event: { data: unknown }): unknown => undefined,
    postMessage: (message: unknown) => asked.push(message),
    close: () => undefined,
  };
  const send = (data: PictureMessage | SoundMessage): unknown => port.onmessage({ data });
  return { port: port as unknown as MessagePort, send, asked };
}

describe("pictures through a port", () => {
  it("are read in order; one that is too much is closed and counted, what waits at the end is still read", async () => {
    const { port, send } = portPair();
    let dropped = 0;
    const reader = readPictures(port, 30, () => dropped++);
    const first = reader.read();
    const frames = [1, 2, 3, 4].map(frame);
    for (const one of frames) send(one);
    expect((await first)?.timestamp).toBe(1);
    expect(dropped).toBe(1);
    expect(frames.map(({ isClosed }) => isClosed)).toEqual([false, false, false, true]);
    send("end");
    expect((await reader.read())?.timestamp).toBe(2);
    expect((await reader.read())?.timestamp).toBe(3);
    expect(await reader.read()).toBeUndefined();
  });

  it("are asked for while the page is not seen, and only then", async () => {
    const { port, send, asked } = portPair();
    const reader = readPictures(port, 200, () => undefined);
    await wait(30);
    expect(asked).toHaveLength(0);
    send("hidden");
    await wait(60);
    expect(asked.length).toBeGreaterThan(0);
    send("seen");
    const before = asked.length;
    await wait(30);
    expect(asked).toHaveLength(before);
    reader.cancel();
    expect(await reader.read()).toBeUndefined();
  });

  it("that come after the end are closed", async () => {
    const { port, send } = portPair();
    const reader = readPictures(port, 30, () => undefined);
    reader.cancel();
    const late = frame(1);
    send(late);
    expect(late.isClosed).toBe(true);
  });
});

describe("sound through a port", () => {
  it("is read as it was recorded, on a clock of its own, until the device ends", async () => {
    const { port, send } = portPair();
    const reader = readSound(port, () => undefined);
    const sound = { timestampUs: 5, rateHz: 44_100, samples: new Float32Array(512) };
    send(sound);
    send("end");
    expect(reader.hasOwnClock).toBe(true);
    expect(await reader.read()).toBe(sound);
    expect(await reader.read()).toBeUndefined();
  });
});
