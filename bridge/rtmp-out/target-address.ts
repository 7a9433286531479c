/**
 * Where an RTMP target is, and whether we may go there. URLs come from users, so a host is resolved once, what it resolves to
 * is judged, and the connection goes to that very address: a second resolution could say something else.
 */

import { type AddressRange, isPublic, isWithin, parseAddress, parseRange } from "./ip-address.ts";
import { MAX_ADDRESSES, MAX_ALLOWED_TARGETS, MAX_URL_PART_CHARS } from "./limits.ts";

/** A target's URL in its parts. */
export interface TargetUrl {
  secure: boolean;
  /** Name or address, lower case, without brackets. */
  host: string;
  port: number;
  /** Application name, the path but for its last part. */
  app: string;
  /** Last part of the path, with the query; secret. */
  streamKey: string;
  /** What `connect` calls itself by: the URL without the key. */
  tcUrl: string;
}

/** The target cannot be used as it is; trying again is of no use. `message` says what to change, and has no stream key in it. */
export class TargetRefusedError extends Error {
  override readonly name = "TargetRefusedError";
}

const URL_FORM =
  /^(rtmps?):\/\/(\[[0-9a-f:.]{2,45}\]|[a-z0-9_](?:[a-z0-9._-]{0,252}))(?::(\d{1,5}))?\/([^\s?#]*)(\?\S*)?$/i;

/** Throws TargetRefusedError. rtmp://host[:port]/app/key: the key is what stands behind the last slash of the path. */
export function parseTargetUrl(url: string): TargetUrl {
  const match = URL_FORM.exec(url);
  if (match === null) {
    throw new TargetRefusedError(
      "Write the target as rtmp://host/application/key or rtmps://host/application/key.",
    );
  }
  const [, scheme = "", bracketed = "", portText, path = "", query = ""] = match;
  const secure = scheme.toLowerCase() === "rtmps";
  const port = portText === undefined ? (secure ? 443 : 1935) : Number(portText);
  const slash = path.lastIndexOf("/");
  const app = path.slice(0, Math.max(0, slash));
  const key = path.slice(slash + 1);
  if (app === "" || key === "") {
    throw new TargetRefusedError(
      "The target's URL needs an application and a stream key: rtmp://host/application/key.",
    );
  }
  if (app.length > MAX_URL_PART_CHARS || key.length + query.length > MAX_URL_PART_CHARS) {
    throw new TargetRefusedError(
      `Application and stream key may have ${MAX_URL_PART_CHARS} characters each.`,
    );
  }
  if (port < 1 || port > 65_535)
    throw new TargetRefusedError("The target's port is not between 1 and 65535.");
  const host = bracketed.replace(/[[\]]/g, "").toLowerCase();
  const shownPort = portText === undefined ? "" : `:${port}`;
  const tcUrl = `${scheme.toLowerCase()}://${bracketed.toLowerCase()}${shownPort}/${app}`;
  return { secure, host, port, app, streamKey: key + query, tcUrl };
}

/** Addresses of a host, as text; rejects when it has none. */
export type Resolve = (host: string) => Promise<readonly string[]>;

export class TargetGuard {
  readonly #resolve: Resolve;
  readonly #hosts = new Set<string>();
  readonly #ranges: AddressRange[] = [];

  /** `allowed`: hosts ("nginx.internal"), addresses and networks ("10.1.0.0/16") that targets may be at although they are not public. Throws an Error that says which entry is neither. */
  constructor(resolve: Resolve, allowed: readonly string[] = []) {
    if (allowed.length > MAX_ALLOWED_TARGETS)
      throw new Error(`Allow at most ${MAX_ALLOWED_TARGETS} targets.`);
    this.#resolve = resolve;
    for (const entry of allowed) {
      const range = parseRange(entry);
      if (range !== undefined) this.#ranges.push(range);
      else if (/^[a-z0-9_][a-z0-9._-]*$/i.test(entry)) this.#hosts.add(entry.toLowerCase());
      else throw new Error(`The allowed target "${entry}" is neither a host nor a network like 10.1.0.0/16.`);
    }
  }

  /** Addresses that may be connected to, best first. Rejects with TargetRefusedError when there are only others, or with the resolver's error. */
  async addressesOf(host: string): Promise<string[]> {
    const addresses = parseAddress(host) === undefined ? await this.#resolve(host) : [host];
    if (addresses.length === 0) throw new Error(`${host} has no address.`);
    const allowed = addresses.slice(0, MAX_ADDRESSES).filter((address) => this.#isAllowed(host, address));
    if (allowed.length === 0) {
      throw new TargetRefusedError(
        `${host} is not on the public internet: have this bridge's operator add it to the allowed targets.`,
      );
    }
    return allowed;
  }

  #isAllowed(host: string, text: string): boolean {
    const address = parseAddress(text);
    if (address === undefined) return false;
    return (
      isPublic(address) || this.#hosts.has(host) || this.#ranges.some((range) => isWithin(address, range))
    );
  }
}
