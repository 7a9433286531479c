/** Where the certificate of a relay or a bridge comes from while it runs: PEM files that somebody renews, or one of its own. */
import { createCertificate } from "./certificate.ts";
import type { ServingCertificate } from "./relay-config.ts";
import { RelayStartError } from "./start-error.ts";

const DAY_MS = 86_400_000;
/** A self-signed certificate lives 10 days and is replaced this long before its end. */
const RENEW_BEFORE_MS = 3 * DAY_MS;
const LOOK_EVERY_MS = 60_000;

export interface CertificateSource {
  readonly certificate: ServingCertificate;
  /** Calls `replace` with each newer certificate until the returned function is called. */
  follow(
    replace: (certificate: ServingCertificate) => void | Promise<void>,
    log: (line: string) => void,
  ): () => void;
}

/** A certificate of our own for these names, that browsers accept by its hash. */
export async function selfSigned(names: readonly string[]): Promise<CertificateSource> {
  let made = await createCertificate({ names });
  const serving = (): ServingCertificate => ({
    certPem: made.certPem,
    keyPem: made.keyPem,
    hashes: [btoa(String.fromCharCode(...made.sha256))],
  });
  return {
    certificate: serving(),
    follow: (replace, log) =>
      lookOften(async () => {
        if (made.notAfter.getTime() - Date.now() > RENEW_BEFORE_MS) return;
        made = await createCertificate({ names });
        await replace(serving());
      }, log),
  };
}

/** PEM files, which `settings` name, read with the runtime's `readText`; a renewed file is taken over within a minute. Rejects with RelayStartError. */
export async function fromFiles(
  files: { cert: string; key: string },
  settings: string,
  readText: (path: string) => Promise<string>,
): Promise<CertificateSource> {
  const read = async (): Promise<ServingCertificate> => ({
    certPem: await readText(files.cert),
    keyPem: await readText(files.key),
    hashes: [],
  });
  let certificate: ServingCertificate;
  try {
    certificate = await read();
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new RelayStartError(
      `The certificate cannot be read: ${detail}. ${settings} must name PEM files that this user may read.`,
      { cause },
    );
  }
  return {
    certificate,
    follow: (replace, log) =>
      lookOften(async () => {
        const now = await read();
        if (now.certPem === certificate.certPem && now.keyPem === certificate.keyPem) return;
        // Between two files being written they may not belong together: then it fails now and is tried again.
        await replace(now);
        certificate = now;
      }, log),
  };
}

function lookOften(look: () => Promise<void>, log: (line: string) => void): () => void {
  const timer = setInterval(() => {
    look().catch((error: unknown) => {
      log(`the certificate could not be renewed, trying again in a minute: ${String(error)}`);
    });
  }, LOOK_EVERY_MS);
  return () => clearInterval(timer);
}
