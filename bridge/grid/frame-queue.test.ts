import { expect, it } from "vitest";
import { FrameQueue } from "./frame-queue.ts";
import { MAX_CELL_FRAMES } from "./limits.ts";

function push(queue: FrameQueue, timeUs: number): void {
  queue.begin().bytes[0] = timeUs;
  queue.commit(timeUs);
}

it("shows the newest frame of a moment, and keeps it until the next one's", () => {
  const queue = new FrameQueue(2, 2);
  expect(queue.frameAt(100)).toBeUndefined();
  for (const timeUs of [10, 20, 30]) push(queue, timeUs);
  expect(queue.hasFrameAt(9)).toBe(false);
  expect(queue.hasFrameAt(10)).toBe(true);
  expect([queue.frameAt(9), queue.frameAt(19)?.bytes[0], queue.frameAt(29)?.bytes[0]]).toEqual([
    undefined,
    10,
    20,
  ]);
  expect(queue.frameAt(1_000)?.bytes[0]).toBe(30);
});

it("leaves out the oldest when too many wait, counts that, and uses its memory again", () => {
  const queue = new FrameQueue(2, 2);
  const seen = new Set<unknown>();
  for (let timeUs = 1; timeUs <= MAX_CELL_FRAMES + 3; timeUs++) {
    seen.add(queue.begin());
    push(queue, timeUs);
  }
  expect(queue.overflowed).toBe(3);
  expect(queue.frameAt(4)?.bytes[0]).toBe(4);
  for (let timeUs = 20; timeUs < 220; timeUs++) {
    seen.add(queue.begin());
    push(queue, timeUs);
    expect(queue.frameAt(timeUs)?.bytes[0]).toBe(timeUs);
  }
  expect(seen.size).toBeLessThanOrEqual(MAX_CELL_FRAMES + 2);
});
