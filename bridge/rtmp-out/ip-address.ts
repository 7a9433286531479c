/**
 * IP addresses as bytes, and which of them are somewhere on the public internet. IPv4 is kept as IPv4-mapped IPv6 (RFC 4291, 2.5.5.2),
 * so that one comparison serves both and a mapped address is judged like the one inside it.
 */

/** An address range: the first `bits` bits of `address` say who belongs. */
export interface AddressRange {
  address: Uint8Array;
  bits: number;
}

/** 16 bytes of "192.0.2.1", "2001:db8::1" or "::ffff:192.0.2.1"; undefined for anything else. Zones (%eth0) are not addresses. */
export function parseAddress(text: string): Uint8Array | undefined {
  return text.includes(":") ? parseV6(text) : parseV4(text);
}

/** "10.0.0.0/8", "fd00::/8", or one address; undefined for anything else. */
export function parseRange(text: string): AddressRange | undefined {
  const [host = "", length, ...rest] = text.split("/");
  const address = parseAddress(host);
  if (address === undefined || rest.length > 0) return undefined;
  const isV4 = !host.includes(":");
  const longest = isV4 ? 32 : 128;
  if (length !== undefined && !/^\d{1,3}$/.test(length)) return undefined;
  const own = length === undefined ? longest : Number(length);
  if (own > longest) return undefined;
  return { address, bits: isV4 ? own + 96 : own };
}

export function isWithin(address: Uint8Array, range: AddressRange): boolean {
  const whole = range.bits >> 3;
  for (let at = 0; at < whole; at++) if (address[at] !== range.address[at]) return false;
  const rest = range.bits & 7;
  if (rest === 0) return true;
  const mask = (0xff << (8 - rest)) & 0xff;
  return (address[whole]! & mask) === (range.address[whole]! & mask);
}

/** It leads to somebody on the internet: not private, local, shared, multicast, reserved, or a tunnel to what is. */
export function isPublic(address: Uint8Array): boolean {
  if (isWithin(address, TRANSLATED)) {
    const inside = new Uint8Array(MAPPED.address);
    inside.set(address.subarray(12), 12);
    return isPublic(inside);
  }
  if (isWithin(address, MAPPED)) return !NOT_PUBLIC_V4.some((range) => isWithin(address, range));
  // What is not global unicast is loopback, link-local, unique-local, multicast or nobody's yet.
  return isWithin(address, GLOBAL_UNICAST) && !NOT_PUBLIC_V6.some((range) => isWithin(address, range));
}

function parseV4(text: string): Uint8Array | undefined {
  // Exactly four decimal numbers without leading zeros: other spellings mean different addresses to different programs.
  if (!/^(0|[1-9]\d{0,2})(\.(0|[1-9]\d{0,2})){3}$/.test(text)) return undefined;
  const numbers = text.split(".").map(Number);
  if (numbers.some((number) => number > 255)) return undefined;
  const bytes = new Uint8Array(16);
  bytes[10] = 0xff;
  bytes[11] = 0xff;
  bytes.set(numbers, 12);
  return bytes;
}

function parseV6(text: string): Uint8Array | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [left, right] = [groupsOf(halves[0]!, halves.length === 1), groupsOf(halves[1] ?? "", true)];
  if (left === undefined || right === undefined) return undefined;
  const missing = 8 - left.length - right.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const groups = [...left, ...new Array<number>(missing).fill(0), ...right];
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}

/** Groups of 16 bits; the last two may be written as an IPv4 address where `mayEndInV4`. */
function groupsOf(text: string, mayEndInV4: boolean): number[] | undefined {
  if (text === "") return [];
  const words = text.split(":");
  if (words.length > 8) return undefined;
  const groups: number[] = [];
  for (const [index, word] of words.entries()) {
    if (/^[0-9a-f]{1,4}$/i.test(word)) {
      groups.push(Number.parseInt(word, 16));
      continue;
    }
    const v4 = mayEndInV4 && index === words.length - 1 ? parseV4(word) : undefined;
    if (v4 === undefined) return undefined;
    groups.push((v4[12]! << 8) | v4[13]!, (v4[14]! << 8) | v4[15]!);
  }
  return groups;
}

function range(text: string): AddressRange {
  const parsed = parseRange(text);
  if (parsed === undefined) throw new Error(`${text} is not an address range`);
  return parsed;
}

const MAPPED = range("::ffff:0:0/96");
/** IPv4 behind a translator (RFC 6052). */
const TRANSLATED = range("64:ff9b::/96");
const GLOBAL_UNICAST = range("2000::/3");

/** IANA IPv4 Special-Purpose Address Registry, multicast (RFC 5771) and what was reserved for the future (RFC 1112). */
const NOT_PUBLIC_V4 = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
].map(range);

/** IANA IPv6 Special-Purpose Address Registry, as far as it lies in 2000::/3. Teredo and 6to4 lead to IPv4 addresses inside. */
const NOT_PUBLIC_V6 = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"].map(range);
