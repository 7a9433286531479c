/** What the contract of directories (directory.contract.ts) asks of whoever runs it, and what its cases share. */
import type { Directory, RelayRecord } from "./directory.ts";

export interface DirectoryHarness {
  directory: Directory;
  /** Seconds since the Unix epoch on the directory's clock. */
  nowSeconds(): number;
  /** Lets time pass, with everything that happens in it. */
  pass(delayMs: number): Promise<void>;
  /** Takes the relay's connection to the directory away; its lease is not renewed from now on. */
  cutOff(relayId: string): Promise<void>;
  reconnect(relayId: string): Promise<void>;
}

export interface DirectoryCase {
  name: string;
  run(harness: DirectoryHarness): Promise<void>;
}

/** Of the leases in the contract. */
export const TTL_MS = 2_000;
/** Looks for something that comes some time, before giving up. */
const MAX_LOOKS = 100;
const LOOK_MS = 100;

export function relayNamed(id: string, change: Partial<RelayRecord> = {}): RelayRecord {
  return {
    id,
    region: "eu",
    url: `https://${id}.example.org:4433/`,
    fallbackUrl: "",
    certificateHashes: [],
    operationsUrl: `http://${id}.example.org:9090/`,
    capacity: 100,
    participants: 0,
    version: "0.1.0",
    draining: false,
    linkKey: "",
    ...change,
  };
}

/** Lets time pass until `isTrue`, or for so long that it never will be. */
export async function until(harness: DirectoryHarness, isTrue: () => boolean): Promise<void> {
  for (let look = 0; look < MAX_LOOKS && !isTrue(); look++) await harness.pass(LOOK_MS);
}
