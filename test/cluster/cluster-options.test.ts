import { expect, it } from "vitest";
import { clusterHelp, readClusterOptions } from "./cluster-options.ts";

it("is the world as it is without options", () => {
  expect(readClusterOptions([])).toEqual({ port: 3_000, loss: 0, rttMs: undefined });
});

it("takes values behind a space or an equals sign", () => {
  expect(readClusterOptions(["--loss", "2.5", "--rtt=80", "--port", "0"])).toEqual({
    port: 0,
    loss: 0.025,
    rttMs: 80,
  });
});

it.each([
  [["--los", "5"], "There is no option --los: --help lists those there are."],
  [["loss", "5"], "There is no option loss: --help lists those there are."],
  [["--loss"], '--loss takes a number from 0 to 99, not "".'],
  [["--loss", "many"], '--loss takes a number from 0 to 99, not "many".'],
  [["--port", "3.5"], '--port takes a number from 0 to 65534, not "3.5".'],
])("%j is refused", (args, sentence) => {
  expect(() => readClusterOptions(args)).toThrow(sentence);
});

it("lists its options", () => {
  expect(clusterHelp()).toContain("  --rtt 0..10000");
});
