/** Finds Firefox and the sound server that it needs on a machine without a sound card, and installs them where that needs nobody's leave. */
import { existsSync } from "node:fs";
import { StartError } from "../start/start-error.mjs";
import { aptInstall } from "./apt-install.mjs";

const PLACES = ["/usr/bin/firefox-esr", "/usr/bin/firefox"];
const SOUND_SERVER = "/usr/bin/pulseaudio";

/** Path of a Firefox that is there, or undefined. FIREFOX_PATH comes first. @returns {string | undefined} */
export function findFirefox() {
  const given = process.env.FIREFOX_PATH;
  if (given !== undefined && given !== "") {
    if (!existsSync(given))
      throw new StartError(`FIREFOX_PATH=${given} does not exist: name the Firefox binary.`);
    return given;
  }
  return PLACES.find((place) => existsSync(place));
}

/**
 * Path of Firefox, installed first where it is missing and may be.
 * @param {(line: string) => void} print
 * @returns {Promise<string>}
 * @throws {StartError} that says what to install
 */
export async function ensureFirefox(print) {
  if (findFirefox() === undefined) await aptInstall("firefox-esr", print);
  if (!existsSync(SOUND_SERVER)) await aptInstall("pulseaudio", print);
  const found = findFirefox();
  if (found !== undefined && existsSync(SOUND_SERVER)) return found;
  throw new StartError(
    "The browser tests need Firefox and PulseAudio: install them (Debian: apt-get install firefox-esr pulseaudio), or name Firefox's binary in FIREFOX_PATH.",
  );
}
