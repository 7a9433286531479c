import { expect, it } from "vitest";
import { seededRandom } from "../../test/sim/seeded-random.ts";
import { VirtualClock } from "../../test/sim/virtual-clock.ts";
import { memorySocketPair } from "../net/memory-socket.ts";
import { command } from "../rtmp/messages.ts";
import type { FlvTag } from "./flv-tag.ts";
import { Sender } from "./sender.ts";
import { TagQueue } from "./tag-queue.ts";
import { parseTargetUrl } from "./target-address.ts";
import { TargetConnection } from "./target-connection.ts";
import { ScriptedServer } from "./testing/scripted-server.ts";

const header = new Uint8Array(4);

async function sending(readsMedia?: number) {
  const clock = new VirtualClock();
  const random = seededRandom(2);
  const [ours, theirs] = memorySocketPair();
  const server = new ScriptedServer(theirs, readsMedia === undefined ? {} : { readsMedia }, random);
  const connection = new TargetConnection(ours, parseTargetUrl("rtmp://live.example.org/app/key"));
  await clock.until(connection.open(random));
  const queue = new TagQueue();
  const sender = new Sender(connection, queue, clock, () => undefined);
  const ran = sender.run({});
  const push = (tag: Partial<FlvTag>): void => {
    queue.push({
      kind: "picture",
      timestampMs: 0,
      keyframe: true,
      body: new Uint8Array(100),
      header,
      captureUs: 0,
      ...tag,
    });
    sender.wake();
  };
  return { clock, server, connection, ran, push };
}

it("wraps times at 32 bits and sends a new header where one is needed", async () => {
  const { clock, server, push } = await sending();
  const tags: Partial<FlvTag>[] = [
    { timestampMs: 1_000 },
    { timestampMs: 1_000 + 2 ** 32 - 10 },
    { timestampMs: 1_000 + 2 ** 32 + 30, header: new Uint8Array(4) },
    { kind: "sound", keyframe: false, timestampMs: 990, body: new Uint8Array(9), header: new Uint8Array(2) },
  ];
  for (const tag of tags) {
    push(tag);
    await clock.advance(1);
  }
  const got = server.media.map(({ timestamp, payload }) => [timestamp, payload.length]);
  expect(got).toEqual([
    [0, 4],
    [0, 100],
    [2 ** 32 - 10, 100],
    [30, 4],
    [30, 100],
    [0, 2],
    [0, 9],
  ]);
});

it("does not wait for a write to a target that has ended the connection", async () => {
  const { clock, server, connection, ran, push } = await sending(2);
  for (let i = 0; i < 10; i++) push({ timestampMs: i, body: new Uint8Array(50_000) });
  await clock.advance(100);
  server.say(command("close", 0, null));
  await clock.until(ran, 1_000);
  expect((await connection.ended).message).toBe("closed the connection.");
});
