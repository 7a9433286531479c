/** Addresses in the signalling of WebRTC (RFC 8839, candidate attribute): read one, change one, leave all out. */

const CANDIDATE = /^(?:a=)?candidate:\S+ 1 udp \d+ (\d+\.\d+\.\d+\.\d+) (\d+) typ host/i;

/** Address of a UDP host candidate over IPv4; undefined for every other kind. */
export function candidateAddress(candidate: string): { host: string; port: number } | undefined {
  const [, host, port] = CANDIDATE.exec(candidate) ?? [];
  return host === undefined ? undefined : { host, port: Number(port) };
}

/** The same candidate at another address. */
export function withAddress(candidate: string, host: string, port: number): string {
  const fields = candidate.split(" ");
  fields[4] = host;
  fields[5] = String(port);
  return fields.join(" ");
}

/** A description that tells no address. */
export function withoutCandidates<Description extends { sdp: string }>(
  description: Description,
): Description {
  const lines = description.sdp.split("\r\n").filter((line) => !line.startsWith("a=candidate:"));
  return { ...description, sdp: lines.join("\r\n") };
}
