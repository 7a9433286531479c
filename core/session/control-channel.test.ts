import { describe, expect, it } from "vitest";
import { z } from "zod";
import { seededRandom } from "../../test/sim/seeded-random.ts";
import { wallClock } from "../../test/sim/wall-clock.ts";
import { MAX_CONTROL_MESSAGE_BYTES, MAX_CONTROL_QUEUE_BYTES } from "../wire/limits.ts";
import { frameMessage, MessageReader } from "../wire/message-framing.ts";
import { ControlChannel, type MessageRate } from "./control-channel.ts";
import { createMemorySessionPair } from "./memory.ts";
import type { ByteStream, Session } from "./session.ts";

const schema = z.object({ number: z.number(), filling: z.instanceof(Uint8Array).optional() });
type Message = z.infer<typeof schema>;
type Note = { got: number[]; ends: string[] };

async function streams(): Promise<{ near: ByteStream; far: ByteStream; dialled: Session }> {
  const { dialled, accepted } = createMemorySessionPair({ clock: wallClock, random: seededRandom(1) });
  const incoming = new Promise<ByteStream>((resolve) => {
    accepted.onStream = resolve;
  });
  const near = await dialled.openStream();
  return { near, far: await incoming, dialled };
}

function channel(
  stream: ByteStream,
  rate?: MessageRate,
  onMessage?: (message: Message) => void | Promise<void>,
): ControlChannel<Message, typeof schema> & Note {
  const note: Note = { got: [], ends: [] };
  const made = new ControlChannel<Message, typeof schema>(stream, schema, wallClock, rate, {
    onMessage: (message) => {
      note.got.push(message.number);
      return onMessage?.(message);
    },
    onEnd: (reason, message) => {
      note.ends.push(reason);
      expect(message).not.toBe("");
    },
  });
  return Object.assign(made, note);
}

const until = async (condition: () => boolean): Promise<void> => {
  for (let i = 0; i < 300 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(condition()).toBe(true);
};

describe("ControlChannel", () => {
  it("carries messages in order, and says when the other side ended", async () => {
    const { near, far } = await streams();
    const sender = channel(near);
    const receiver = channel(far);
    for (let number = 0; number < 500; number++) sender.send({ number });
    await sender.finish();
    await until(() => receiver.ends.length > 0);
    expect(receiver.got).toEqual(Array.from({ length: 500 }, (_, i) => i));
    expect(receiver.ends).toEqual(["normal"]);
    expect(sender.queuedBytes).toBe(0);
  });

  it("ends with slow-reader when more than the limit waits", async () => {
    const { near } = await streams();
    const sender = channel(near);
    const filling = new Uint8Array(32 * 1024);
    for (let number = 0; number < 40; number++) sender.send({ number, filling });
    expect(sender.ends).toEqual(["slow-reader"]);
    expect(sender.queuedBytes).toBeLessThanOrEqual(MAX_CONTROL_QUEUE_BYTES);
  });

  it("ends with too-many-messages above the rate, after the burst", async () => {
    const { near, far } = await streams();
    const sender = channel(near);
    const receiver = channel(far, { perSecond: 1, burst: 10 });
    for (let number = 0; number < 12; number++) sender.send({ number });
    await until(() => receiver.ends.length > 0);
    expect(receiver.got).toHaveLength(10);
    expect(receiver.ends).toEqual(["too-many-messages"]);
  });

  it.each([
    { what: "a message that is too long", bytes: Uint8Array.of(0, 1, 0, 1), reason: "message-too-large" },
    { what: "an empty message", bytes: Uint8Array.of(0, 0, 0, 0), reason: "protocol-error" },
    {
      what: "bytes that are no MessagePack",
      bytes: Uint8Array.of(0, 0, 0, 1, 0xc1),
      reason: "protocol-error",
    },
    { what: "another schema", bytes: frameMessage({ number: "one" }), reason: "protocol-error" },
  ])("ends with a reason at $what", async ({ bytes, reason }) => {
    const { near, far } = await streams();
    const receiver = channel(far);
    await near.write(bytes);
    await until(() => receiver.ends.length > 0);
    expect(receiver.ends).toEqual([reason]);
  });

  it("ends with lost when the session goes", async () => {
    const { near, dialled } = await streams();
    const reader = channel(near);
    dialled.close(0, "");
    await until(() => reader.ends.length > 0);
    expect(reader.ends).toEqual(["lost"]);
  });

  it("holds messages back while one is being worked on", async () => {
    const { near, far } = await streams();
    const sender = channel(near);
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const receiver = channel(far, undefined, (message) => (message.number === 0 ? gate : undefined));
    sender.send({ number: 0 });
    sender.send({ number: 1 });
    await until(() => receiver.got.length > 0);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(receiver.got).toEqual([0]);
    release();
    await until(() => receiver.got.length === 2);
  });
});

describe("MessageReader", () => {
  it("takes the longest message byte by byte", () => {
    const message = { number: 1, filling: new Uint8Array(MAX_CONTROL_MESSAGE_BYTES - 64).fill(7) };
    const frame = frameMessage(message);
    const reader = new MessageReader(schema);
    const got: Message[] = [];
    for (let i = 0; i < frame.length; i++) got.push(...reader.push(frame.subarray(i, i + 1)));
    expect(got).toEqual([message]);
  });

  it.each([1, 2, 3, 7, 1000])("finds the same messages in pieces of %i bytes", (size) => {
    const frames = [{ number: 1 }, { number: 2, filling: new Uint8Array(300).fill(9) }, { number: 3 }];
    const bytes = Uint8Array.from(frames.flatMap((frame) => [...frameMessage(frame)]));
    const reader = new MessageReader(schema);
    const got: Message[] = [];
    for (let i = 0; i < bytes.length; i += size) got.push(...reader.push(bytes.subarray(i, i + size)));
    expect(got).toEqual(frames);
  });
});
