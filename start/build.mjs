/**
 * Builds the web client (client/ -> client/dist) with Vite, when it is missing or older than its sources.
 * By hand: `npm run build`, which always builds.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ROOT, runtimeArguments } from "./dependencies.mjs";
import { StartError } from "./start-error.mjs";

/** Everything that ends up in the client; a change to any of it makes the build stale. */
const SOURCES = ["client", "core", "package-lock.json", "vite.config.ts"];
/** Where the built client lies. */
const CLIENT_DIST = join(ROOT, "client", "dist");
const STAMP = join(CLIENT_DIST, ".built-from");

/** Names, sizes and times of all sources as one hash, so that a deleted file counts as a change too. */
function fingerprint() {
  const hash = createHash("sha256");
  /** @param {string} path */
  const visit = (path) => {
    const absolute = join(ROOT, path);
    if (!existsSync(absolute)) return;
    const stat = statSync(absolute);
    if (stat.isDirectory()) {
      if (/(^|\/)(dist(-\w+)?|node_modules)$/.test(path)) return;
      for (const name of readdirSync(absolute).sort()) visit(`${path}/${name}`);
    } else if (!/\.(contract|test|deno-test)\.ts$|\.md$/.test(path)) {
      hash.update(`${path} ${stat.size} ${stat.mtimeMs}\n`);
    }
  };
  for (const source of SOURCES) visit(source);
  return hash.digest("hex");
}

/** True when client/dist is not what the sources would give. */
function clientIsStale() {
  return (
    !existsSync(STAMP) ||
    !existsSync(join(CLIENT_DIST, "index.html")) ||
    readFileSync(STAMP, "utf8") !== fingerprint()
  );
}

/**
 * Builds the client, saying so on standard error.
 * @throws {StartError} when Vite fails; its output has been shown by then
 */
function buildClient() {
  const before = fingerprint();
  process.stderr.write("Building the web client...\n");
  const vite = join(ROOT, "node_modules", "vite", "bin", "vite.js");
  const config = join(ROOT, "client", "vite.config.ts");
  const result = spawnSync(
    process.execPath,
    [...runtimeArguments(vite), "build", "--config", config, "--logLevel", "warn", "--emptyOutDir"],
    // Under a test runner NODE_ENV is "test", with which Vite would bundle the slower development build of Lit.
    {
      cwd: ROOT,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NODE_ENV: "production" },
    },
  );
  if (result.status !== 0) {
    process.stderr.write(`${result.stdout}${result.stderr}`);
    throw new StartError(
      "Could not build the web client: mend what Vite says above, then run `npm run build`.",
    );
  }
  writeFileSync(STAMP, before);
}

export function ensureClient() {
  if (clientIsStale()) buildClient();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    buildClient();
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
