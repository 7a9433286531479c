import { describe, expect, it } from "vitest";
import { streamAddress } from "./stream-address.ts";

describe("streamAddress", () => {
  it.each([
    ["publish name", "live", "KEY", "", "KEY"],
    ["publish name with a query of other things", "live", "KEY?bitrate=5", "", "KEY"],
    ["app's last part", "live/KEY", "", "", "KEY"],
    ["app's last part, with slashes", "/live/KEY/", "/", "", "KEY"],
    ["name's query", "live", "camera?key=KEY", "", "KEY"],
    ["app's query", "live?streamKey=KEY", "camera", "", "KEY"],
    ["tcUrl's query", "live", "camera", "rtmp://a.example.org/live?token=KEY", "KEY"],
    ["nothing", "live", "", "", ""],
    ["an empty query value", "live", "KEY?key=", "", "KEY"],
  ])("finds the key in the %s", (_where, app, name, tcUrl, key) => {
    expect(streamAddress(app, name, tcUrl)).toMatchObject({ app: "live", streamKey: key });
  });

  it("decodes queries, and keeps __proto__ a name like any other", () => {
    const { query, name } = streamAddress("live", "cam?__proto__=x&a=b%20c", "");
    expect(name).toBe("cam");
    expect(Object.entries(query)).toEqual([
      ["__proto__", "x"],
      ["a", "b c"],
    ]);
  });
});
