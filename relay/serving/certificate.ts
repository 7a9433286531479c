/**
 * Makes the self-signed certificate of a relay that has no real one (X.509 v3, RFC 5280; DER written here, keys and
 * signature from WebCrypto). Browsers accept it by hash (`serverCertificateHashes`) when it is ECDSA P-256 and valid for
 * at most 14 days (W3C WebTransport, custom certificate requirements).
 */

/** A fresh key and its certificate. */
export interface RelayCertificate {
  readonly certPem: string;
  /** PKCS #8. */
  readonly keyPem: string;
  /** SHA-256 of the certificate's DER: what goes into `serverCertificateHashes`. */
  readonly sha256: Uint8Array<ArrayBuffer>;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

export interface CertificateOptions {
  /** Host names and IPv4 addresses beside localhost and 127.0.0.1. */
  readonly names?: readonly string[];
  /** Default: now. The certificate begins an hour before it, for clients whose clock is behind. */
  readonly now?: Date;
  /** Days from `now` to the end, at most 13: browsers allow 14 days in all. */
  readonly validDays?: number;
}

const DAY_MS = 86_400_000;
const CLOCK_SKEW_MS = 3_600_000;
const DEFAULT_VALID_DAYS = 10;
const MAX_VALID_DAYS = 13;
const COMMON_NAME = "Tributary relay";

const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectId: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  sequence: 0x30,
  set: 0x31,
  version: 0xa0,
  extensions: 0xa3,
  dnsName: 0x82,
  ipAddress: 0x87,
} as const;

const OID = {
  ecdsaWithSha256: [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02],
  commonName: [0x55, 0x04, 0x03],
  subjectAltName: [0x55, 0x1d, 0x11],
  keyUsage: [0x55, 0x1d, 0x0f],
  basicConstraints: [0x55, 0x1d, 0x13],
  extendedKeyUsage: [0x55, 0x1d, 0x25],
  serverAuth: [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01],
} as const;

/** Makes an ECDSA P-256 certificate, valid 10 days unless told otherwise. Throws RangeError for a life over 13 days. */
export async function createCertificate(options: CertificateOptions = {}): Promise<RelayCertificate> {
  const validDays = options.validDays ?? DEFAULT_VALID_DAYS;
  if (!(validDays > 0 && validDays <= MAX_VALID_DAYS)) {
    throw new RangeError(
      `A certificate that browsers accept by its hash may live ${MAX_VALID_DAYS} days from now, not ${validDays}.`,
    );
  }
  const nowMs = Math.floor((options.now ?? new Date()).getTime() / 1000) * 1000;
  const notBefore = new Date(nowMs - CLOCK_SKEW_MS);
  const notAfter = new Date(nowMs + validDays * DAY_MS);
  const names = [...new Set(["localhost", "127.0.0.1", ...(options.names ?? [])])];
  const keys = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
    "sign",
    "verify",
  ]);
  const publicKeyInfo = new Uint8Array(await crypto.subtle.exportKey("spki", keys.publicKey));
  const body = certificateBody(notBefore, notAfter, names, publicKeyInfo);
  const signed = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, keys.privateKey, body);
  const certificate = sequence(body, algorithm(), bitString(signatureToDer(new Uint8Array(signed))));
  return {
    certPem: toPem("CERTIFICATE", certificate),
    keyPem: toPem("PRIVATE KEY", new Uint8Array(await crypto.subtle.exportKey("pkcs8", keys.privateKey))),
    sha256: new Uint8Array(await crypto.subtle.digest("SHA-256", certificate)),
    notBefore,
    notAfter,
  };
}

function certificateBody(
  notBefore: Date,
  notAfter: Date,
  names: readonly string[],
  publicKeyInfo: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const name = sequence(
    der(
      TAG.set,
      sequence(der(TAG.objectId, OID.commonName), der(TAG.utf8String, new TextEncoder().encode(COMMON_NAME))),
    ),
  );
  const serial = crypto.getRandomValues(new Uint8Array(12));
  // 0x40 to 0x7f in front keeps the number positive and its encoding the shortest one.
  serial[0] = ((serial[0] as number) & 0x3f) | 0x40;
  const digitalSignatureOnly = [0x07, 0x80];
  return sequence(
    der(TAG.version, der(TAG.integer, [2])),
    der(TAG.integer, serial),
    algorithm(),
    name,
    sequence(utcTime(notBefore), utcTime(notAfter)),
    name,
    publicKeyInfo,
    der(
      TAG.extensions,
      sequence(
        extension(OID.basicConstraints, true, sequence()),
        extension(OID.keyUsage, true, der(TAG.bitString, digitalSignatureOnly)),
        extension(OID.extendedKeyUsage, false, sequence(der(TAG.objectId, OID.serverAuth))),
        extension(OID.subjectAltName, false, sequence(...names.map(alternativeName))),
      ),
    ),
  );
}

function alternativeName(name: string): Uint8Array {
  const octets = name.split(".").map(Number);
  const isIpv4 =
    octets.length === 4 && octets.every((octet) => Number.isInteger(octet) && octet >= 0 && octet < 256);
  if (isIpv4) return der(TAG.ipAddress, octets);
  if (!/^[A-Za-z0-9*]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/.test(name)) {
    throw new RangeError(`${JSON.stringify(name)} is neither a host name nor an IPv4 address.`);
  }
  return der(TAG.dnsName, new TextEncoder().encode(name));
}

function extension(id: readonly number[], isCritical: boolean, value: Uint8Array): Uint8Array {
  const critical = isCritical ? [der(TAG.boolean, [0xff])] : [];
  return sequence(der(TAG.objectId, id), ...critical, der(TAG.octetString, value));
}

function algorithm(): Uint8Array {
  return sequence(der(TAG.objectId, OID.ecdsaWithSha256));
}

/** YYMMDDHHMMSSZ, as RFC 5280 wants it until 2049. */
function utcTime(date: Date): Uint8Array {
  const digits = date.toISOString().replace(/[-:T]/g, "").slice(2, 14);
  return der(TAG.utcTime, new TextEncoder().encode(`${digits}Z`));
}

/** WebCrypto signs as r and s side by side; X.509 wants a sequence of two integers. */
function signatureToDer(signature: Uint8Array): Uint8Array {
  const half = signature.length / 2;
  return sequence(unsignedInteger(signature.subarray(0, half)), unsignedInteger(signature.subarray(half)));
}

function unsignedInteger(bytes: Uint8Array): Uint8Array {
  const start = bytes.findIndex((byte) => byte !== 0);
  const shortest = start === -1 ? new Uint8Array(1) : bytes.subarray(start);
  return der(TAG.integer, (shortest[0] as number) < 0x80 ? shortest : [0, ...shortest]);
}

function bitString(bytes: Uint8Array): Uint8Array {
  return der(TAG.bitString, [0, ...bytes]);
}

function sequence(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  return der(
    TAG.sequence,
    parts.flatMap((part) => [...part]),
  );
}

/** Tag, length, value. A certificate stays far below the 65,535 bytes that this length can say. */
function der(tag: number, value: ArrayLike<number>): Uint8Array<ArrayBuffer> {
  const { length } = value;
  const lengthBytes =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  const bytes = new Uint8Array(1 + lengthBytes.length + length);
  bytes.set([tag, ...lengthBytes]);
  bytes.set(value, 1 + lengthBytes.length);
  return bytes;
}

function toPem(label: string, bytes: Uint8Array): string {
  const base64 = btoa(String.fromCharCode(...bytes));
  return `-----BEGIN ${label}-----\n${base64.replace(/(.{64})(?=.)/g, "$1\n")}\n-----END ${label}-----\n`;
}
