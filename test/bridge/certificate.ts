/** A fresh self-signed certificate for localhost and 127.0.0.1, for tests of bridges. */
import { createCertificate } from "../../relay/serving/certificate.ts";

export async function testCertificate(): Promise<{ cert: string; key: string }> {
  const { certPem, keyPem } = await createCertificate();
  return { cert: certPem, key: keyPem };
}
