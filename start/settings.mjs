/**
 * The environment of `npm start`, checked before anything is started. Plain JavaScript: read by start/main.mjs on
 * Node.js and by start/all-in-one.ts on Deno.
 */
import { readRetention } from "./retention-settings.mjs";
import { StartError } from "./start-error.mjs";

/** What a process without an environment gets. */
const DEFAULT_PORT = 8080;
const DEFAULT_RELAY_PORT = 4433;
/** Switches a port of the relay off. */
const OFF = "off";
const DEFAULT_HOST = "localhost";

/**
 * @typedef {object} Settings
 * @property {string} host as given; what the ready line shows
 * @property {string[]} bindAddresses addresses to listen on; the first must work, the rest may be missing on this machine
 * @property {string} relayBindAddress address of the relay's UDP port
 * @property {number} port HTTP port, 0 = any free one
 * @property {number | undefined} relayPort UDP port, 0 = any free one, undefined = none
 * @property {number | undefined} relayTcpPort TCP port for networks without UDP, 0 = any free one, undefined = none
 * @property {number | undefined} rtmpPort TCP port of RTMP senders, 0 = any free one; undefined = the usual one, or any if that is taken
 * @property {number} icecastPort TCP port of Icecast sources, 0 = any free one
 * @property {string[]} allowedTargets hosts and networks that RTMP targets may be at although they are not public
 * @property {{maxDays?: number, maxBytes?: number}} retention how long recordings are kept, and how much; for ever where nothing is said
 * @property {string | undefined} relayPublicUrl what browsers are told, when given; always ends in "/"
 * @property {string | undefined} relayTcpPublicUrl the same for the TCP port
 * @property {string} relayPublicHost host of that URL when it is not given
 * @property {string} stateFolder where keys and the certificate are kept, relative to the project
 */

/**
 * @param {Record<string, string | undefined>} environment
 * @returns {Settings}
 * @throws {StartError} that names the variable and says what it takes
 */
export function readSettings(environment) {
  const host = hostOf(environment.HOST);
  const everywhere = host === "0.0.0.0" || host === "::";
  const isLocal = host === "localhost" || everywhere;
  const relayPort = relayPortOf("RELAY_PORT", environment.RELAY_PORT, DEFAULT_RELAY_PORT);
  return {
    host,
    // Browsers try ::1 first for "localhost": somebody else's server there would get our visitors.
    bindAddresses: host === "localhost" ? ["127.0.0.1", "::1"] : [host],
    relayBindAddress: host === "localhost" ? "127.0.0.1" : host,
    port: portOf("PORT", environment.PORT, DEFAULT_PORT),
    relayPort,
    relayTcpPort: relayPortOf("RELAY_TCP_PORT", environment.RELAY_TCP_PORT, relayPort ?? DEFAULT_RELAY_PORT),
    rtmpPort: environment.RTMP_PORT ? portOf("RTMP_PORT", environment.RTMP_PORT, 0) : undefined,
    icecastPort: portOf("ICECAST_PORT", environment.ICECAST_PORT, 0),
    allowedTargets: (environment.BRIDGE_ALLOWED_TARGETS ?? "")
      .split(/[\s,]+/)
      .filter((entry) => entry !== ""),
    retention: readRetention(environment),
    relayPublicUrl: publicUrlOf("RELAY_PUBLIC_URL", environment.RELAY_PUBLIC_URL),
    relayTcpPublicUrl: publicUrlOf("RELAY_TCP_PUBLIC_URL", environment.RELAY_TCP_PUBLIC_URL),
    relayPublicHost: isLocal ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host,
    stateFolder: environment.TRIBUTARY_STATE || ".tributary",
  };
}

/** @param {string} name @param {string | undefined} value @param {number} fallback */
function portOf(name, value, fallback) {
  if (value === undefined || value === "") return fallback;
  const port = Number(value);
  if (!/^\d{1,5}$/.test(value) || port > 65_535) {
    throw new StartError(
      `${name}=${shown(value)} is not a port: use a number from 0 (any free port) to 65535.`,
    );
  }
  return port;
}

/** @param {string | undefined} value */
function hostOf(value) {
  if (value === undefined || value === "") return DEFAULT_HOST;
  const bare = value.replace(/^\[(.*)\]$/, "$1");
  const isName = /^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/.test(bare);
  const isIpv6 = /^[0-9A-Fa-f:.]{2,45}$/.test(bare) && bare.includes(":");
  if (!isName && !isIpv6) {
    throw new StartError(
      `HOST=${shown(value)} is not a host name or address: use for example localhost or 0.0.0.0.`,
    );
  }
  return bare;
}

/** @param {string} name @param {string | undefined} value @param {number} fallback */
function relayPortOf(name, value, fallback) {
  if (value === OFF) return undefined;
  try {
    return portOf(name, value, fallback);
  } catch {
    throw new StartError(
      `${name}=${shown(value ?? "")} is not a port: use a number from 0 (any free port) to 65535, or ${OFF}.`,
    );
  }
}

/** @param {string} name @param {string | undefined} value */
function publicUrlOf(name, value) {
  if (value === undefined || value === "") return undefined;
  const advice = "use an address such as https://relay.example.org:4433";
  if (!URL.canParse(value)) throw new StartError(`${name}=${shown(value)} is not a URL: ${advice}.`);
  const url = new URL(value);
  if (url.protocol !== "https:") {
    throw new StartError(`${name}=${shown(value)} must begin with https://: ${advice}.`);
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw new StartError(`${name} must not carry a user name, query or fragment: ${advice}.`);
  }
  return url.href;
}

/** @param {string} value */
function shown(value) {
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}...` : value);
}
