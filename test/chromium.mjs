/** Finds Chromium, and installs it where that needs nobody's leave. Elsewhere says what to install. */
import { existsSync } from "node:fs";
import { StartError } from "../start/start-error.mjs";
import { aptInstall } from "./apt-install.mjs";

const PLACES = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/snap/bin/chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
];

/** Path of a Chromium that is there, or undefined. CHROMIUM_PATH comes first. @returns {string | undefined} */
export function findChromium() {
  const given = process.env.CHROMIUM_PATH;
  if (given !== undefined && given !== "") {
    if (!existsSync(given))
      throw new StartError(`CHROMIUM_PATH=${given} does not exist: name the Chromium binary.`);
    return given;
  }
  return PLACES.find((place) => existsSync(place));
}

/**
 * Path of Chromium, installed first where it is missing and may be.
 * @param {(line: string) => void} print
 * @returns {Promise<string>}
 * @throws {StartError} that says what to install
 */
export async function ensureChromium(print) {
  const found = findChromium();
  if (found !== undefined) return found;
  if (await aptInstall("chromium", print)) {
    const installed = findChromium();
    if (installed !== undefined) return installed;
  }
  throw new StartError(
    "The browser tests need Chromium or Chrome: install it (Debian: apt-get install chromium) or name its binary in CHROMIUM_PATH.",
  );
}
