import { describe, expect, it } from "vitest";
import { seededRandom } from "../../test/sim/seeded-random.ts";
import type { FlvTag } from "./flv-tag.ts";
import { MAX_TARGET_QUEUE_BYTES, MAX_TARGET_QUEUE_TAGS } from "./limits.ts";
import { TagQueue } from "./tag-queue.ts";

const header = new Uint8Array(5);
function tag(kind: "sound" | "picture", timestampMs: number, bytes = 100, keyframe = false): FlvTag {
  return { kind, timestampMs, keyframe, body: new Uint8Array(bytes), header, captureUs: 0 };
}
function drain(queue: TagQueue): string[] {
  const names: string[] = [];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    names.push(`${next.keyframe ? "K" : next.kind[0]}${next.timestampMs}`);
  }
  return names;
}

describe("TagQueue", () => {
  it("begins with a keyframe; what came before is nobody's loss", () => {
    const queue = new TagQueue();
    queue.push(tag("sound", 0));
    queue.push(tag("picture", 0));
    queue.push(tag("picture", 40, 100, true));
    queue.push(tag("sound", 40));
    expect(drain(queue)).toEqual(["K40", "s40"]);
    expect(queue.droppedPictures).toBe(0);
    queue.clear();
    queue.push(tag("picture", 80));
    expect(queue.length).toBe(0);
    queue.beginWithSound();
    queue.push(tag("sound", 80));
    queue.push(tag("picture", 120));
    expect(drain(queue)).toEqual(["s80"]);
  });

  it("loses the older run of pictures when there is a newer keyframe, and keeps all sound", () => {
    const queue = new TagQueue();
    const third = Math.ceil(MAX_TARGET_QUEUE_BYTES / 3);
    queue.push(tag("picture", 0, third, true));
    queue.push(tag("sound", 10));
    queue.push(tag("picture", 40, third));
    queue.push(tag("picture", 80, 100, true));
    queue.push(tag("picture", 120, third));
    expect(queue.droppedPictures).toBe(2);
    expect(drain(queue)).toEqual(["s10", "K80", "p120"]);
  });

  it("loses all pictures up to the next keyframe when one run is too large", () => {
    const queue = new TagQueue();
    const half = Math.ceil(MAX_TARGET_QUEUE_BYTES / 2);
    queue.push(tag("picture", 0, half, true));
    queue.push(tag("sound", 10));
    queue.push(tag("picture", 40, half));
    expect(queue.needsKeyframe).toBe(true);
    queue.push(tag("picture", 80));
    queue.push(tag("picture", 120, 100, true));
    queue.push(tag("picture", 160));
    expect(drain(queue)).toEqual(["s10", "K120", "p160"]);
    expect([queue.droppedPictures, queue.droppedSounds]).toEqual([3, 0]);
  });

  it("keeps the last seconds of sound of a target that takes nothing, and pictures that can be decoded", () => {
    const queue = new TagQueue();
    for (let ms = 0; ms < 20_000; ms += 20) {
      queue.push(tag("sound", ms));
      if (ms % 40 === 0) queue.push(tag("picture", ms, 1_000, ms % 2_000 === 0));
    }
    expect(queue.droppedSounds).toBeGreaterThan(800);
    const left = drain(queue);
    expect(left[0]).toMatch(/^s169\d\d|^s16980/);
    expect(left.find((name) => !name.startsWith("s"))).toMatch(/^K18000/);
    expect(queue.bytes).toBe(0);
  });

  it("is never above its maxima, and never gives a picture whose forerunners are lost", () => {
    const rounds = Number(process.env.FUZZ_RUNS ?? 5_000);
    const random = seededRandom(3);
    const queue = new TagQueue();
    let ms = 0;
    let pushed = 0;
    let taken = 0;
    /** Time of the picture that the next one has to follow. */
    const forerunners = new Map<FlvTag, FlvTag>();
    let newest: FlvTag | undefined;
    let last: FlvTag | undefined;
    for (let round = 0; round < rounds; round++) {
      ms += Math.floor(random() * 40);
      const next = tag(random() < 0.5 ? "sound" : "picture", ms, Math.floor(random() ** 6 * 900_000));
      if (next.kind === "picture") {
        next.keyframe = newest === undefined || random() < 0.05;
        if (!next.keyframe) forerunners.set(next, newest!);
        newest = next;
        pushed++;
      }
      queue.push(next);
      expect(queue.bytes).toBeLessThanOrEqual(MAX_TARGET_QUEUE_BYTES);
      expect(queue.length).toBeLessThanOrEqual(MAX_TARGET_QUEUE_TAGS);
      const isBusy = Math.floor(round / 500) % 3 === 0;
      for (let take = isBusy ? 0 : Math.floor(random() * 3); take > 0; take--) {
        const out = queue.shift();
        if (out?.kind !== "picture") continue;
        if (!out.keyframe) expect(forerunners.get(out)).toBe(last);
        last = out;
        taken++;
      }
    }
    for (let out = queue.shift(); out !== undefined; out = queue.shift()) if (out.kind === "picture") taken++;
    expect(queue.droppedPictures).toBeGreaterThan(0);
    expect(taken + queue.droppedPictures).toBe(pushed);
  });
});
