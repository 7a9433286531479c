/** A bridge as its own process with a certificate: HTTPS with HTTP/2 for audiences, RTMPS for senders. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exportJWK, generateKeyPair } from "jose";
import { afterEach, describe, expect, it, vi } from "vitest";
import { bridgeRecordSchema } from "../../core/wire/bridge-jobs.ts";
import { freeTcpPort } from "../cluster/free-tcp-port.ts";
import { RunningProcess } from "../cluster/running-process.ts";
import { testCertificate } from "./certificate.ts";

const READY = /^Tributary bridge is ready: \S+ (\{.*\})$/m;
const folders: string[] = [];
const processes: RunningProcess[] = [];

afterEach(async () => {
  await Promise.all(processes.splice(0).map((process) => process.end()));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

async function startBridge(change: Record<string, string>): Promise<RunningProcess> {
  const { publicKey } = await generateKeyPair("ES256", { extractable: true });
  const settings = {
    BRIDGE_HOST: "127.0.0.1",
    BRIDGE_HTTP_PORT: "0",
    BRIDGE_OPERATIONS_PORT: "0",
    RTMP_PORT: "0",
    RTMPS_PORT: "0",
    ICECAST_PORT: "0",
    BRIDGE_PUBLIC_URL: "https://localhost",
    BRIDGE_RECORDINGS: newFolder(),
    TRIBUTARY_GATEWAY_URL: "http://127.0.0.1:9",
    TRIBUTARY_API_KEY: "test:a-secret-of-at-least-32-characters-for-tests",
    TRIBUTARY_TICKET_JWKS: JSON.stringify(await exportJWK(publicKey)),
    // Nobody is there: it goes on without jobs.
    TRIBUTARY_ETCD: "http://127.0.0.1:9",
    ...change,
  };
  const process = new RunningProcess({ program: "start/bridge.ts", settings });
  processes.push(process);
  return process;
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "bridge-tls-"));
  folders.push(folder);
  return folder;
}

async function certificateFiles(): Promise<{ BRIDGE_TLS_CERT: string; BRIDGE_TLS_KEY: string }> {
  const folder = newFolder();
  const { cert, key } = await testCertificate();
  const files = { BRIDGE_TLS_CERT: join(folder, "cert.pem"), BRIDGE_TLS_KEY: join(folder, "key.pem") };
  writeFileSync(files.BRIDGE_TLS_CERT, cert);
  writeFileSync(files.BRIDGE_TLS_KEY, key);
  return files;
}

/** GET over HTTP/2 or nothing. */
function statusOverHttp2(origin: string, path: string): Promise<number | undefined> {
  const session = connect(origin, { rejectUnauthorized: false });
  return new Promise<number | undefined>((resolve, reject) => {
    session.once("error", reject);
    const request = session.request({ ":path": path });
    request.once("response", (headers) => resolve(headers[":status"]));
    request.once("error", reject);
  }).finally(() => session.destroy());
}

describe("a bridge as its own process", () => {
  it("answers audiences over HTTP/2 and takes senders over RTMPS", async () => {
    const port = await freeTcpPort();
    const bridge = await startBridge({ ...(await certificateFiles()), BRIDGE_HTTP_PORT: String(port) });
    await bridge.until(() => READY.test(bridge.output), "gets ready");
    const record = bridgeRecordSchema
      .omit({ jobs: true, draining: true })
      .parse(JSON.parse(READY.exec(bridge.output)![1]!));
    expect(record.rtmpsUrl).toMatch(/^rtmps:\/\/localhost:\d+\/live$/);
    expect(await statusOverHttp2(`https://localhost:${port}`, "/nothing")).toBe(404);

    const operations = async (path: string) => fetch(new URL(path, record.operationsUrl));
    expect((await operations("/healthz")).status).toBe(200);
    // It is not registered: etcd is nowhere.
    expect((await operations("/readyz")).status).toBe(503);

    const sound = ["-f", "lavfi", "-i", "anullsrc", "-t", "1", "-c:a", "aac", "-f", "flv"];
    const url = `${record.rtmpsUrl.replace("localhost", "127.0.0.1")}/a-key-that-nobody-has`;
    const ffmpeg = spawn("ffmpeg", ["-v", "error", ...sound, url], { stdio: "ignore" });
    const code = new Promise((resolve) => ffmpeg.once("close", resolve));
    expect(await code).not.toBe(0);
    // So it came through TLS and was understood.
    await vi.waitFor(() => expect(bridge.output).toMatch(/stream key/i));
    const metrics = await (await operations("/metrics")).text();
    expect(metrics).toMatch(/^tributary_bridge_registered 0$/m);
    expect(metrics).toMatch(/^tributary_bridge_senders\{protocol="rtmp"\} 0$/m);
    expect(metrics).toMatch(/^tributary_event_loop_lag_seconds\{quantile="0.99"\} [\d.e-]+$/m);
  });

  it.each([
    ["both or neither", async () => ({ BRIDGE_TLS_CERT: "cert.pem" }), /^BRIDGE_TLS_CERT and .*both.*$/],
    [
      "a number of days",
      async () => ({ BRIDGE_KEEP_DAYS: "week" }),
      /^BRIDGE_KEEP_DAYS="week" is not usable: use a whole number from 1 to 36500, or leave it out.*$/,
    ],
    [
      "files that are there",
      async () => ({ BRIDGE_TLS_CERT: "/none/a", BRIDGE_TLS_KEY: "/none/b" }),
      /^The certificate cannot be read: .*BRIDGE_TLS_CERT and BRIDGE_TLS_KEY must name PEM files.*$/,
    ],
    [
      "a key that belongs to it",
      async () => ({
        ...(await certificateFiles()),
        BRIDGE_TLS_KEY: (await certificateFiles()).BRIDGE_TLS_KEY,
      }),
      /^BRIDGE_TLS_CERT and BRIDGE_TLS_KEY hold no certificate with its key: .*$/,
    ],
  ])("asks in one line for %s", async (_name, settings, line) => {
    const bridge = await startBridge(await settings());
    expect(await bridge.ended).toMatchObject({ code: 1 });
    expect(bridge.output.trimEnd()).toMatch(line);
    expect(bridge.output.trimEnd()).not.toContain("\n");
  });
});
