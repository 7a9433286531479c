/** Counts are what the tools' reports say, and a run that went wrong outside of its tests is never a pass. */
import { describe, expect, it } from "vitest";
import { readJunitReport, readVitestReport } from "./reports.mjs";

describe("vitest", () => {
  const report = (...files: { status: string; tests: string[] }[]) =>
    JSON.stringify({
      testResults: files.map(({ status, tests }) => ({
        status,
        assertionResults: tests.map((test) => ({ status: test })),
      })),
    });

  it("passed, failed, and everything else as skipped", () => {
    const text = report({ status: "failed", tests: ["passed", "failed", "pending", "todo", "skipped"] });
    expect(readVitestReport(text, 1)).toEqual({ passed: 1, failed: 1, skipped: 3 });
  });

  it("a file that does not load is a failure", () => {
    const text = report({ status: "failed", tests: [] }, { status: "passed", tests: ["passed"] });
    expect(readVitestReport(text, 1)).toEqual({ passed: 1, failed: 1, skipped: 0 });
  });

  it("a run that failed outside of its tests is a failure", () => {
    expect(readVitestReport(report({ status: "passed", tests: ["passed"] }), 1)).toEqual({
      passed: 1,
      failed: 1,
      skipped: 0,
    });
  });
});

describe("deno test", () => {
  const xml = `<?xml version="1.0"?>
    <testsuites name="deno test" tests="7" failures="2" errors="0" time="0.1">
      <testsuite name="./a.deno-test.ts" tests="4" disabled="1" errors="0" failures="1"><testcase/></testsuite>
      <testsuite name="./b.deno-test.ts" tests="3" disabled="0" errors="1" failures="0"></testsuite>
    </testsuites>`;

  it("sums its suites", () => {
    expect(readJunitReport(xml, 1)).toEqual({ passed: 4, failed: 2, skipped: 1 });
  });

  it("a run that failed outside of its tests is a failure", () => {
    expect(readJunitReport('<testsuite tests="2" failures="0">', 1)).toEqual({
      passed: 2,
      failed: 1,
      skipped: 0,
    });
  });
});
