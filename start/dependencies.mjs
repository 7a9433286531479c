/**
 * Makes sure that Node.js is new enough and that the packages of package-lock.json are installed. Plain JavaScript
 * without imports beyond Node's own, because it runs before anything is there.
 */
import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { StartError } from "./start-error.mjs";

/** The project's folder. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

const OLDEST_NODE = [20, 19];

/**
 * @param {string} version as in process.versions.node
 * @throws {StartError} when it is too old
 */
export function checkNodeVersion(version = process.versions.node) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST_NODE;
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
    throw new StartError(
      `Tributary needs Node.js ${OLDEST_NODE.join(".")} or newer, and this is ${version}: install a newer one from your package manager.`,
    );
  }
}

/** True when node_modules is missing or was made from an older package-lock.json. */
function dependenciesAreStale(root = ROOT) {
  const installed = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(installed)) return true;
  return statSync(installed).mtimeMs < statSync(join(root, "package-lock.json")).mtimeMs;
}

/**
 * Installs what package-lock.json says when that has not been done. npm's own progress goes to standard error, so that
 * standard output keeps to what the caller prints.
 * @throws {StartError} when npm fails
 */
export function ensureDependencies() {
  if (!dependenciesAreStale()) return;
  process.stderr.write("Installing dependencies (npm ci), once...\n");
  const npmArguments = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
  const npmScript = process.env.npm_execpath;
  // An npm script knows which npm runs it; otherwise the one on the PATH does (a shell script on Windows).
  const result =
    npmScript?.endsWith(".js") === true
      ? spawnSync(process.execPath, [npmScript, ...npmArguments], { cwd: ROOT, stdio: ["ignore", 2, 2] })
      : spawnSync("npm", npmArguments, {
          cwd: ROOT,
          stdio: ["ignore", 2, 2],
          shell: process.platform === "win32",
        });
  if (result.status !== 0) {
    throw new StartError(
      "Could not install the dependencies: look at npm's message above, then run `npm ci` by hand.",
    );
  }
}

/**
 * Path of the Deno binary that came with the npm package. Its own launcher would stay between us and Deno and keep
 * signals for itself.
 * @returns {string}
 */
export function denoExecutable() {
  const require = createRequire(import.meta.url);
  try {
    return require("deno/install_api.cjs").runInstall();
  } catch (error) {
    const why = error instanceof Error ? error.message.split("\n")[0] : String(error);
    throw new StartError(
      `Deno has no build for this system (${why}): Tributary runs on Linux, macOS and Windows, x64 or arm64.`,
    );
  }
}
