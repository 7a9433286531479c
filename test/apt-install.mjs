/** Installs what a test stage needs where that needs nobody's leave: with apt-get on Debian and Ubuntu, as root. */
import { spawnSync } from "node:child_process";
import { runCommand } from "./run-command.mjs";

const INSTALL_TIMEOUT_MS = 300_000;

/**
 * @param {string} pkg name of the Debian package, or several with spaces between
 * @param {(line: string) => void} print
 * @returns {Promise<boolean>} false when it could not be installed; why is printed where there is something to say
 */
export async function aptInstall(pkg, print) {
  if (process.getuid?.() !== 0 || spawnSync("apt-get", ["--version"]).status !== 0) return false;
  print(`  installing with apt-get, since it is missing: ${pkg}`);
  const options = { timeoutMs: INSTALL_TIMEOUT_MS, env: { DEBIAN_FRONTEND: "noninteractive" } };
  await runCommand("apt-get", ["update"], options);
  const install = await runCommand(
    "apt-get",
    ["install", "-y", "--no-install-recommends", ...pkg.split(" ")],
    options,
  );
  if (install.code !== 0) print(install.output.split("\n").slice(-8).join("\n"));
  return install.code === 0;
}
