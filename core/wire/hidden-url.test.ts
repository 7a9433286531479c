import { describe, expect, test } from "vitest";
import type { OutputSpec } from "./bridge-jobs.ts";
import { hiddenUrl, withoutKeys } from "./hidden-url.ts";

describe("hiddenUrl", () => {
  test.each([
    ["rtmp://a.example.org/live/key", "rtmp://a.example.org/live/••••"],
    ["rtmps://a.example.org:443/rtmp/key?s=1&x=2", "rtmps://a.example.org:443/rtmp/••••"],
    ["rtmp://a.example.org/live/instance/key", "rtmp://a.example.org/live/••••"],
    ["rtmp://a.example.org/live?auth=key", "rtmp://a.example.org/••••"],
    ["rtmp://a.example.org/key", "rtmp://a.example.org/••••"],
    ["rtmp://a.example.org/key/", "rtmp://a.example.org/••••"],
    ["rtmp://a.example.org", "rtmp://a.example.org/••••"],
    ["rtmp://user:password@a.example.org/live/key", "rtmp://a.example.org/live/••••"],
    ["rtmp://user:pass@word@a.example.org/live/key", "rtmp://a.example.org/live/••••"],
    ["rtmp://[2001:db8::1]:1935/live/key", "rtmp://[2001:db8::1]:1935/live/••••"],
    ["no address", "••••"],
  ])("%s", (url, hidden) => expect(hiddenUrl(url)).toBe(hidden));
});

describe("withoutKeys", () => {
  const rtmp = (...urls: string[]): OutputSpec => ({
    type: "rtmp",
    targets: urls.map((url) => ({ url })),
    picture: { mode: "speaker" },
    gainsDb: {},
  });

  test.each([
    ["rtmp://a.example.org/live/secret-1: refused", "rtmp://a.example.org/live/••••: refused"],
    ["publish of secret-1?a=token-22 failed", "publish of •••• failed"],
    ["secret-1 and secret-1 and token-22", "•••• and •••• and ••••"],
    ["the user is admin:hunter-22", "the user is ••••"],
    ["live/ is away", "live/ is away"],
    ["", ""],
  ])("%s", (sentence, hidden) => {
    const spec = rtmp(
      "rtmp://a.example.org/live/secret-1",
      "rtmp://admin:hunter-22@b.example.org/live/x",
      "rtmp://a.example.org/live/secret-1?a=token-22",
    );
    expect(withoutKeys(sentence, spec)).toBe(hidden);
  });

  test("other outputs have no keys", () => {
    const spec: OutputSpec = { type: "hls", picture: { mode: "none" }, gainsDb: {} };
    expect(withoutKeys("rtmp://a.example.org/live/secret-1", spec)).toBe(
      "rtmp://a.example.org/live/secret-1",
    );
  });
});
