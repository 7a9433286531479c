/** What is asked of the gateways: joins of people of many rooms, in a cluster of three relays that an etcd, or a list, tells of. */
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import type { RelayRecord } from "../../core/directory/directory.ts";
import { relayNamed } from "../../core/directory/directory-harness.contract.ts";
import type { Settings } from "../../gateway/runtimes/gateway-process.ts";
import { newPrefix, TestDirectory } from "../../test/etcd/etcd-cluster.ts";
import { EtcdProcess } from "../../test/etcd/etcd-process.ts";
import { cpuSecondsOf } from "../fanout/process-cpu.ts";

const SECRET = "a-secret-of-at-least-32-characters-for-a-benchmark";
const ROOMS = 100;
const PEOPLE_PER_ROOM = 10;
const TOKEN_SECONDS = 24 * 3600;
const LEASE_MS = 60_000;
/** Counted, as in production, and never reached. */
const RATE = "999999/999999";

export interface JoinStage {
  /** The same for every runtime. */
  settings: Settings;
  /** Whole HTTP requests, to be sent in turn. */
  requests: Buffer[];
  /** CPU time of the directory so far. */
  directoryCpuSeconds(): number;
  close(): Promise<void>;
}

export async function openJoinStage(directory: "etcd" | "list"): Promise<JoinStage> {
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  const relays = ["r1", "r2", "r3"].map((id) => relayNamed(id));
  const settings: Settings = {
    TRIBUTARY_API_KEYS: `app:${SECRET}`,
    TRIBUTARY_TICKET_KEY: JSON.stringify(await exportJWK(privateKey)),
    TRIBUTARY_RATE_PER_ADDRESS: RATE,
    TRIBUTARY_RATE_PER_KEY: RATE,
  };
  const requests = await joinRequests();
  if (directory === "list") {
    return {
      settings: { ...settings, TRIBUTARY_RELAYS: JSON.stringify(relays) },
      requests,
      directoryCpuSeconds: () => 0,
      close: async () => undefined,
    };
  }
  const { url, prefix, ...cluster } = await clusterInEtcd(relays);
  return {
    settings: { ...settings, TRIBUTARY_ETCD: url, TRIBUTARY_ETCD_PREFIX: prefix },
    requests,
    ...cluster,
  };
}

async function clusterInEtcd(relays: readonly RelayRecord[]) {
  const etcd = await EtcdProcess.start();
  const prefix = newPrefix();
  const { directory } = new TestDirectory([etcd.url], { prefix });
  const registrations = await Promise.all(relays.map((relay) => directory.register(relay, LEASE_MS)));
  for (let room = 0; room < ROOMS; room++) {
    await registrations[room % registrations.length]!.claimRoom(`room-${room}`);
  }
  return {
    url: etcd.url,
    prefix,
    directoryCpuSeconds: () => cpuSecondsOf(etcd.pid),
    close: async () => {
      await directory.close();
      await etcd.stop();
    },
  };
}

async function joinRequests(): Promise<Buffer[]> {
  const secret = new TextEncoder().encode(SECRET);
  const exp = Math.floor(Date.now() / 1000) + TOKEN_SECONDS;
  const requests: Buffer[] = [];
  for (let person = 0; person < PEOPLE_PER_ROOM; person++) {
    for (let room = 0; room < ROOMS; room++) {
      const claims = {
        iss: "app",
        sub: `person-${person}`,
        room: `room-${room}`,
        exp,
        jti: `${room}-${person}`,
      };
      const token = await new SignJWT(claims).setProtectedHeader({ alg: "HS256" }).sign(secret);
      const head = [
        `POST /v1/rooms/room-${room}/join HTTP/1.1`,
        "Host: gateway.example.org",
        `Authorization: Bearer ${token}`,
        "Content-Length: 0",
      ];
      requests.push(Buffer.from(`${head.join("\r\n")}\r\n\r\n`, "latin1"));
    }
  }
  return requests;
}
