import { describe, expect, it } from "vitest";
import { parseTargetUrl, TargetGuard, TargetRefusedError } from "./target-address.ts";

describe("parseTargetUrl", () => {
  it("takes the key from behind the last slash, the query with it", () => {
    expect(parseTargetUrl("rtmp://a.example.org/live/abc-123")).toEqual({
      secure: false,
      host: "a.example.org",
      port: 1935,
      app: "live",
      streamKey: "abc-123",
      tcUrl: "rtmp://a.example.org/live",
    });
    expect(parseTargetUrl("RTMPS://Live.Example.org:4443/app/inst/key?token=a/b?c")).toEqual({
      secure: true,
      host: "live.example.org",
      port: 4443,
      app: "app/inst",
      streamKey: "key?token=a/b?c",
      tcUrl: "rtmps://live.example.org:4443/app/inst",
    });
    expect(parseTargetUrl("rtmps://h/rtmp/FB-1-0?s_bl=1").port).toBe(443);
    expect(parseTargetUrl("rtmp://[2001:DB8::1]:1936/live/k")).toMatchObject({
      host: "2001:db8::1",
      tcUrl: "rtmp://[2001:db8::1]:1936/live",
    });
  });

  it.each([
    "http://a/live/k",
    "rtmp://a",
    "rtmp://a/",
    "rtmp://a/live",
    "rtmp://a/live/",
    "rtmp://a//k",
    "rtmp://user:pass@a/live/k",
    "rtmp://a:0/live/k",
    "rtmp://a:65536/live/k",
    "rtmp://a b/live/k",
    "rtmp://a/live/k\r\nx",
    "rtmp://-a/live/k",
    "rtmp://a/live/k#x",
    `rtmp://a/live/${"k".repeat(1025)}`,
  ])("refuses %j with a sentence that keeps the key to itself", (url) => {
    expect(() => parseTargetUrl(url)).toThrow(TargetRefusedError);
    expect(() => parseTargetUrl(url)).toThrow(/^(?!.*(pass|kkk)).*\.$/);
  });
});

describe("TargetGuard", () => {
  const names: Record<string, string[]> = {
    "public.example.org": ["8.8.8.8", "2a00:1450::1"],
    "inside.example.org": ["10.0.0.7"],
    "both.example.org": ["127.0.0.1", "::1", "8.8.4.4"],
    "2130706433": ["127.0.0.1"],
    "scoped.example.org": ["fe80::1%eth0"],
    "none.example.org": [],
  };
  const resolve = async (host: string): Promise<string[]> =>
    names[host] ?? Promise.reject(new Error("no such host"));

  it("gives public addresses, and leaves out the others of the same name", async () => {
    const guard = new TargetGuard(resolve);
    expect(await guard.addressesOf("public.example.org")).toEqual(["8.8.8.8", "2a00:1450::1"]);
    expect(await guard.addressesOf("both.example.org")).toEqual(["8.8.4.4"]);
    expect(await guard.addressesOf("8.8.8.8")).toEqual(["8.8.8.8"]);
  });

  it.each(["inside.example.org", "127.0.0.1", "::1", "::ffff:10.0.0.1", "2130706433", "scoped.example.org"])(
    "keeps us from %s",
    (host) => expect(new TargetGuard(resolve).addressesOf(host)).rejects.toThrow(TargetRefusedError),
  );

  it("tells a host that cannot be found from one that is not allowed", async () => {
    const guard = new TargetGuard(resolve);
    await expect(guard.addressesOf("nowhere.example.org")).rejects.toThrow("no such host");
    await expect(guard.addressesOf("none.example.org")).rejects.not.toThrow(TargetRefusedError);
  });

  it("goes where it is told that it may, by name, address and network", async () => {
    const guard = new TargetGuard(resolve, ["Inside.example.org", "127.0.0.0/8", "::1"]);
    expect(await guard.addressesOf("inside.example.org")).toEqual(["10.0.0.7"]);
    expect(await guard.addressesOf("both.example.org")).toEqual(["127.0.0.1", "::1", "8.8.4.4"]);
    await expect(guard.addressesOf("10.0.0.7")).rejects.toThrow(TargetRefusedError);
    expect(() => new TargetGuard(resolve, ["10.0.0.0/40"])).toThrow(/10\.0\.0\.0\/40/);
  });
});
