/**
 * How long recordings are kept, by the environment: of `npm start` and of a bridge by itself alike. Plain JavaScript, as
 * start/settings.mjs is.
 */
import { StartError } from "./start-error.mjs";

const MAX_DAYS = 36_500;

/**
 * What is left out is kept for ever.
 * @param {Record<string, string | undefined>} environment
 * @returns {{maxDays?: number, maxBytes?: number}}
 * @throws {StartError} that names the variable and says what it takes
 */
export function readRetention({ BRIDGE_KEEP_DAYS: days, BRIDGE_KEEP_BYTES: bytes }) {
  return {
    ...(days ? { maxDays: wholeOf("BRIDGE_KEEP_DAYS", days, MAX_DAYS) } : {}),
    ...(bytes ? { maxBytes: wholeOf("BRIDGE_KEEP_BYTES", bytes, Number.MAX_SAFE_INTEGER) } : {}),
  };
}

/** None of it would delete every recording as it ends. @param {string} name @param {string} value @param {number} max */
function wholeOf(name, value, max) {
  const number = Number(value);
  if (/^\d{1,16}$/.test(value) && number >= 1 && number <= max) return number;
  const shown = JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}...` : value);
  throw new StartError(
    `${name}=${shown} is not usable: use a whole number from 1 to ${max}, or leave it out to keep recordings for ever.`,
  );
}
