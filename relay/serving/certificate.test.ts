import { createHash, X509Certificate } from "node:crypto";
import { expect, test } from "vitest";
import { createCertificate } from "./certificate.ts";

const DAY_MS = 86_400_000;

test("a certificate that a browser accepts by its hash", async () => {
  const now = new Date("2030-02-03T04:05:06.789Z");
  const { certPem, keyPem, sha256, notBefore, notAfter } = await createCertificate({
    now,
    names: ["r.example", "10.0.0.7"],
  });
  const parsed = new X509Certificate(certPem);
  expect(parsed.verify(parsed.publicKey)).toBe(true);
  expect(parsed.publicKey.asymmetricKeyDetails?.namedCurve).toBe("prime256v1");
  expect(parsed.subjectAltName).toBe(
    "DNS:localhost, IP Address:127.0.0.1, DNS:r.example, IP Address:10.0.0.7",
  );
  expect(new Date(parsed.validTo)).toEqual(notAfter);
  expect(new Date(parsed.validFrom)).toEqual(notBefore);
  expect(notAfter.getTime() - notBefore.getTime()).toBeLessThanOrEqual(14 * DAY_MS);
  expect(Math.round((notAfter.getTime() - now.getTime()) / DAY_MS)).toBe(10);
  expect(Buffer.from(sha256).toString("hex")).toBe(createHash("sha256").update(parsed.raw).digest("hex"));
  expect(keyPem).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
});

test("two certificates differ, and each signature is well-formed", async () => {
  const hashes = new Set<string>();
  for (let count = 0; count < 20; count += 1) {
    const { certPem, sha256 } = await createCertificate();
    const parsed = new X509Certificate(certPem);
    expect(parsed.verify(parsed.publicKey)).toBe(true);
    hashes.add(sha256.join());
  }
  expect(hashes.size).toBe(20);
});

test.each([0, -1, 14, Number.NaN])("a life of %s days is refused", async (validDays) => {
  await expect(createCertificate({ validDays })).rejects.toThrow(/13 days/);
});

test("a name that is neither host nor address is refused", async () => {
  await expect(createCertificate({ names: ["a b"] })).rejects.toThrow(/neither/);
});
