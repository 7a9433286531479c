/** Reads the machine-readable reports of Vitest (JSON) and Deno (JUnit) into counts. */

/** @typedef {{passed: number, failed: number, skipped: number}} Counts */

/**
 * Counts of a Vitest JSON report. A file that could not be loaded has no tests to count and counts as one failure, and
 * so does a run that failed outside of its tests (an unhandled rejection).
 * @param {string} json
 * @param {number} exitCode of the run
 * @returns {Counts}
 */
export function readVitestReport(json, exitCode) {
  const report = JSON.parse(json);
  /** @type {Counts} */
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const file of report.testResults) {
    for (const test of file.assertionResults) {
      if (test.status === "passed") counts.passed++;
      else if (test.status === "failed") counts.failed++;
      else counts.skipped++;
    }
    if (file.status === "failed" && !file.assertionResults.some(isFailed)) counts.failed++;
  }
  return withExitCode(counts, exitCode);
}

/**
 * Counts of a JUnit report as `deno test` writes it.
 * @param {string} xml
 * @param {number} exitCode of the run
 * @returns {Counts}
 */
export function readJunitReport(xml, exitCode) {
  /** @type {Counts} */
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const [, attributes = ""] of xml.matchAll(/<testsuite\s([^>]*)>/g)) {
    const bad = attribute(attributes, "failures") + attribute(attributes, "errors");
    const skipped = attribute(attributes, "disabled") + attribute(attributes, "skipped");
    counts.failed += bad;
    counts.skipped += skipped;
    counts.passed += attribute(attributes, "tests") - bad - skipped;
  }
  return withExitCode(counts, exitCode);
}

/** @param {{status: string}} test */
function isFailed(test) {
  return test.status === "failed";
}

/** @param {string} attributes @param {string} name */
function attribute(attributes, name) {
  return Number(new RegExp(`(?:^|\\s)${name}="(\\d+)"`).exec(attributes)?.[1] ?? 0);
}

/** @param {Counts} counts @param {number} exitCode @returns {Counts} */
function withExitCode(counts, exitCode) {
  return exitCode !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}
