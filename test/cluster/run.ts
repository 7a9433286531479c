/** `npm run cluster` once everything is installed: starts the cluster, says what to open and what to kill, and ends it on Ctrl-C. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StartError } from "../../start/start-error.mjs";
import { ensureEtcd } from "../etcd-binary.mjs";
import { Cluster } from "./cluster.ts";
import { ClusterOptionError, clusterHelp, readClusterOptions } from "./cluster-options.ts";
import { REGIONS } from "./regions.ts";

const BRIDGES = ["bridge-a", "bridge-b"];

/** Resolves when it runs; goes on until a signal. */
export async function run(args: readonly string[]): Promise<void> {
  if (args.includes("--help")) return console.info(clusterHelp());
  const options = readClusterOptions(args);
  process.env.ETCD_PATH = await ensureEtcd((line) => console.info(line));
  let cluster: Cluster | undefined;
  const recordings = mkdtempSync(join(tmpdir(), "tributary-cluster-"));
  let isOver = false;
  const end = async (): Promise<void> => {
    if (isOver) return;
    isOver = true;
    await cluster?.stop();
    rmSync(recordings, { recursive: true, force: true });
    console.info("Everything has ended.");
    process.exit(0);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => void end());
  console.info("Starting etcd, two gateways, five relays and two bridges ...");
  cluster = await Cluster.start(options, (line) => {
    if (!isOver && !line.includes("ready: ")) console.info(line);
  });
  const { relays } = cluster;
  // Both have the same recordings, as bridges with one storage do.
  if (!isOver) await Promise.all(BRIDGES.map((id) => cluster!.startBridge(id, recordings)));
  if (isOver) return cluster.stop();
  for (const { id, process: relay } of relays) {
    void relay.ended.then(() => isOver || console.info(`${id}  has ended; its rooms go on elsewhere`));
  }
  for (const { id, process: bridge } of cluster.bridges) {
    void bridge.ended.then(
      () => isOver || console.info(`${id}  has ended; the other goes on with its outputs`),
    );
  }
  console.info(description(cluster));
}

function description({ gateways, relays, bridges, etcd }: Cluster): string {
  const pages = REGIONS.map((region, index) => {
    const { port } = new URL(gateways[index % gateways.length]!.url);
    return `  ${region}: http://localhost:${port}/r/demo?region=${region}`;
  });
  const processes = [
    ...relays.map(({ id, port, process: { pid } }) => `  ${id}: process ${pid}, UDP port ${port}`),
    ...gateways.map(({ url, process: { pid } }) => `  gateway: process ${pid}, ${url}`),
    ...bridges.map(({ id, url, process: { pid } }) => `  ${id}: process ${pid}, ${url}`),
    `  etcd: process ${etcd.pid}, ${etcd.url}`,
  ];
  return [
    "Cluster is ready. Open a page in each region, in Chrome, Edge or Chromium:",
    ...pages,
    "start HLS, MP3 or a recording under Outputs, and follow it:",
    `  ${new URL(gateways[0]!.url).origin.replace("127.0.0.1", "localhost")}/watch/demo, /listen/demo, /history`,
    "and see a fail-over: kill -9 a relay or a bridge; or see one drain: kill it without -9.",
    ...processes,
    "Ctrl-C ends everything.",
  ].join("\n");
}

/** True for what is said to the person as one line. */
export function isForPeople(error: unknown): error is Error {
  return error instanceof StartError || error instanceof ClusterOptionError;
}
