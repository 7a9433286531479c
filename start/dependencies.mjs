/**
 * Makes sure that the runtime, Node.js or Deno, is new enough and that the packages of package-lock.json are installed.
 * Plain JavaScript without imports beyond Node's own, because it runs before anything is there.
 */
import { spawnSync } from "node:child_process";
import { existsSync, rmSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { StartError } from "./start-error.mjs";

/** The project's folder. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

const OLDEST_NODE = [20, 19];
/** Older ones do not go by package-lock.json when they install. */
const OLDEST_DENO = [2, 9];
/** Made by Deno from package-lock.json when it installs. */
const DENO_LOCK = join(ROOT, "deno.lock");

/** True under `deno task start`. */
const IS_DENO = process.versions.deno !== undefined;

/**
 * @param {{node: string, deno?: string | undefined}} versions as in process.versions
 * @throws {StartError} when the runtime is too old
 */
export function checkRuntimeVersion({ node, deno } = process.versions) {
  const [name, version, oldest] =
    deno === undefined ? ["Node.js", node, OLDEST_NODE] : ["Deno", deno, OLDEST_DENO];
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = oldest;
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
    const how = deno === undefined ? "install a newer one from your package manager" : "run `deno upgrade`";
    throw new StartError(
      `Tributary needs ${name} ${oldest.join(".")} or newer, and this is ${version}: ${how}.`,
    );
  }
}

/** True when node_modules is missing or was made from an older package-lock.json, by npm or by Deno. */
function dependenciesAreStale() {
  const stamps = [join(ROOT, "node_modules", ".package-lock.json")];
  if (IS_DENO && existsSync(join(ROOT, "node_modules", ".deno"))) stamps.push(DENO_LOCK);
  const lockedMs = statSync(join(ROOT, "package-lock.json")).mtimeMs;
  return !stamps.some((stamp) => existsSync(stamp) && statSync(stamp).mtimeMs >= lockedMs);
}

/**
 * Installs what package-lock.json says when that has not been done. The installer's own progress goes to standard
 * error, so that standard output keeps to what the caller prints.
 * @throws {StartError} when it fails
 */
export function ensureDependencies() {
  if (!dependenciesAreStale()) return;
  if (IS_DENO) installWithDeno();
  else installWithNpm();
}

/** Deno makes its lock file anew out of package-lock.json, where there is none: so both install the same versions. */
function installWithDeno() {
  process.stderr.write("Installing dependencies (deno install), once...\n");
  rmSync(DENO_LOCK, { force: true });
  const options = { cwd: ROOT, stdio: /** @type {["ignore", 2, 2]} */ (["ignore", 2, 2]) };
  const result = spawnSync(process.execPath, ["install", "--quiet", `--lock=${DENO_LOCK}`], options);
  if (result.status !== 0) {
    // Half an installation must not be taken for a whole one the next time.
    rmSync(DENO_LOCK, { force: true });
    throw new StartError(
      "Could not install the dependencies: look at Deno's message above, then run `deno install --lock=deno.lock` by hand.",
    );
  }
}

function installWithNpm() {
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
 * Path of the Deno binary: the one that runs this, or the one that came with the npm package, whose own launcher
 * would stay between us and Deno and keep signals for itself.
 * @returns {string}
 */
export function denoExecutable() {
  if (IS_DENO) return process.execPath;
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

/**
 * Arguments that make this runtime (process.execPath) run a JavaScript file.
 * @param {string} file
 */
export function runtimeArguments(file) {
  return IS_DENO
    ? ["run", "-A", "--no-prompt", "--quiet", "--config", join(ROOT, "deno.json"), file]
    : [file];
}
