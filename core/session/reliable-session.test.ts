import { describe, expect, it } from "vitest";
import { hostileBytes } from "../../test/fuzz/mutation.ts";
import { seededRandom } from "../../test/sim/seeded-random.ts";
import { VirtualClock } from "../../test/sim/virtual-clock.ts";
import { wallClock } from "../../test/sim/wall-clock.ts";
import type { Clock } from "../clock.ts";
import { CLOSE_CODES } from "../wire/close-codes.ts";
import {
  MAX_DATAGRAM_BYTES,
  MAX_PENDING_DATAGRAMS,
  MAX_TCP_MESSAGE_BYTES,
  MAX_TCP_STREAMS,
  MAX_TCP_WAITING_BYTES,
  TCP_KEEP_ALIVE_MS,
  TCP_STREAM_WINDOW_BYTES,
} from "../wire/limits.ts";
import * as tcp from "../wire/tcp-messages.ts";
import type { MessagePipe } from "./message-pipe.ts";
import { ReliableSession } from "./reliable-session.ts";
import { sessionContract } from "./session.contract.ts";

/** One end of two pipes in memory. What is sent arrives by the clock, unless `isStuck`. */
class TestPipe implements MessagePipe {
  waitingBytes = 0;
  isStuck = false;
  isEnded = false;
  readonly sent: Uint8Array[] = [];
  far: TestPipe | undefined;
  onMessage: (message: Uint8Array) => void = () => undefined;
  onWritable: () => void = () => undefined;
  onOver: (detail: string) => void = () => undefined;
  readonly #clock: Clock;
  #sentNow = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  send(message: Uint8Array): void {
    this.sent.push(message);
    this.waitingBytes += message.length;
    if (this.isStuck) return;
    if (this.#sentNow++ === 0) this.#clock.after(0, () => this.deliver());
  }

  deliver(): void {
    this.#sentNow = 0;
    for (const message of this.sent.splice(0)) {
      this.waitingBytes -= message.length;
      this.far?.onMessage(message.slice());
    }
    this.onWritable();
    if (this.isEnded) this.far?.onOver("the other side ended it");
  }

  end(): void {
    this.isEnded = true;
    this.#clock.after(0, () => this.deliver());
  }
}

function sessionOn(pipe: TestPipe, clock: Clock, isDialled: boolean): ReliableSession {
  return new ReliableSession({
    pipe,
    clock,
    isDialled,
    id: isDialled ? "dialled" : "accepted",
    remoteAddress: "",
    path: "/contract?case=1",
  });
}

function connected(clock: Clock) {
  const near = new TestPipe(clock);
  const far = new TestPipe(clock);
  near.far = far;
  far.far = near;
  return {
    near,
    far,
    dialled: sessionOn(near, clock, true),
    accepted: sessionOn(far, clock, false),
  };
}

describe("session over messages", () => {
  for (const { name, run } of sessionContract) {
    it(name, () => run({ clock: wallClock, connect: async () => connected(wallClock) }));
  }
});

describe("session over a network that is too slow", () => {
  it("keeps a bounded number of datagrams, and control overtakes them", async () => {
    const clock = new VirtualClock();
    const { near, dialled, accepted } = connected(clock);
    near.isStuck = true;
    let refused = 0;
    for (let turn = 0; turn < 100; turn++) {
      for (let i = 0; i < 20; i++) {
        if (dialled.sendDatagram(new Uint8Array(1000).fill(turn)) === "queue-full") refused++;
      }
      await clock.advance(1);
    }
    expect(near.waitingBytes).toBeLessThan(MAX_TCP_WAITING_BYTES + MAX_TCP_MESSAGE_BYTES);
    const taken = 2000 - refused;
    expect(taken).toBeLessThanOrEqual(MAX_PENDING_DATAGRAMS + MAX_TCP_WAITING_BYTES / 1000 + 10);
    expect(dialled.counters.dropped["queue-full"]).toBe(refused);
    const order: string[] = [];
    accepted.onDatagram = () => void order.push("datagram");
    accepted.onStream = () => void order.push("stream");
    void (await dialled.openStream()).write(new Uint8Array(10));
    near.isStuck = false;
    near.deliver();
    await clock.advance(100);
    expect(order.filter((what) => what === "datagram")).toHaveLength(taken);
    expect(order.indexOf("stream")).toBeLessThan(MAX_TCP_WAITING_BYTES / 1000 + 20);
  });

  it("says the close at once, and drops the datagrams that wait", async () => {
    const clock = new VirtualClock();
    const { near, dialled, accepted } = connected(clock);
    near.isStuck = true;
    for (let i = 0; i < 400; i++) dialled.sendDatagram(new Uint8Array(1000));
    await clock.advance(1);
    dialled.close(CLOSE_CODES.removed, "by an admin");
    near.deliver();
    await expect(accepted.closed).resolves.toEqual({
      code: CLOSE_CODES.removed,
      reason: "by an admin",
      clean: true,
    });
    expect(accepted.counters.datagramsReceived).toBeLessThan(100);
  });

  it("makes a writer wait that is a window ahead of its reader", async () => {
    const clock = new VirtualClock();
    const { dialled, accepted } = connected(clock);
    const arrived = new Promise<Parameters<typeof accepted.onStream>[0]>((resolve) => {
      accepted.onStream = resolve;
    });
    const stream = await dialled.openStream();
    let isDone = false;
    void stream.write(new Uint8Array(TCP_STREAM_WINDOW_BYTES + 1)).then(() => {
      isDone = true;
    });
    await clock.advance(100);
    expect(isDone).toBe(false);
    const far = await arrived;
    for (let read = 0; read < TCP_STREAM_WINDOW_BYTES / 2; ) read += (await far.read())!.length;
    await clock.advance(100);
    expect(isDone).toBe(true);
  });

  it("takes the other side for lost when it hears nothing, and says now and then that it is there", async () => {
    const clock = new VirtualClock();
    const { near, dialled, accepted } = connected(clock);
    await clock.advance(20 * TCP_KEEP_ALIVE_MS);
    expect(dialled.counters.datagramsReceived).toBe(0);
    near.isStuck = true;
    await clock.advance(6 * TCP_KEEP_ALIVE_MS);
    await expect(accepted.closed).resolves.toMatchObject({ code: CLOSE_CODES.lost, clean: false });
    dialled.close(0, "");
  });
});

describe("session over TCP with a hostile other side", () => {
  const u32 = (number: number): number[] =>
    [number >>> 24, number >>> 16, number >>> 8, number].map((b) => b & 255);
  const opened = [tcp.TCP_STREAM_OPEN, ...u32(0)];
  const data = [tcp.TCP_STREAM_DATA, ...u32(0), 1];
  it.each<[string, number[][]]>([
    ["an empty message", [[]]],
    ["an unknown kind", [[99]]],
    ["a message that is too long", [[tcp.TCP_KEEP_ALIVE, ...Array<number>(MAX_TCP_MESSAGE_BYTES).fill(0)]]],
    ["a batch of nothing", [[tcp.TCP_DATAGRAMS]]],
    ["a datagram of nothing", [[tcp.TCP_DATAGRAMS, 0, 0]]],
    ["a cut datagram", [[tcp.TCP_DATAGRAMS, 0, 5, 1, 2]]],
    ["a datagram that is too long", [[tcp.TCP_DATAGRAMS, 255, 255, ...Array<number>(2000).fill(0)]]],
    ["bytes of a stream that nobody opened", [data]],
    ["a stream of ours", [[tcp.TCP_STREAM_OPEN, ...u32(1)]]],
    ["a stream twice", [opened, opened]],
    ["a stream out of turn", [[tcp.TCP_STREAM_OPEN, ...u32(4)]]],
    ["bytes behind the end", [opened, [tcp.TCP_STREAM_END, ...u32(0)], data]],
    ["a second end", [opened, [tcp.TCP_STREAM_END, ...u32(0)], [tcp.TCP_STREAM_END, ...u32(0)]]],
    ["no bytes of a stream", [opened, data.slice(0, -1)]],
    ["credit for what was never opened", [[tcp.TCP_STREAM_CREDIT, ...u32(1), ...u32(1)]]],
    ["half a credit", [opened, [tcp.TCP_STREAM_CREDIT, ...u32(0), 1]]],
    ["half a close", [[tcp.TCP_CLOSE, 0, 0]]],
    ["a close with a long reason", [[tcp.TCP_CLOSE, ...u32(0), ...Array<number>(600).fill(65)]]],
    [
      "more of a stream than was allowed",
      [
        opened,
        ...Array.from({ length: 17 }, () => [
          tcp.TCP_STREAM_DATA,
          ...u32(0),
          ...Array<number>(TCP_STREAM_WINDOW_BYTES / 16)
            .fill(7)
            .slice(0, tcp.MAX_TCP_STREAM_PIECE_BYTES),
        ]),
      ],
    ],
    [
      "too many streams",
      Array.from({ length: MAX_TCP_STREAMS + 1 }, (_, i) => [tcp.TCP_STREAM_OPEN, ...u32(2 * i)]),
    ],
  ])("ends with protocol-error for %s", async (_name, messages) => {
    const clock = new VirtualClock();
    const pipe = new TestPipe(clock);
    const session = sessionOn(pipe, clock, false);
    for (const message of messages) pipe.onMessage(Uint8Array.from(message));
    await expect(session.closed).resolves.toMatchObject({ code: CLOSE_CODES["protocol-error"] });
    expect(pipe.isEnded).toBe(true);
    const last = tcp.readTcpMessage(pipe.sent.at(-1)!);
    expect(last).toMatchObject({ kind: tcp.TCP_CLOSE, code: CLOSE_CODES["protocol-error"] });
  });

  it("survives whatever bytes come", async () => {
    for (let seed = 0; seed < 2_000; seed++) {
      const random = seededRandom(seed);
      const clock = new VirtualClock();
      const pipe = new TestPipe(clock);
      const session = sessionOn(pipe, clock, false);
      session.onDatagram = (bytes) => {
        if (bytes.length === 0 || bytes.length > MAX_DATAGRAM_BYTES) throw new Error(`seed ${seed}`);
      };
      const samples = [
        opened,
        data,
        [tcp.TCP_DATAGRAMS, 0, 2, 1, 2],
        [tcp.TCP_STREAM_CREDIT, ...u32(0), ...u32(9)],
      ].map((message) => Uint8Array.from(message));
      for (let i = 0; i < 6; i++) pipe.onMessage(hostileBytes(random, samples));
      session.close(0, "");
      await session.closed;
    }
  });
});
