/**
 * The environment of each of several relays on one machine, made from that of all of them: the same but for ids, ports and
 * addresses, which count up.
 */
import type { RelaySettings } from "../serving/relay-settings.ts";
import { RelayStartError } from "../serving/start-error.ts";

type Environment = Readonly<Record<string, string>>;

const HIGHEST_PORT = 65_535;

/** One environment a worker. Throws RelayStartError for settings that several relays cannot share. */
export function workerEnvironments(settings: RelaySettings, environment: Environment): Environment[] {
  requireShareable(settings);
  const { port, tcpPort, operations, publicUrl, tcpPublicUrl, id } = settings;
  return Array.from({ length: settings.workers }, (_, index) => ({
    ...environment,
    RELAY_WORKERS: "1",
    RELAY_SUPERVISED: "1",
    RELAY_ID: `${id}-${index}`,
    RELAY_PORT: counted(port, index),
    RELAY_TCP_PORT: counted(tcpPort, index),
    RELAY_OPERATIONS_PORT: counted(operations.port, index),
    ...(publicUrl === undefined ? {} : { RELAY_PUBLIC_URL: withPortAdded(publicUrl, index) }),
    ...(tcpPublicUrl === undefined ? {} : { RELAY_TCP_PUBLIC_URL: withPortAdded(tcpPublicUrl, index) }),
    ...(operations.url === undefined ? {} : { RELAY_OPERATIONS_URL: withPortAdded(operations.url, index) }),
  }));
}

function counted(first: number | undefined, index: number): string {
  if (first === undefined) return "off";
  return String(first === 0 ? 0 : first + index);
}

function requireShareable(settings: RelaySettings): void {
  const { workers, etcd, port, tcpPort, operations, publicUrl, tcpPublicUrl } = settings;
  if (etcd === undefined) {
    throw new RelayStartError(
      `RELAY_WORKERS=${workers} needs TRIBUTARY_ETCD: a room that several relays share is coordinated there.`,
    );
  }
  for (const [name, first, url, urlName] of [
    ["RELAY_PORT", port, publicUrl, "RELAY_PUBLIC_URL"],
    ["RELAY_TCP_PORT", tcpPort, tcpPublicUrl, "RELAY_TCP_PUBLIC_URL"],
    ["RELAY_OPERATIONS_PORT", operations.port, operations.url, "RELAY_OPERATIONS_URL"],
  ] as const) {
    if (first === undefined) continue;
    if (first === 0 && url !== undefined) {
      throw new RelayStartError(
        `${name}=0 and ${urlName} do not go together with several workers: set ${name} to the first of ${workers} ports in a row.`,
      );
    }
    const highest = Math.max(first, url === undefined ? 0 : portOf(url)) + workers - 1;
    if (first !== 0 && highest > HIGHEST_PORT) {
      throw new RelayStartError(
        `${name}=${first} leaves no room for ${workers} workers: the last would have port ${highest}, above ${HIGHEST_PORT}.`,
      );
    }
  }
}

function withPortAdded(text: string, index: number): string {
  const url = new URL(text);
  url.port = String(portOf(text) + index);
  return url.href;
}

function portOf(text: string): number {
  const { port, protocol } = new URL(text);
  return port === "" ? (protocol === "https:" ? 443 : 80) : Number(port);
}
