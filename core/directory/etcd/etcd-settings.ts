/** Which etcd, and as whom: read from the environment, the same for relays and gateways. */
import { z } from "zod";

export interface EtcdSettings {
  /** Base URLs without a slash at the end; at least one. */
  endpoints: readonly string[];
  user: { name: string; password: string } | undefined;
  /** All keys begin with it. */
  prefix: string;
}

/** `message` is one line: the variable, what is wrong with it, what to do. The password is never in it. */
export class EtcdSettingsError extends Error {
  override readonly name = "EtcdSettingsError";
}

const DEFAULT_PREFIX = "tributary/";
const MAX_ENDPOINTS = 32;
const endpoint = z.url({ protocol: /^https?$/ }).regex(/^https?:\/\/[^/?#@\s]+(\/[^?#@\s]*)?$/);

/** Undefined when no etcd is set. Throws EtcdSettingsError. */
export function readEtcdSettings(
  env: Readonly<Record<string, string | undefined>>,
): EtcdSettings | undefined {
  const { TRIBUTARY_ETCD: urls, TRIBUTARY_ETCD_USER: name, TRIBUTARY_ETCD_PASSWORD: password } = env;
  const prefix = env.TRIBUTARY_ETCD_PREFIX || DEFAULT_PREFIX;
  if (!urls) {
    if (!name && !password && !env.TRIBUTARY_ETCD_PREFIX) return undefined;
    throw new EtcdSettingsError(
      "TRIBUTARY_ETCD is not set although a user, password or prefix for it is: give its URLs, e.g. http://10.0.0.1:2379,http://10.0.0.2:2379",
    );
  }
  if (!/^[\x21-\x7e]{1,128}$/.test(prefix)) {
    throw new EtcdSettingsError(
      "TRIBUTARY_ETCD_PREFIX is not usable: give 1 to 128 ASCII characters without spaces, e.g. tributary/",
    );
  }
  if (!name !== !password) {
    throw new EtcdSettingsError(
      "TRIBUTARY_ETCD_USER and TRIBUTARY_ETCD_PASSWORD belong together: set both, or neither",
    );
  }
  return { endpoints: endpointsOf(urls), user: name && password ? { name, password } : undefined, prefix };
}

function endpointsOf(text: string): string[] {
  const urls = text
    .split(",")
    .map((url) => url.trim())
    .filter((url) => url !== "");
  urls.forEach((url, index) => {
    // The URL itself may hold a password, so it is named by its place.
    if (endpoint.safeParse(url).success) return;
    throw new EtcdSettingsError(
      `TRIBUTARY_ETCD: entry ${index + 1} is not the URL of an etcd; write http(s)://host:port, and user and password in TRIBUTARY_ETCD_USER and TRIBUTARY_ETCD_PASSWORD`,
    );
  });
  if (urls.length === 0 || urls.length > MAX_ENDPOINTS) {
    throw new EtcdSettingsError(`TRIBUTARY_ETCD has ${urls.length} URLs: give 1 to ${MAX_ENDPOINTS}`);
  }
  return urls.map((url) => url.replace(/\/+$/, ""));
}
