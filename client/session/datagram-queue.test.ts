import { describe, expect, it } from "vitest";
import { MAX_PENDING_DATAGRAMS } from "../../core/wire/limits.ts";
import { DatagramQueue, type DatagramWriter } from "./datagram-queue.ts";

class SlowWriter implements DatagramWriter {
  readonly written: number[] = [];
  maxDatagramBytes = 1_200;
  readonly #waiting: { resolve(): void; reject(error: Error): void }[] = [];

  write(bytes: Uint8Array): Promise<void> {
    this.written.push(bytes[0]!);
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  async finishOne(): Promise<void> {
    this.#waiting.shift()?.resolve();
    await Promise.resolve();
  }

  async fail(): Promise<void> {
    this.#waiting.shift()?.reject(new Error("gone"));
    await new Promise((resolve) => setTimeout(resolve));
  }
}

function setUp() {
  const state = { nowMs: 0, stale: 0, closed: 0 };
  const queue = new DatagramQueue(
    () => state.nowMs,
    (fault) => (fault === "closed" ? state.closed++ : state.stale++),
  );
  const writer = new SlowWriter();
  queue.add(writer);
  const push = (number: number, length = 100) => queue.push(new Uint8Array(length).fill(number));
  return { state, queue, writer, push };
}

describe("DatagramQueue", () => {
  it("has two writes under way on a connection, in order", async () => {
    const { writer, push } = setUp();
    for (let i = 0; i < 5; i++) push(i);
    expect(writer.written).toEqual([0, 1]);
    await writer.finishOne();
    expect(writer.written).toEqual([0, 1, 2]);
  });

  it("goes another way where one is held up, and leaves it alone where none is", async () => {
    const { writer, push, queue } = setUp();
    const lane = new SlowWriter();
    for (let i = 0; i < 4; i++) push(i);
    queue.add(lane);
    expect([writer.written, lane.written]).toEqual([
      [0, 1],
      [2, 3],
    ]);
    for (let i = 0; i < 2; i++) await writer.finishOne();
    push(4);
    await writer.finishOne();
    push(5);
    expect(writer.written).toEqual([0, 1, 4, 5]);
  });

  it("sends nothing over a connection that carries less, or is gone", async () => {
    const { state, writer, push, queue } = setUp();
    const lane = new SlowWriter();
    lane.maxDatagramBytes = 99;
    queue.add(lane);
    for (let i = 0; i < 3; i++) push(i);
    expect(lane.written).toEqual([]);
    push(3, 50);
    expect(lane.written).toEqual([]);
    lane.maxDatagramBytes = 1_200;
    await writer.fail();
    push(4);
    expect(lane.written).toEqual([2, 3]);
    // One that the connection took with it, and one that waits when all is over.
    expect(state.closed).toBe(1);
    queue.clear();
    expect(state.closed).toBe(2);
  });

  it("is bounded in number and age, and says how long datagrams wait", async () => {
    const { state, writer, push, queue } = setUp();
    for (let i = 0; i < MAX_PENDING_DATAGRAMS + 2; i++) expect(push(0)).toBeUndefined();
    expect(push(0)).toBe("queue-full");
    expect(queue.waitMs).toBe(0);
    state.nowMs = 200;
    await writer.finishOne();
    expect(queue.waitMs).toBeGreaterThan(20);
    state.nowMs = 251;
    await writer.finishOne();
    expect(state.stale).toBe(MAX_PENDING_DATAGRAMS - 1);
  });
});
