import process from "node:process";
import { describe, expect, test } from "vitest";
import { seededRandom } from "../../test/sim/seeded-random.ts";
import { type OutputSpec, outputSpecSchema } from "./bridge-jobs.ts";
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
    const spec: OutputSpec = { type: "hls", picture: { mode: "none" }, gainsDb: {}, opus: false };
    expect(withoutKeys("rtmp://a.example.org/live/secret-1", spec)).toBe(
      "rtmp://a.example.org/live/secret-1",
    );
  });
});

/** More: HIDDEN_URL_FUZZ=1000000 npx vitest run core/wire/hidden-url.test.ts */
describe("made-up addresses", () => {
  const rounds = Number(process.env.HIDDEN_URL_FUZZ ?? 5_000);
  const SECRET = "s3cr3t-key";
  const pieces = [
    "/",
    "//",
    "?",
    "&",
    "=",
    "#",
    "@",
    ":",
    "%2F",
    "app",
    "live",
    ".",
    "..",
    "\\",
    " ",
    "é",
    SECRET,
  ];

  test("that the schema takes never show the key, wherever in the address it stands", () => {
    const seed = 11;
    const random = seededRandom(seed);
    const any = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
    const tail = (): string => Array.from({ length: Math.floor(random() * 8) }, () => any(pieces)).join("");
    let taken = 0;
    for (let round = 0; round < rounds; round++) {
      const user = any(["", "", `user:${SECRET}@`, `${SECRET}@`]);
      const app = any(["", "live/", "app/instance/"]);
      const url = `${any(["rtmp", "rtmps", "RTMP"])}://${user}${any(["a.example.org", "[::1]:1935", "10.0.0.1"])}/${app}${SECRET}${tail()}`;
      const spec = outputSpecSchema.safeParse({ type: "rtmp", targets: [{ url }] });
      if (!spec.success) continue;
      taken += 1;
      // The first piece of several is the application, which is no secret.
      const path = url.replace(/^[^/]*\/\/[^/?#]*\/?/, "");
      if (new RegExp(`^${SECRET}[^/?#]*/+[^?#]*[^/?#]`).test(path)) continue;
      expect(hiddenUrl(url), `seed ${seed}: ${url}`).not.toContain(SECRET);
      const said = withoutKeys(`the target ${url} refused`, spec.data);
      expect(said, `seed ${seed}: ${url}`).not.toContain(SECRET);
    }
    expect(taken).toBeGreaterThan(rounds / 4);
  });
});
