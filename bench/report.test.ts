import { spawnSync } from "node:child_process";
import { afterEach, describe, expect, it, vi } from "vitest";
import { median, quantile, type Row, reportRow } from "./report.ts";

function printed(row: Omit<Row, "bench" | "row">): { ok: boolean; line: Record<string, unknown> } {
  let text = "";
  vi.spyOn(process.stdout, "write").mockImplementation((chunk) => {
    text += chunk;
    return true;
  });
  const ok = reportRow({ bench: "test", row: { seed: 1 }, ...row });
  return { ok, line: JSON.parse(text) };
}

afterEach(() => vi.restoreAllMocks());

describe("reportRow", () => {
  it("prints the object of the house rules, minima and magnitudes named apart", () => {
    const { ok, line } = printed({
      figures: { delayMs: 80, fps: 29.123456, offsetMs: -44 },
      target: { delayMs: "<= 80", fps: ">= 29", offsetMs: "+- 45" },
    });
    expect(ok).toBe(true);
    expect(line).toEqual({
      bench: "test",
      row: { seed: 1 },
      figures: { delayMs: 80, fps: 29.12, offsetMs: -44 },
      target: { delayMs: 80, fps: 29, offsetMs: 45 },
      compare: { fps: ">=", offsetMs: "+-" },
      ok: true,
    });
  });

  it.each([
    ["over a maximum", { x: 81 }, "<= 80"],
    ["under a minimum", { x: 28.9 }, ">= 29"],
    ["beyond a magnitude", { x: -46 }, "+- 45"],
    ["not measured", { x: null }, "<= 80"],
    ["not a number", { x: Number.NaN }, "<= 80"],
    ["not there", {}, "<= 80"],
  ] as const)("misses the target when %s", (_case, figures, x) => {
    const { ok, line } = printed({ figures, target: { x } });
    expect(ok).toBe(false);
    expect(line.ok).toBe(false);
  });

  it("has neither target nor ok where there is none", () => {
    expect(printed({ figures: { x: 1 } }).line).toEqual({
      bench: "test",
      row: { seed: 1 },
      figures: { x: 1 },
    });
  });
});

describe("quantiles", () => {
  it("interpolate, and do not exist for nothing", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(quantile([0, 10], 0.95)).toBeCloseTo(9.5);
    expect(median([])).toBeNull();
  });
});

describe("npm run bench", () => {
  const bench = (...args: string[]) =>
    spawnSync(process.execPath, ["bench/run.mjs", ...args], { encoding: "utf8" });

  it("lists the benchmarks when there is none of that name", () => {
    for (const args of [[], ["nothing"]]) {
      const { status, stdout, stderr } = bench(...args);
      expect(status).toBe(2);
      expect(stdout).toBe("");
      expect(stderr).toMatch(/^ {2}call +a call between two Chromium pages/m);
    }
  });

  it("refuses a wrong option in one line", () => {
    const unknown = bench("call", "--second", "5");
    expect(unknown.status).toBe(2);
    expect(unknown.stderr).toMatch(/^There is no option --second: this benchmark has --seconds, .*\n$/);
    const outside = bench("call", "--seconds", "x");
    expect(outside.status).toBe(2);
    expect(outside.stderr).toBe("--seconds takes a number from 2 to 3600, not x.\n");
  });
});
