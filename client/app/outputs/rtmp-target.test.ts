import { expect, test } from "vitest";
import { TARGET_PRESETS, targetPlace, targetUrl } from "./rtmp-target.ts";

test("server and key become one URL, whatever slashes and spaces come along", () => {
  expect(targetUrl(" rtmp://a.example/live/ ", " abc-123 ")).toEqual({
    url: "rtmp://a.example/live/abc-123",
  });
  expect(targetUrl("rtmps://a.example:4433/x/y", "/key?s=1")).toEqual({
    url: "rtmps://a.example:4433/x/y/key?s=1",
  });
  expect(targetUrl("rtmp://a.example/live/key-in-it", "")).toEqual({
    url: "rtmp://a.example/live/key-in-it",
  });
});

test.each(["", "a.example/live", "https://a.example/live", "rtmp://", "rtmp:///live"])(
  "%j is no server, and the sentence says what one looks like",
  (server) => expect(targetUrl(server, "k")).toEqual({ problem: expect.stringContaining("rtmp://host/app") }),
);

test("an application is needed, and spaces are nowhere allowed", () => {
  expect(targetUrl("rtmp://a.example", "key")).toEqual({ problem: expect.stringContaining("application") });
  expect(targetUrl("rtmp://a.example/live", "a b")).toEqual({
    problem: expect.stringContaining("no spaces"),
  });
});

test("what is shown of a target never holds its key", () => {
  expect(targetPlace("rtmps://user:pw@a.example:4433/live/secret-key")).toBe("a.example:4433/live");
  expect(targetPlace("rtmp://a.example")).toBe("a.example");
  expect(targetPlace("rtmp://a.example/live/••••")).toBe("a.example/live");
  expect(targetPlace("rtmp://a.example/••••")).toBe("a.example");
  expect(targetPlace("nonsense")).toBe("");
});

test("every preset with a server makes a URL", () => {
  for (const { server } of TARGET_PRESETS.filter((preset) => preset.server !== "")) {
    expect(targetUrl(server, "key")).toHaveProperty("url");
  }
});
