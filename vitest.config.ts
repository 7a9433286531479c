/** The test suites, one project each, as test/stages.mjs runs them; `npx vitest run <path>` runs any file by itself. */
import { configDefaults, defineConfig } from "vitest/config";

const away = [...configDefaults.exclude, "**/dist/**"];
/** Suites with a stage of their own; every other *.test.ts is a unit test. */
const ownStage = [
  "test/house/**",
  "test/sim/**",
  "test/e2e/**",
  "test/etcd/**",
  "test/bridge/**",
  "gateway/runtimes/**",
  "**/chromium.test.ts",
];

export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["**/*.test.ts"],
          exclude: [...away, ...ownStage],
          // Files share what they import: loading it anew for each was half of the time.
          isolate: false,
        },
      },
      { extends: true, test: { name: "house", include: ["test/house/**/*.test.ts"] } },
      { extends: true, test: { name: "simulation", include: ["test/sim/**/*.test.ts"] } },
      {
        extends: true,
        // Most of a test's time is waiting for leases.
        test: { name: "etcd", include: ["test/etcd/**/*.test.ts"], maxConcurrency: 30 },
      },
      {
        extends: true,
        test: {
          name: "bridge",
          include: ["test/bridge/**/*.test.ts"],
          testTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: "gateway-runtimes",
          include: ["gateway/runtimes/**/*.test.ts"],
          fileParallelism: false,
        },
      },
      {
        extends: true,
        test: {
          name: "browser",
          include: ["test/e2e/**/*.test.ts", "**/chromium.test.ts"],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
