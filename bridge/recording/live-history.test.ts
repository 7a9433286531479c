import { expect, it } from "vitest";
import { MemoryStorage } from "../storage/testing/memory-storage.ts";
import { Catalogue } from "./catalogue.ts";
import { LiveHistory } from "./live-history.ts";
import { Recordings } from "./recordings.ts";
import { RoomHistory } from "./room-history.ts";
import { HandClock, settled } from "./testing/hand-clock.ts";
import { madeInit, madeParts } from "./testing/made-media.ts";

const T0 = 1_800_000_000_000_000;

it("gives a live playlist what lies before its window, where that is of the same timeline", async () => {
  const clock = new HandClock(T0);
  const storage = new MemoryStorage();
  const start = () => {
    const log = (): void => undefined;
    const catalogue = new Catalogue({ storage, clock, log });
    const recordings = new Recordings({ storage, catalogue, clock, random: () => 0.5, log, bridgeId: "b1" });
    return recordings.open({ jobId: "job-00001", room: "standup", participants: () => [] });
  };
  const recorder = await start();
  const history = new LiveHistory(recorder, "/recordings/x/media.mp4");
  expect(history.segmentsBefore(T0)).toEqual([]);
  const init = madeInit(0, true);
  recorder.onInit(init);
  for (const part of madeParts(init, T0, 35)) recorder.onPart(part);
  await settled();
  const { segments, inits } = recorder.index;
  const two = history.segmentsBefore(T0 + 4_000_000);
  expect(two).toEqual(
    [0, 1].map((n) => ({
      media: {
        uri: "/recordings/x/media.mp4",
        range: { offset: segments[n]!.offset, length: segments[n]!.length },
      },
      init: { uri: "/recordings/x/media.mp4", range: { offset: 0, length: inits[0]!.length } },
      startUs: T0 + n * 2_000_000,
      durationUs: 2_000_000,
      discontinuity: false,
    })),
  );
  // The same window asked for again costs nothing; an earlier one is cut; one that the recording has not reached is empty.
  expect(history.segmentsBefore(T0 + 4_000_000)).toBe(two);
  expect(history.segmentsBefore(T0 + 6_000_000)).toHaveLength(3);
  expect(history.segmentsBefore(T0 + 2_000_000)).toHaveLength(1);
  expect(history.segmentsBefore(T0 + 3_000_000)).toEqual([]);
  expect(history.segmentsBefore(T0 + 60_000_000)).toEqual([]);

  storage.crash();
  const again = await start();
  again.onInit(init);
  for (const part of madeParts(init, T0 + 20_000_000, 25)) again.onPart(part);
  await settled();
  expect(again.index.segments.length).toBeGreaterThan(5);
  expect(new LiveHistory(again, "x").segmentsBefore(T0 + 22_000_000)).toEqual([]);
});

it("lists the recording of the same parts only, and goes on with it when it has ended", async () => {
  const clock = new HandClock(T0);
  const storage = new MemoryStorage();
  const log = (): void => undefined;
  const catalogue = new Catalogue({ storage, clock, log });
  const recordings = new Recordings({ storage, catalogue, clock, random: () => 0.5, log, bridgeId: "b1" });
  const history = new RoomHistory(recordings, "standup");
  const init = madeInit(0, true);
  const begin = async (jobId: string, shown: boolean) => {
    const recorder = await recordings.open({ jobId, room: "standup", participants: () => [] });
    recorder.onInit(init);
    for (const part of madeParts(init, T0, 35)) recorder.onPart({ ...part, shown });
    await settled();
    return recorder;
  };
  await begin("job-00001", false);
  expect(history.segmentsBefore(T0 + 4_000_000)).toEqual([]);
  const shown = await begin("job-00002", true);
  const two = history.segmentsBefore(T0 + 4_000_000);
  expect(two.map(({ media }) => media.uri)).toEqual(Array(2).fill(`../../recordings/${shown.id}/media.mp4`));
  await shown.close("complete");
  expect(history.segmentsBefore(T0 + 4_000_000)).toBe(two);
  expect(history.segmentsBefore(T0 + 60_000_000)).toEqual([]);
});
