import { expect, test } from "vitest";
import { jobStatusSchema, outputSpecSchema } from "../../../core/wire/bridge-jobs.ts";
import { identitySchema } from "../../../core/wire/room-model.ts";
import {
  figuresText,
  ingestIdentity,
  ingestStateOf,
  isSamePicture,
  onAirOf,
  pictureOptions,
  pictureText,
  sourceSettings,
  stateOf,
  targetFigures,
} from "./output-text.ts";
import type { RoomIngest, RoomOutput } from "./outputs-api.ts";

const status = (more: Record<string, unknown>) =>
  jobStatusSchema.parse({
    jobId: "job-00000001",
    bridgeId: "bridge-1",
    state: "running",
    since: "2026-11-28T13:00:00Z",
    ...more,
  });
const output = (spec: Record<string, unknown>, state: string | null): RoomOutput => ({
  id: "job-00000001",
  room: "a",
  createdAt: "2026-11-28T13:00:00Z",
  spec: outputSpecSchema.parse(spec),
  status: state === null ? null : status({ state }),
});

test("a job that nobody has taken is said to wait", () => {
  expect(stateOf(null)).toEqual({ word: "Waiting for a bridge…", tone: "busy" });
  expect(stateOf(status({ state: "failed" })).tone).toBe("bad");
});

test("figures name what is known", () => {
  const spec = (given: Record<string, unknown>) => outputSpecSchema.parse(given);
  expect(figuresText(spec({ type: "hls" }), status({ latencyMs: 1_900, audience: 12 }))).toBe(
    "1.9 s behind · 12\u00A0watching",
  );
  expect(figuresText(spec({ type: "mp3" }), status({ audience: 0 }))).toBe("0\u00A0listening");
  expect(figuresText(spec({ type: "recording" }), status({ latencyMs: 300 }))).toBe("");
  expect(figuresText(spec({ type: "recording", participants: true }), status({}))).toBe(
    "with a file for each person",
  );
  expect(figuresText(spec({ type: "hls" }), null)).toBe("");
  expect(targetFigures({ bytesSent: 84_000_000, dropped: 1 })).toBe(
    "84 MB sent · 1 picture dropped: too slow",
  );
  expect(targetFigures({ bytesSent: 0, dropped: 0 })).toBe("");
});

test("a room is on the air by what runs, not by what is wished", () => {
  expect(onAirOf([output({ type: "hls" }, null), output({ type: "recording" }, "failed")])).toEqual({
    recording: false,
    live: false,
  });
  expect(
    onAirOf([output({ type: "mp3" }, "reconnecting"), output({ type: "recording" }, "running")]),
  ).toEqual({
    recording: true,
    live: true,
  });
});

test("an ingest's identity is valid whatever it is called", () => {
  for (const name of ["Stage camera", "  ", "Bühne 2!", "舞台", "x".repeat(64)]) {
    const identity = ingestIdentity(name, () => 0.99);
    expect(identitySchema.safeParse(identity).success, name).toBe(true);
  }
  expect(ingestIdentity("Stage camera", () => 0)).toBe("stage-camera-000000");
  expect(ingestIdentity("舞台", () => 0)).toBe("source-000000");
});

test("settings are those that the sending program asks for, the key apart from the server", () => {
  const ingest = (type: "rtmp" | "icecast", urls: RoomIngest["urls"]): RoomIngest => ({
    id: "job-00000001",
    room: "a",
    spec: { type, identity: "x" },
    streamKey: "0123456789abcdef",
    urls,
    status: null,
  });
  expect(sourceSettings(ingest("rtmp", { rtmp: "rtmp://h:1935/live/0123456789abcdef" }))).toEqual([
    { label: "Server", value: "rtmp://h:1935/live", secret: false },
    { label: "Stream key", value: "0123456789abcdef", secret: true },
  ]);
  expect(sourceSettings(ingest("rtmp", { rtmp: "rtmp://h:1935/live" }))[0]?.value).toBe("rtmp://h:1935/live");
  const both = { rtmp: "rtmp://h:1935/live", rtmps: "rtmps://h:1936/live" };
  expect(sourceSettings(ingest("rtmp", both)).map(({ value }) => value)).toEqual([
    both.rtmp,
    both.rtmps,
    "0123456789abcdef",
  ]);
  expect(
    sourceSettings(ingest("icecast", { icecast: "http://h:8000/live" })).map(({ label }) => label),
  ).toEqual(["Address", "User", "Password"]);
  expect(sourceSettings(ingest("icecast", { rtmp: "rtmp://h/live" }))).toEqual([]);
  expect(ingestStateOf(ingest("rtmp", { rtmp: "rtmp://h:1935/live" })).word).toBe("Nobody sends yet");
  expect(ingestStateOf(ingest("rtmp", {})).tone).toBe("bad");
});

test("the picture of an output shows whoever speaks, everybody, or one participant", () => {
  const people = [{ identity: "ann", name: "Ann" }];
  const options = pictureOptions(people);
  expect(options.map(({ label }) => label)).toEqual(["Whoever speaks", "Everybody (grid)", "Only Ann"]);
  const same = options.map(({ picture }) => options.map((other) => isSamePicture(picture, other.picture)));
  expect(same).toEqual([0, 1, 2].map((row) => [0, 1, 2].map((column) => row === column)));
  const said = (picture: Record<string, unknown>) =>
    pictureText(outputSpecSchema.parse({ type: "hls", picture }), people);
  expect([{ mode: "speaker" }, { mode: "grid" }, { mode: "none" }].map(said)).toEqual([
    "",
    "everybody",
    "no picture",
  ]);
  // Who has left has no name here.
  expect(
    [
      { mode: "pinned", identity: "ann" },
      { mode: "pinned", identity: "bob" },
    ].map(said),
  ).toEqual(["only Ann", "only bob"]);
  expect(pictureText(outputSpecSchema.parse({ type: "mp3" }), people)).toBe("");
});
