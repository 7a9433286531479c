import { describe, expect, test } from "vitest";
import { EtcdSettingsError, readEtcdSettings } from "./etcd-settings.ts";

const URLS = "http://10.0.0.1:2379";

describe("etcd settings", () => {
  test("without any there is no etcd", () => {
    expect(readEtcdSettings({})).toBeUndefined();
    expect(readEtcdSettings({ TRIBUTARY_ETCD: "" })).toBeUndefined();
  });

  test("endpoints, user and prefix are read, with defaults for what is left out", () => {
    expect(readEtcdSettings({ TRIBUTARY_ETCD: URLS })).toEqual({
      endpoints: [URLS],
      user: undefined,
      prefix: "tributary/",
    });
    expect(
      readEtcdSettings({
        TRIBUTARY_ETCD: " https://a.example.org:2379/ , https://[::1]:2379,http://proxy/etcd/,",
        TRIBUTARY_ETCD_USER: "trib",
        TRIBUTARY_ETCD_PASSWORD: "p,w",
        TRIBUTARY_ETCD_PREFIX: "live:",
      }),
    ).toEqual({
      endpoints: ["https://a.example.org:2379", "https://[::1]:2379", "http://proxy/etcd"],
      user: { name: "trib", password: "p,w" },
      prefix: "live:",
    });
  });

  test.each<[string, Record<string, string>, RegExp]>([
    ["no URL", { TRIBUTARY_ETCD: "10.0.0.1:2379" }, /^TRIBUTARY_ETCD: entry 1 .*write http/],
    ["another protocol", { TRIBUTARY_ETCD: `${URLS},etcd://x` }, /^TRIBUTARY_ETCD: entry 2 /],
    ["a password in a URL", { TRIBUTARY_ETCD: "http://u:hunter2@x:2379" }, /^TRIBUTARY_ETCD: entry 1 /],
    ["a query", { TRIBUTARY_ETCD: `${URLS}/?a=b` }, /^TRIBUTARY_ETCD: entry 1 /],
    ["commas only", { TRIBUTARY_ETCD: ", ," }, /^TRIBUTARY_ETCD has 0 URLs/],
    ["too many", { TRIBUTARY_ETCD: Array(33).fill(URLS).join() }, /^TRIBUTARY_ETCD has 33 URLs/],
    ["a user alone", { TRIBUTARY_ETCD: URLS, TRIBUTARY_ETCD_USER: "u" }, /belong together/],
    ["a password alone", { TRIBUTARY_ETCD: URLS, TRIBUTARY_ETCD_PASSWORD: "hunter2" }, /belong together/],
    ["a user of no etcd", { TRIBUTARY_ETCD_USER: "u" }, /^TRIBUTARY_ETCD is not set although/],
    ["a prefix of no etcd", { TRIBUTARY_ETCD_PREFIX: "x" }, /^TRIBUTARY_ETCD is not set although/],
    [
      "a prefix with a space",
      { TRIBUTARY_ETCD: URLS, TRIBUTARY_ETCD_PREFIX: "a b" },
      /^TRIBUTARY_ETCD_PREFIX/,
    ],
  ])("%s is one line that names the variable and no secret", (_what, env, line) => {
    let message = "";
    try {
      readEtcdSettings(env);
    } catch (error) {
      expect(error).toBeInstanceOf(EtcdSettingsError);
      message = (error as Error).message;
    }
    expect(message).toMatch(line);
    expect(message).not.toMatch(/hunter2|\n/);
  });
});
