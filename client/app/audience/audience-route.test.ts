import { expect, test } from "vitest";
import {
  historyPath,
  hlsPath,
  listenPath,
  mp3Path,
  parseAudienceRoute,
  watchPath,
} from "./audience-route.ts";

const parse = (path: string) => parseAudienceRoute(new URL(path, "https://rooms.example"));

test("each page has its address, with or without a slash at the end", () => {
  expect(parse("/watch/tea-time")).toEqual({ page: "watch", room: "tea-time" });
  expect(parse("/listen/tea-time/")).toEqual({ page: "listen", room: "tea-time" });
  expect(parse("/history")).toEqual({ page: "history", room: "" });
  expect(parse("/history/")).toEqual({ page: "history", room: "" });
  expect(parse("/history?room=tea-time")).toEqual({ page: "history", room: "tea-time" });
  expect(parse("/history/rec_01-AB")).toEqual({ page: "recording", id: "rec_01-AB" });
});

test("an address without a room asks for one, and foreign ones are unknown", () => {
  expect(parse("/watch")).toEqual({ page: "watch", room: "" });
  expect(parse("/listen/%E0%A4")).toEqual({ page: "listen", room: "" });
  expect(parse("/watch/a/b")).toEqual({ page: "unknown" });
  expect(parse("/watch/a//b")).toEqual({ page: "unknown" });
  expect(parse("/elsewhere/a")).toEqual({ page: "unknown" });
});

test("hostile names and ids come out bounded and clean", () => {
  expect(parse(`/watch/${"x".repeat(500)}`)).toEqual({ page: "watch", room: "x".repeat(64) });
  expect(parse("/watch/a%2F..%2F%3Cb%3E")).toEqual({ page: "watch", room: "a..b" });
  expect(parse("/history/a%2F..%2Fb")).toEqual({ page: "unknown" });
  expect(parse(`/history/${"x".repeat(65)}`)).toEqual({ page: "unknown" });
});

test("a room that is written into an address is read back the same", () => {
  for (const room of ["tea-time", "réunion", "a:b@c~d", "mix.mp3"]) {
    expect(parse(watchPath(room))).toEqual({ page: "watch", room });
    expect(parse(listenPath(room))).toEqual({ page: "listen", room });
    expect(parse(historyPath(room))).toEqual({ page: "history", room });
  }
  expect(hlsPath("réunion")).toBe("/hls/r%C3%A9union/index.m3u8");
  expect(mp3Path("tea-time")).toBe("/listen/tea-time.mp3");
});
