/** A relay as operators run it, relay/deno/main.ts in a process of its own, with a key of the benchmark's. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { calculateJwkThumbprint, exportJWK } from "jose";
import type { RelayRecord } from "../../core/directory/directory.ts";
import { cpuSecondsOf } from "./process-cpu.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const READY_LINE = /^Tributary relay is ready: \S+ (\{.*\})$/;

export interface RelayProcess {
  readonly relayId: string;
  readonly url: string;
  readonly operationsUrl: string;
  readonly certificateHashes: string[];
  /** Names the ticket key. */
  readonly keyId: string;
  cpuSeconds(): number;
  end(): Promise<void>;
}

/** Starts a relay on loopback that believes tickets of this key. Rejects when it ends before it is ready. */
export async function startRelayProcess(publicKey: CryptoKey): Promise<RelayProcess> {
  const jwk = await exportJWK(publicKey);
  const keyId = await calculateJwkThumbprint(jwk);
  const child = spawn(
    Deno.execPath(),
    ["run", "-A", "--quiet", "--config", `${ROOT}deno.json`, `${ROOT}relay/deno/main.ts`],
    {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "inherit"],
      env: {
        ...Deno.env.toObject(),
        RELAY_ID: "bench-relay",
        RELAY_HOST: "127.0.0.1",
        RELAY_PORT: "0",
        RELAY_OPERATIONS_PORT: "0",
        RELAY_CAPACITY: "10000",
        TRIBUTARY_TICKET_JWKS: JSON.stringify({ keys: [{ ...jwk, kid: keyId, alg: "ES256" }] }),
      },
    },
  );
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const record = await new Promise<RelayRecord>((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const ready = READY_LINE.exec(line);
      if (ready !== null) resolve(JSON.parse(ready[1]!) as RelayRecord);
    });
    void ended.then(() => reject(new Error("the relay ended before it was ready; its last words are above")));
  });
  return {
    relayId: record.id,
    url: record.url,
    operationsUrl: record.operationsUrl,
    certificateHashes: record.certificateHashes,
    keyId,
    cpuSeconds: () => cpuSecondsOf(child.pid!),
    end: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
