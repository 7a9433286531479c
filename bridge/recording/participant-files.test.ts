import { beforeEach, describe, expect, it } from "vitest";
import { MemoryStorage } from "../storage/testing/memory-storage.ts";
import { Catalogue } from "./catalogue.ts";
import { History } from "./history.ts";
import { historyRoutes } from "./history-routes.ts";
import { MAX_OPEN_PARTICIPANT_FILES, MAX_PARTICIPANT_FILES } from "./limits.ts";
import { boxesOf, decodeTimesOf } from "./media-boxes.ts";
import type { ParticipantFile } from "./participant-files.ts";
import type { Recorder } from "./recorder.ts";
import { Recordings } from "./recordings.ts";
import { Retention } from "./retention.ts";
import { HandClock, settled } from "./testing/hand-clock.ts";
import { madeInit, madeParts } from "./testing/made-media.ts";

const T0 = 1_800_000_000_000_000;
const ANN = { identity: "ann", name: "Ann Lee" };
const BOB = { identity: "bob", name: "Bob" };
let storage: MemoryStorage;
let clock: HandClock;
let logged: string[];
beforeEach(() => {
  clock = new HandClock(T0);
  storage = new MemoryStorage(() => clock.nowUs() / 1000);
  logged = [];
});

function bridge() {
  const log = (_: string, message: string, fields?: object): void =>
    void logged.push(`${message} ${JSON.stringify(fields ?? {})}`);
  const catalogue = new Catalogue({ storage, clock, log });
  const recordings = new Recordings({ storage, catalogue, clock, random: () => 0.5, log, bridgeId: "b1" });
  const history = new History({ storage, catalogue, recordings });
  const app = historyRoutes({ history, storage, log, authorise: async () => true });
  const open = () => recordings.open({ jobId: "job-00001", room: "standup", participants: () => [ANN, BOB] });
  return { catalogue, recordings, history, app, open, log };
}

const init = madeInit(0, true);

/** So many parts of 200 ms from `fromMs` behind T0 on. */
async function feed(sink: Recorder | ParticipantFile["sink"], fromMs: number, count: number): Promise<void> {
  sink.onInit(init);
  for (const part of madeParts(init, T0 + fromMs * 1000, count, fromMs * 1000)) sink.onPart(part);
  await settled();
}

async function begun(recorder: Recorder, participant: typeof ANN): Promise<ParticipantFile> {
  const file = await recorder.beginFile(participant);
  if (typeof file === "string") throw new Error(file);
  return file;
}

const keys = (): string[] =>
  [...storage.objects.keys()].filter((key) => key.includes("participants/")).sort();

describe("files of single participants", () => {
  it("are listed with where they begin, while they are written and afterwards, and can be downloaded", async () => {
    const { open, history, app } = bridge();
    const recorder = await open();
    await feed(recorder, 0, 25);
    const ann = await begun(recorder, ANN);
    await feed(ann.sink, 1_400, 10);
    const bob = await begun(recorder, BOB);
    expect((await history.info(recorder.id))?.files).toMatchObject([
      { ...ANN, file: "1.mp4", startMs: 1_400, durationMs: 2_000, hasPicture: true },
    ]);
    await feed(bob.sink, 3_000, 5);
    await ann.end();
    await recorder.close("complete");
    const info = (await history.list({})).recordings[0]!;
    expect(info.files).toMatchObject([
      { ...ANN, startMs: 1_400, durationMs: 2_000 },
      { ...BOB, file: "2.mp4", startMs: 3_000, durationMs: 1_000 },
    ]);
    const answer = await app.request(`/${info.files[0]!.downloadPath}`);
    expect(answer.headers.get("content-disposition")).toMatch(
      /^attachment; filename="standup [\d -]+ Ann Lee 1.mp4"$/,
    );
    const bytes = new Uint8Array(await answer.arrayBuffer());
    const moof = boxesOf(bytes).find(({ type }) => type === "moof")!;
    // Each begins at 0, whatever its writer's times are.
    expect(decodeTimesOf(bytes.slice(moof.start, moof.end)).map(({ ticks }) => ticks)).toEqual([0, 0]);
    const range = { headers: { range: "bytes=100-199" } };
    expect(
      new Uint8Array(await (await app.request(`/${info.files[0]!.downloadPath}`, range)).arrayBuffer()),
    ).toEqual(bytes.slice(100, 200));
    for (const path of ["3.mp4", "1.json", "..%2fmedia.mp4"])
      expect((await app.request(`/recordings/${info.id}/participants/${path}`)).status, path).toBe(404);
  });

  it("are repaired after a crash, and a bridge that goes on begins others where the mix goes on", async () => {
    const before = await bridge().open();
    await feed(before, 0, 20);
    const ann = await begun(before, ANN);
    await feed(ann.sink, 1_000, 12);
    // Known and still empty.
    await begun(before, BOB);
    storage.crash();
    const [media] = keys();
    const whole = storage.objects.get(media!)!;
    storage.objects.set(media!, {
      ...whole,
      bytes: Uint8Array.from([...whole.bytes, ...whole.bytes.slice(-700)]),
    });

    const { open, history } = bridge();
    // A minute later; the mix goes on without that minute.
    const recorder = await open();
    expect(recorder.id).toBe(before.id);
    await settled();
    await feed(recorder, 64_000, 20);
    const again = await begun(recorder, ANN);
    await feed(again.sink, 65_000, 10);
    await recorder.close("complete");
    const info = (await history.list({})).recordings[0]!;
    expect(info.durationMs).toBe(8_000);
    expect(info.files).toMatchObject([
      { ...ANN, file: "1.mp4", startMs: 1_000, durationMs: 2_400, bytes: whole.bytes.length },
      { ...ANN, file: "3.mp4", startMs: 5_000, durationMs: 2_000 },
    ]);
    expect(keys().map((key) => key.split("/").at(-1))).toEqual(["1.json", "1.mp4", "3.json", "3.mp4"]);
    expect(storage.objects.get(media!)?.bytes).toEqual(whole.bytes);
  });

  it("that a crash has left are ended with a recording that nobody goes on with", async () => {
    const before = await bridge().open();
    await feed(before, 0, 20);
    await feed((await begun(before, ANN)).sink, 1_000, 12);
    storage.crash();
    const { recordings, history } = bridge();
    expect(await recordings.recover(async () => "nobodys")).toEqual({ ended: 1, left: 0 });
    expect((await history.list({})).recordings[0]).toMatchObject({
      state: "interrupted",
      files: [{ ...ANN, startMs: 1_000, durationMs: 2_400 }],
    });
    expect(await recordings.recover(async () => "nobodys")).toEqual({ ended: 0, left: 0 });
  });

  it("whose end fails are ended later, and what was there of them is there", async () => {
    const { open, recordings, history } = bridge();
    const recorder = await open();
    await feed(recorder, 0, 20);
    await feed((await begun(recorder, ANN)).sink, 1_000, 12);
    storage.fault = (doing, key) => {
      if (doing === "finish" && key.includes("participants/")) throw new Error("the disk is gone");
    };
    await recorder.close("complete");
    expect((await history.info(recorder.id))?.files).toEqual([]);
    storage.fault = () => undefined;
    storage.crash();
    expect(await recordings.recover(async () => "nobodys")).toEqual({ ended: 1, left: 0 });
    expect((await history.info(recorder.id))?.files).toMatchObject([{ ...ANN, durationMs: 2_400 }]);
    expect((await history.info(recorder.id))?.state).toBe("complete");
  });

  it("count for retention, and go with the recording", async () => {
    const { open, catalogue, history, log } = bridge();
    const recorder = await open();
    await feed(recorder, 0, 20);
    await feed((await begun(recorder, ANN)).sink, 1_000, 12);
    const info = await recorder.close("complete");
    const maxBytes = info.bytes + info.files[0]!.bytes - 1;
    const retention = new Retention({ catalogue, history, clock, log, maxBytes });
    await retention.run();
    expect(retention.deleted).toMatchObject({ size: 1, bytes: maxBytes + 1 });
    expect(storage.objects.size).toBe(0);
  });

  it("are so many at once and so many in all; the others are counted and told", async () => {
    const { open } = bridge();
    const recorder = await open();
    await feed(recorder, 0, 20);
    const person = (n: number) => ({ identity: `p${n}`, name: `P ${n}` });
    const files: ParticipantFile[] = [];
    for (let n = 0; n < MAX_OPEN_PARTICIPANT_FILES; n++) files.push(await begun(recorder, person(n)));
    expect(await recorder.beginFile(ANN)).toBe("too-many-at-once");
    expect(recorder.status.message).toMatch(
      /^1 participants have no file of their own: 32 are written at once/,
    );
    expect(logged.at(-1)).toMatch(
      /a participant gets no file .*"identity":"ann","reason":"too-many-at-once"/,
    );
    await files[0]!.end();
    await (await begun(recorder, ANN)).end();
    for (let n = MAX_OPEN_PARTICIPANT_FILES + 1; n < MAX_PARTICIPANT_FILES; n++)
      await (await begun(recorder, person(n))).end();
    expect(await recorder.beginFile(BOB)).toBe("too-many-files");
    await recorder.close("complete");
    expect(await recorder.beginFile(BOB)).toBe("closed");
    expect(keys()).toEqual([]);
  });
});
