/** What a relay is started with, and what it is then. */
import type { Directory } from "../../core/directory/directory.ts";
import type { Connect } from "../../core/session/session.ts";
import type { DeliverEvent } from "../events/event-outbox.ts";
import type { Relay } from "../relay.ts";
import type { TicketKeys } from "../ticket-verifier.ts";

export interface ServingCertificate {
  certPem: string;
  keyPem: string;
  /** SHA-256 of the DER in base64, for self-signed certificates; empty otherwise. */
  hashes: string[];
}

export interface RelayConfig {
  /** Address of the UDP port and of the TCP port. */
  host: string;
  /** UDP port; 0 = any free one, undefined = none. */
  port: number | undefined;
  /** What browsers dial; default: https://127.0.0.1 (or the host) with the port that was bound. */
  publicUrl?: string | undefined;
  /** TCP port for networks without UDP; 0 = any free one, undefined = none. */
  tcpPort?: number | undefined;
  /** What browsers dial there; default: as `publicUrl`, with the TCP port where that is another. */
  tcpPublicUrl?: string | undefined;
  /** Unique in the cluster; tickets are bound to it. */
  id: string;
  region: string;
  /** Participants it wants to hold at most. */
  capacity: number;
  version: string;
  certificate: ServingCertificate;
  /** The gateway's public keys. */
  keys: TicketKeys;
  directory: Directory;
  /** How other relays are dialled; default: as they say. */
  connect?: Connect | undefined;
  /** What the directory counts, in Prometheus' text format. */
  furtherMetrics?: (() => string) | undefined;
  /** Where room events are posted to; undefined = nowhere. */
  gatewayUrl?: string | undefined;
  /** Takes room events in place of a gateway elsewhere. */
  deliverEvent?: DeliverEvent | undefined;
  /** Address of the operations API. */
  operations: { host: string; port: number; url?: string | undefined };
  log(line: string): void;
}

export interface RunningRelay {
  readonly relay: Relay;
  /** UDP port; 0 = it has none. */
  readonly port: number;
  /** TCP port; 0 = it has none. */
  readonly tcpPort: number;
  /** What browsers dial; "" = it has no UDP port. */
  readonly url: string;
  /** What they dial without UDP; "" = it has no TCP port. */
  readonly fallbackUrl: string;
  readonly operationsPort: number;
  /** New sessions get this certificate; running ones are not touched. */
  replaceCertificate(certificate: ServingCertificate): void;
  /** Closes every session with `draining` and frees the ports. */
  stop(): Promise<void>;
}
