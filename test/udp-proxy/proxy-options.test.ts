/** What is typed at the proxy becomes two directions, or a sentence that says what is allowed. */
import { describe, expect, it } from "vitest";
import { NO_IMPAIRMENT } from "./impairment.ts";
import { ProxyOptionError, proxyHelp, readProxyOptions } from "./proxy-options.ts";

function read(line: string) {
  return readProxyOptions(line.split(" ").filter((word) => word !== ""));
}

describe("the proxy's options", () => {
  it("without any are a road without faults to a relay on its usual port", () => {
    expect(read("")).toEqual({
      to: 4433,
      listen: 15433,
      seed: 1,
      rebindEvery: 0,
      cutEvery: 0,
      up: NO_IMPAIRMENT,
      down: NO_IMPAIRMENT,
    });
  });

  it("hold for both ways", () => {
    const road = {
      delayMs: 40,
      jitterMs: 20,
      loss: 0.1,
      burstMs: 16,
      rateBps: 2_000_000,
      queueMs: 400,
      reorder: false,
    };
    const options = read("--loss 10 --rtt 80 --burst 16 --jitter 20 --rate 2mbit");
    expect(options.up).toEqual(road);
    expect(options.down).toEqual(road);
  });

  it("of one way go before those of both", () => {
    const { up, down } = read("--delay 10 --up-delay 30 --down-loss=5 --reorder --queue 100");
    expect([up.delayMs, down.delayMs, up.loss, down.loss]).toEqual([30, 10, 0, 0.05]);
    expect([up.reorder, down.reorder, up.queueMs, down.queueMs]).toEqual([true, true, 100, 100]);
  });

  it("say how often clients change their address", () => {
    expect(read("--rebind-every 10s --cut-every=2.5")).toMatchObject({ rebindEvery: 10, cutEvery: 2.5 });
  });

  it.each([
    ["500", 500_000],
    ["500kbit", 500_000],
    ["2.5Mbit", 2_500_000],
    ["1gbit", 1e9],
    ["0", 0],
  ])("a rate of %s is %d bits a second", (text, rateBps) => {
    expect(read(`--rate ${text}`).up.rateBps).toBe(rateBps);
  });

  it.each([
    ["--los 5", "There is no option --los: --help lists those there are."],
    ["5", "There is no option 5: --help lists those there are."],
    ["--loss", "--loss takes a value: --help says which."],
    ["--loss --rtt 5", "--loss takes a value: --help says which."],
    ["--loss 100", '--loss takes per cent from 0 to 99, not "100".'],
    ["--up-jitter -1", '--up-jitter takes ms from 0 to 10000, not "-1".'],
    ["--to 4433.5", '--to takes a UDP port from 1 to 65535, not "4433.5".'],
    ["--listen=", '--listen takes a UDP port from 0 to 65535, not "".'],
    ["--cut-every often", '--cut-every takes seconds from 0 to 86400, not "often".'],
    ["--rtt 80 --up-delay 5", "--rtt is the delay of both ways together: leave out --rtt or --up-delay."],
    ["--reorder=1", "There is no option --reorder=1: --help lists those there are."],
  ])("%s is refused in one line", (line, message) => {
    expect(() => read(line)).toThrow(new ProxyOptionError(message));
  });

  it.each(["2mb", "fast", "-5", "0.5", "1000gbit", "2toString"])("a rate of %s is refused", (text) => {
    expect(() => read(`--down-rate ${text}`)).toThrow(/^--down-rate takes a rate from 1kbit to 100gbit/);
  });

  it("are all in the help", () => {
    for (const name of [
      "to",
      "listen",
      "seed",
      "rebind-every",
      "cut-every",
      "delay",
      "rtt",
      "jitter",
      "loss",
      "burst",
      "rate",
      "queue",
    ])
      expect(proxyHelp()).toContain(`--${name} `);
  });
});
