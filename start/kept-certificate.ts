/** The relay's self-signed certificate: kept between starts, renewed well before its end. */
import { createCertificate } from "../relay/serving/certificate.ts";
import type { KeptState } from "./kept-state.ts";

const FILE = "certificate.json";
const VALID_DAYS = 10;
const DAY_MS = 86_400_000;
/** A certificate this near to its end is replaced: long enough for a machine that sleeps over a weekend. */
const RENEW_BEFORE_MS = 3 * DAY_MS;
const CHECK_EVERY_MS = 3_600_000;

export interface KeptCertificate {
  certPem: string;
  keyPem: string;
  /** SHA-256 of the DER, base64. */
  sha256: string;
  notAfterMs: number;
}

/** The kept certificate, or a fresh one when it is missing, damaged or near its end. */
export async function keptCertificate(state: KeptState, names: readonly string[]): Promise<KeptCertificate> {
  const kept = parse(await state.read(FILE));
  if (kept !== undefined && !isDue(kept)) return kept;
  return renew(state, names);
}

/**
 * Looks again and again whether the certificate is due, and hands the new one to `replace`. Returns a function that ends it.
 */
export function renewInTime(
  state: KeptState,
  names: readonly string[],
  current: KeptCertificate,
  replace: (certificate: KeptCertificate) => void,
  checkEveryMs = CHECK_EVERY_MS,
): () => void {
  let certificate = current;
  const timer = setInterval(async () => {
    if (!isDue(certificate)) return;
    try {
      const fresh = await renew(state, names);
      replace(fresh);
      certificate = fresh;
    } catch (error) {
      console.error(`The relay's certificate could not be renewed, trying again later: ${error}`);
    }
  }, checkEveryMs);
  return () => clearInterval(timer);
}

async function renew(state: KeptState, names: readonly string[]): Promise<KeptCertificate> {
  const made = await createCertificate({ names, validDays: VALID_DAYS });
  const certificate = {
    certPem: made.certPem,
    keyPem: made.keyPem,
    sha256: made.sha256.toBase64(),
    notAfterMs: made.notAfter.getTime(),
  };
  await state.write(FILE, JSON.stringify(certificate));
  return certificate;
}

function isDue(certificate: KeptCertificate): boolean {
  return certificate.notAfterMs - Date.now() < RENEW_BEFORE_MS;
}

function parse(text: string | undefined): KeptCertificate | undefined {
  if (text === undefined) return undefined;
  try {
    const value = JSON.parse(text) as Partial<KeptCertificate> | null;
    const { certPem, keyPem, sha256, notAfterMs } = value ?? {};
    if (certPem && keyPem && sha256 && notAfterMs) return { certPem, keyPem, sha256, notAfterMs };
  } catch {
    // A damaged file is as good as none: a new certificate is made.
  }
  return undefined;
}
