import { beforeEach, describe, expect, it } from "vitest";
import { readAll } from "../storage/storage.contract.ts";
import { StorageError } from "../storage/storage.ts";
import { MemoryStorage } from "../storage/testing/memory-storage.ts";
import { Catalogue } from "./catalogue.ts";
import { MAX_QUEUED_BYTES } from "./limits.ts";
import { boxesOf, decodeTimesOf } from "./media-boxes.ts";
import { readMark } from "./part-mark.ts";
import type { MakePoster } from "./poster.ts";
import type { Recorder } from "./recorder.ts";
import { RecordingIndex } from "./recording-index.ts";
import { keysOf } from "./recording-record.ts";
import { type Fate, Recordings } from "./recordings.ts";
import { HandClock, settled } from "./testing/hand-clock.ts";
import { madeInit, madePart, madeParts } from "./testing/made-media.ts";

const T0 = 1_800_000_000_000_000;
let storage: MemoryStorage;
let clock: HandClock;
let logged: string[];
beforeEach(() => {
  clock = new HandClock(T0);
  storage = new MemoryStorage(() => clock.nowUs() / 1000);
  logged = [];
});

/** A bridge that has just started on the storage. */
function bridge(makePoster?: MakePoster) {
  const log = (_: string, message: string): void => void logged.push(message);
  const catalogue = new Catalogue({ storage, clock, log });
  const recordings = new Recordings({
    storage,
    catalogue,
    clock,
    random: () => 0.5,
    log,
    bridgeId: "b1",
    makePoster,
  });
  return { catalogue, recordings };
}

const request = (jobId = "job-00001") => ({
  jobId,
  room: "standup",
  participants: () => [{ identity: "ann", name: "Ann" }],
});

async function feed(recorder: Recorder, parts: ReturnType<typeof madeParts>): Promise<void> {
  for (const part of parts) recorder.onPart(part);
  await settled();
}

async function mediaOf(id: string): Promise<Uint8Array> {
  return (await readAll(storage, keysOf(id).media))!;
}

/** Every part of a file: its mark, and its decode times in microseconds by track. */
function partsOf(media: Uint8Array) {
  const boxes = boxesOf(media);
  return boxes.flatMap(({ type, start, end }, at) => {
    if (type !== "uuid") return [];
    const part = media.slice(end, boxes[at + 2]!.end);
    const scale = (track: number): number => (track === 1 ? 48_000 : 90_000);
    const times = decodeTimesOf(part).map(({ track, ticks }) => Math.round((ticks * 1e6) / scale(track)));
    return [{ mark: readMark(media.subarray(start, end))!, times }];
  });
}

describe("a recording", () => {
  it("is one file that begins with its init segment, and its index says where each segment is", async () => {
    const { recordings } = bridge();
    const recorder = await recordings.open(request());
    const init = madeInit(0, true);
    recorder.onInit(init);
    const parts = madeParts(init, T0 + 5_000, 25, 90_000_000);
    await feed(recorder, parts);
    const { segments, inits } = recorder.index;
    expect(inits).toEqual([{ offset: 0, length: init.bytes.length, picture: true }]);
    expect(segments.map(({ durationUs }) => durationUs)).toEqual([2_000_000, 2_000_000, 1_000_000]);
    expect(segments.map(({ startUs }) => startUs - T0)).toEqual([5_000, 2_005_000, 4_005_000]);
    const info = await recorder.close("complete");
    const media = await mediaOf(recorder.id);
    expect(info).toMatchObject({
      state: "complete",
      durationMs: 5_000,
      bytes: media.length,
      hasPicture: true,
    });
    expect(info.participants).toEqual([{ identity: "ann", name: "Ann" }]);
    expect(media.slice(0, init.bytes.length)).toEqual(init.bytes);
    for (const segment of segments) {
      const boxes = boxesOf(media.slice(segment.offset, segment.offset + segment.length));
      expect(boxes.map(({ type }) => type).slice(0, 3)).toEqual(["uuid", "moof", "mdat"]);
    }
    // A new file keeps its writer's times, wherever that was.
    const fileUs = 90_000_000;
    expect(partsOf(media)[0]).toMatchObject({
      times: [fileUs, fileUs],
      mark: { fileUs, segmentStart: true },
    });
    expect(partsOf(media)[24]).toMatchObject({ times: [94_800_000, 94_800_000] });
    // Parts belong to others, too.
    expect(parts[0]!.bytes).toEqual(madeParts(init, T0 + 5_000, 1, 90_000_000)[0]!.bytes);
  });

  it("begins at a segment, and writes another init segment only where it is another", async () => {
    const { recordings } = bridge();
    const recorder = await recordings.open(request());
    const [sound, same, picture] = [madeInit(0, false), madeInit(1, false), madeInit(2, true)];
    recorder.onInit(sound);
    await feed(recorder, madeParts(sound, T0, 12).slice(5));
    expect(recorder.status.lost).toEqual({});
    recorder.onInit(same);
    await feed(recorder, madeParts(same, T0 + 2_400_000, 10, 2_400_000));
    recorder.onInit(picture);
    await feed(recorder, madeParts(picture, T0 + 4_400_000, 10, 4_400_000));
    expect(recorder.index.inits.map((init) => init.picture)).toEqual([false, true]);
    expect(recorder.index.segments.map(({ init, discontinuity }) => [init, discontinuity])).toEqual([
      [0, false],
      [0, false],
      [1, true],
    ]);
    expect(recorder.index.fileUs).toBe(6_400_000);
    expect(recorder.index.durationUs).toBe(4_400_000);
  });

  it("counts what it cannot use, by reason", async () => {
    const { recordings } = bridge();
    const recorder = await recordings.open(request());
    const init = madeInit(0, true);
    const [part] = madeParts(init, T0, 1);
    recorder.onPart(part!);
    recorder.onInit(init);
    recorder.onPart({ ...part!, init: 7 });
    recorder.onPart({ ...part!, bytes: part!.bytes.subarray(0, 100) });
    recorder.onPart({ ...part!, durationUs: Number.NaN });
    recorder.onPart({ ...part!, bytes: new Uint8Array(20_000_000) });
    expect(recorder.status.lost).toEqual({ "no-init": 2, malformed: 3 });
    await recorder.close("complete");
    recorder.onPart(part!);
    expect(recorder.status.lost).toEqual({ "no-init": 2, malformed: 3, closed: 1 });
    expect(recorder.status.message).toBe("6 parts of this recording are lost.");
  });

  it("a storage that fails for a while loses nothing; status says so", async () => {
    const { recordings } = bridge();
    const recorder = await recordings.open(request());
    const init = madeInit(0, true);
    recorder.onInit(init);
    const parts = madeParts(init, T0, 40);
    await feed(recorder, parts.slice(0, 10));
    storage.fault = () => {
      throw new StorageError("The disk is full: free some space.", true);
    };
    await feed(recorder, parts.slice(10, 30));
    expect(recorder.status).toMatchObject({
      state: "storage-failing",
      message: "The disk is full: free some space.",
    });
    expect(recorder.status.queuedBytes).toBeGreaterThan(15_000);
    await clock.pass(60_000);
    storage.fault = () => undefined;
    await clock.pass(5_000);
    expect(recorder.status).toMatchObject({ state: "recording", message: "", queuedBytes: 0 });
    await feed(recorder, parts.slice(30));
    expect((await recorder.close("complete")).durationMs).toBe(8_000);
    expect(partsOf(await mediaOf(recorder.id))).toHaveLength(40);
  });

  it("a storage that fails for long loses what does not fit, and goes on at a segment", async () => {
    const { recordings } = bridge();
    const recorder = await recordings.open(request());
    const init = madeInit(0, true);
    recorder.onInit(init);
    await feed(recorder, madeParts(init, T0, 10));
    storage.fault = (doing) => {
      if (doing === "append") throw new StorageError("no", true);
    };
    const big = MAX_QUEUED_BYTES / 8;
    for (let n = 10; n < 25; n++) {
      const startUs = T0 + n * 200_000;
      recorder.onPart(
        madePart({ init, startUs, mediaUs: n * 200_000, segmentStart: n % 10 === 0, bytes: big }),
      );
    }
    expect(recorder.status.queuedBytes).toBeLessThanOrEqual(MAX_QUEUED_BYTES);
    expect(recorder.status.lost).toEqual({ "queue-full": 8 });
    await settled();
    storage.fault = () => undefined;
    await clock.pass(5_000);
    const later = madeParts(init, T0 + 5_000_000, 25, 5_000_000);
    await feed(recorder, later.slice(3));
    expect(recorder.status.lost).toEqual({ "queue-full": 8, "before-segment": 7 });
    const { segments, fileUs } = recorder.index;
    expect(segments.map(({ discontinuity }) => discontinuity)).toEqual([false, false, true, false]);
    expect(segments[2]).toMatchObject({ startUs: T0 + 7_000_000, fileUs: 7_000_000 });
    expect(fileUs).toBe(10_000_000);
  });

  it("an end under a failing storage gives up in time, and is left for repair", async () => {
    const { recordings, catalogue } = bridge();
    const recorder = await recordings.open(request());
    const init = madeInit(0, true);
    recorder.onInit(init);
    await feed(recorder, madeParts(init, T0, 10));
    storage.fault = () => {
      throw new StorageError("no", true);
    };
    await feed(recorder, madeParts(init, T0 + 2_000_000, 5, 2_000_000));
    const closed = recorder.close("complete");
    await clock.pass(30_000);
    await closed;
    expect(recorder.status.lost).toEqual({ closed: 5 });
    expect(recordings.running).toEqual([]);
    storage.fault = () => undefined;
    storage.crash();
    expect((await catalogue.records())[0]?.info.state).toBe("recording");
  });
});

describe("after a kill", () => {
  async function killed(torn: number, checkpoint: boolean): Promise<string> {
    const { recordings } = bridge();
    const recorder = await recordings.open(request());
    const init = madeInit(0, true);
    recorder.onInit(init);
    await feed(recorder, madeParts(init, T0, 13));
    if (checkpoint) await recorder.checkpoint();
    await feed(recorder, madeParts(init, T0, 23).slice(13));
    storage.crash();
    const { media } = keysOf(recorder.id);
    const bytes = storage.objects.get(media)!.bytes;
    storage.objects.set(media, { bytes: bytes.slice(0, bytes.length - torn), modifiedMs: 0 });
    return recorder.id;
  }

  it.each([
    [0, true, 23],
    [1, true, 22],
    [899, false, 22],
    [1_000, true, 22],
    [1_250, false, 21],
    // Less than what the saved index says.
    [14_000, true, 9],
  ])(
    "%i bytes torn off, index saved: %s: %i parts are there, and the same recording goes on",
    async (torn, saved, whole) => {
      const id = await killed(torn, saved);
      await clock.pass(7_000);
      const { recordings, catalogue } = bridge();
      const recorder = await recordings.open(request());
      expect(recorder.id).toBe(id);
      expect(recorder.index.durationUs).toBe(whole * 200_000);
      const init = madeInit(0, true);
      recorder.onInit(init);
      await feed(recorder, madeParts(init, T0 + 12_000_000, 10, 333_000_000));
      const info = await recorder.close("complete");
      expect(info).toMatchObject({ state: "complete", durationMs: (whole + 10) * 200 });
      const parts = partsOf(await mediaOf(id));
      expect(parts).toHaveLength(whole + 10);
      expect(parts.map(({ times }) => times[0])).toEqual(parts.map((_, n) => n * 200_000));
      expect(parts[whole]?.mark).toMatchObject({ discontinuity: true, init: 0, startUs: T0 + 12_000_000 });
      expect((await catalogue.records()).map((record) => record.info)).toEqual([info]);
      const scanned = RecordingIndex.fromJson(
        await new Response((await storage.read(keysOf(id).index))?.body).text(),
      );
      expect(scanned?.segments).toEqual(recorder.index.segments);
    },
  );

  it("a file that is torn everywhere is repaired to whole parts", async () => {
    const id = await killed(0, false);
    const { media, index } = keysOf(id);
    const bytes = storage.objects.get(media)!.bytes;
    storage.objects.delete(index);
    let before = 0;
    for (let length = 0; length <= bytes.length; length += 97) {
      storage.objects.set(media, { bytes: bytes.slice(0, length), modifiedMs: 0 });
      const { repair } = await import("./repair.ts");
      const repaired = await repair(storage, keysOf(id));
      expect(repaired.index.bytes).toBeLessThanOrEqual(length);
      expect(repaired.index.durationUs).toBeGreaterThanOrEqual(before);
      before = repaired.index.durationUs;
    }
    expect(before).toBeGreaterThanOrEqual(22 * 200_000);
  });

  it.each<[Fate, number, string]>([
    ["nobodys", 1, "interrupted"],
    ["ours", 0, "recording"],
    ["theirs", 0, "recording"],
  ])("a recording whose job is %s", async (fate, ended, state) => {
    const id = await killed(500, true);
    const { recordings, catalogue } = bridge();
    expect(await recordings.recover(async () => fate)).toEqual({ ended, left: 1 - ended });
    const info = (await catalogue.record(id))?.info;
    expect(info?.state).toBe(state);
    if (ended === 0) return;
    expect(info).toMatchObject({ durationMs: 22 * 200, endedAt: new Date(T0 / 1000 + 4_400).toISOString() });
    expect((await mediaOf(id)).length).toBe(info?.bytes);
    expect(await recordings.recover(async () => fate)).toEqual({ ended: 0, left: 0 });
  });

  it("a running recording is left alone, and is not recorded twice", async () => {
    const { recordings } = bridge();
    const recorder = await recordings.open(request());
    await expect(recordings.open(request())).rejects.toThrow(/is being recorded already/);
    expect(await recordings.recover(async () => "nobodys")).toEqual({ ended: 0, left: 0 });
    await recorder.close("complete");
    expect((await recordings.open(request())).id).not.toBe(recorder.id);
  });
});

describe("the poster", () => {
  it("is made of the first part with a picture", async () => {
    const asked: number[] = [];
    const { recordings } = bridge(async (media) => {
      asked.push(media.length);
      return new Uint8Array([0xff, 0xd8, 1, 2]);
    });
    const recorder = await recordings.open(request());
    const [sound, picture] = [madeInit(0, false), madeInit(1, true)];
    recorder.onInit(sound);
    await feed(recorder, madeParts(sound, T0, 10));
    expect(asked).toEqual([]);
    recorder.onInit(picture);
    const parts = madeParts(picture, T0 + 2_000_000, 20, 2_000_000);
    await feed(recorder, parts);
    expect(asked).toEqual([picture.bytes.length + parts[0]!.bytes.length]);
    expect((await recorder.close("complete")).posterPath).toBe(`recordings/${recorder.id}/poster.jpg`);
  });

  it("is null where it fails or is no JPEG", async () => {
    for (const makePoster of [
      async () => undefined,
      async () => new Uint8Array([1, 2, 3]),
      () => Promise.reject(new Error("no decoder")),
    ]) {
      const { recordings } = bridge(makePoster);
      const recorder = await recordings.open(request());
      const init = madeInit(0, true);
      recorder.onInit(init);
      await feed(recorder, madeParts(init, T0, 3));
      expect((await recorder.close("complete")).posterPath).toBeNull();
    }
  });
});
