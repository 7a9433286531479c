/** What the processes of bench/tcp.ts say to each other, one JSON object a line. */

export interface ClientOrder {
  url: string;
  /** SHA-256 of the certificate, in base64. */
  hash: string;
  subscribers: number;
  /** Datagrams a second. */
  rate: number;
  burst: number;
  bytes: number;
  seconds: number;
}

export interface ClientResult {
  published: number;
  received: number;
  delayP50Ms: number;
  delayP99Ms: number;
}

/** From the first datagram to the last. */
export interface ServerFigures {
  cpuUs: number;
  sent: number;
  /** Not sent: too many waited. */
  queueFull: number;
  seconds: number;
}
