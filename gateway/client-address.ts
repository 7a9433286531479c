/**
 * Where a request comes from, for the rate limit. Each runtime says it in its own way, in the second
 * argument of `app.fetch`; X-Forwarded-For is believed only when the operator says that a proxy is in front.
 */

/** Undefined: the runtime does not say; such requests share one bucket. */
export type ClientAddress = (request: Request, env: unknown) => string | undefined;

/** `app.fetch(request, info)` as Deno.serve hands it out. */
export const addressFromDeno: ClientAddress = (_request, env) =>
  (env as { remoteAddr?: { hostname?: string } } | undefined)?.remoteAddr?.hostname;

/** `app.fetch(request, { incoming, outgoing })` as @hono/node-server hands it out. */
export const addressFromNode: ClientAddress = (_request, env) =>
  (env as { incoming?: { socket?: { remoteAddress?: string } } } | undefined)?.incoming?.socket
    ?.remoteAddress;

/** Cloudflare's edge sets this header and overwrites what a client sent. Right on Workers only. */
export const addressFromWorkers: ClientAddress = (request) =>
  request.headers.get("cf-connecting-ip") ?? undefined;

/** The entry that our own proxy added is the last; those before it are the client's word. */
export function forwardedAddress(request: Request): string | undefined {
  const entries = request.headers.get("x-forwarded-for")?.split(",") ?? [];
  return entries.at(-1)?.trim() || undefined;
}

const V4_IN_V6 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

const UNKNOWN_BUCKET = "unknown";

/** Bucket of an address: IPv4 as it is, IPv6 by its /64, because one subscriber owns at least that much. */
export function addressBucket(address: string | undefined): string {
  if (!address) return UNKNOWN_BUCKET;
  const mapped = V4_IN_V6.exec(address)?.[1];
  if (mapped) return mapped;
  if (!address.includes(":")) return address.slice(0, 64);
  const bare = (address.split("%")[0] ?? "").replace(/^\[|\]$/g, "").toLowerCase();
  const [head = "", tail] = bare.split("::");
  const front = head === "" ? [] : head.split(":");
  const back = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - front.length - back.length);
  const groups = [...front, ...Array<string>(zeros).fill("0"), ...back].slice(0, 4);
  return `${groups.map((group) => group.replace(/^0+(?=.)/, "").slice(0, 4)).join(":")}::/64`;
}

/** Which bucket a request counts against. */
export type CallerBucket = (request: Request, env: unknown) => string;

/** @param trustProxy X-Forwarded-For is written by a proxy of the operator's */
export function callerBucket(clientAddress: ClientAddress, trustProxy: boolean): CallerBucket {
  return (request, env) => {
    const told = trustProxy ? forwardedAddress(request) : undefined;
    return addressBucket(told ?? clientAddress(request, env));
  };
}

const NETWORK_NAME_BYTES = 9;

/**
 * A name of the network that a caller comes from, for what its client remembers of networks: the same each time, and
 * no address to read. "" where the address is not known.
 */
export async function networkName(bucket: string): Promise<string> {
  if (bucket === UNKNOWN_BUCKET) return "";
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`network ${bucket}`));
  const bytes = new Uint8Array(digest, 0, NETWORK_NAME_BYTES);
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_");
}
