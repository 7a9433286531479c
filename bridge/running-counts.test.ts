import { expect, test } from "vitest";
import { RunningCounts } from "./running-counts.ts";

test("what is over goes on to count, once, and everything has a number", () => {
  const counts = new RunningCounts();
  expect(counts.now().get("bytes-out/mp3")).toBe(0);
  let bytes = 10;
  const end = counts.add(() => ({ "bytes-out/rtmp": bytes }));
  counts.add(() => ({ "bytes-out/rtmp": 1, "dropped/sender/malformed": 2 }));
  counts.count("bytes-out/hls", 7);
  bytes = 30;
  expect(counts.now().get("bytes-out/rtmp")).toBe(31);
  end();
  end();
  bytes = 99;
  expect(counts.now().get("bytes-out/rtmp")).toBe(31);
  expect(counts.now().get("dropped/sender/malformed")).toBe(2);
  expect(counts.now().get("bytes-out/hls")).toBe(7);
});
