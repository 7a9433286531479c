/** `npm run cluster` once everything is installed: starts the cluster, says what to open and what to kill, and ends it on Ctrl-C. */
import { StartError } from "../../start/start-error.mjs";
import { ensureEtcd } from "../etcd-binary.mjs";
import { Cluster } from "./cluster.ts";
import { ClusterOptionError, clusterHelp, readClusterOptions } from "./cluster-options.ts";
import { REGIONS } from "./regions.ts";

/** Resolves when it runs; goes on until a signal. */
export async function run(args: readonly string[]): Promise<void> {
  if (args.includes("--help")) return console.info(clusterHelp());
  const options = readClusterOptions(args);
  process.env.ETCD_PATH = await ensureEtcd((line) => console.info(line));
  let cluster: Cluster | undefined;
  let isOver = false;
  const end = async (): Promise<void> => {
    if (isOver) return;
    isOver = true;
    await cluster?.stop();
    console.info("Everything has ended.");
    process.exit(0);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => void end());
  console.info("Starting etcd, two gateways and five relays ...");
  cluster = await Cluster.start(options, (line) => {
    if (!isOver && !line.includes("ready: ")) console.info(line);
  });
  if (isOver) return cluster.stop();
  for (const { id, process: relay } of cluster.relays) {
    void relay.ended.then(() => isOver || console.info(`${id}  has ended; its rooms go on elsewhere`));
  }
  console.info(description(cluster));
}

function description({ gateways, relays, etcd }: Cluster): string {
  const pages = REGIONS.map((region, index) => {
    const { port } = new URL(gateways[index % gateways.length]!.url);
    return `  ${region}: http://localhost:${port}/r/demo?region=${region}`;
  });
  const processes = [
    ...relays.map(({ id, port, process: { pid } }) => `  ${id}: process ${pid}, UDP port ${port}`),
    ...gateways.map(({ url, process: { pid } }) => `  gateway: process ${pid}, ${url}`),
    `  etcd: process ${etcd.pid}, ${etcd.url}`,
  ];
  return [
    "Cluster is ready. Open a page in each region, in Chrome, Edge or Chromium:",
    ...pages,
    "and see a fail-over: kill -9 a relay; or see one drain: kill it without -9.",
    ...processes,
    "Ctrl-C ends everything.",
  ].join("\n");
}

/** True for what is said to the person as one line. */
export function isForPeople(error: unknown): error is Error {
  return error instanceof StartError || error instanceof ClusterOptionError;
}
