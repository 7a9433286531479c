/** Finds etcd for tests that run their own, and installs it where that needs nobody's leave. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { StartError } from "../start/start-error.mjs";
import { aptInstall } from "./apt-install.mjs";

const PLACES = ["/usr/bin/etcd", "/usr/local/bin/etcd", "/opt/homebrew/bin/etcd"];
const PACKAGE = "etcd-server";

/** Path of an etcd that is there, or undefined. ETCD_PATH comes first. @returns {string | undefined} */
function findEtcd() {
  const given = process.env.ETCD_PATH;
  if (given !== undefined && given !== "") {
    if (!existsSync(given)) throw new StartError(`ETCD_PATH=${given} does not exist: name the etcd binary.`);
    return given;
  }
  return PLACES.find((place) => existsSync(place));
}

/**
 * Path of etcd, installed first where it is missing and may be.
 * @param {(line: string) => void} print
 * @returns {Promise<string>}
 * @throws {StartError} that says what to install
 */
export async function ensureEtcd(print) {
  const found = findEtcd();
  if (found !== undefined) return found;
  if (await aptInstall(PACKAGE, print)) {
    // The package starts an etcd of the system, which nobody here asked for. Where there is no systemd, none runs.
    spawnSync("systemctl", ["disable", "--now", "etcd"]);
    const installed = findEtcd();
    if (installed !== undefined) return installed;
  }
  throw new StartError(
    `etcd is missing: install it (Debian: apt-get install ${PACKAGE}) or name its binary in ETCD_PATH.`,
  );
}
