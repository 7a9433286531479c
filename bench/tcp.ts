/**
 * `npm run bench -- tcp`: what a datagram costs a listener on TCP that sends it on to many, on Node and on Deno: processor time for each sent, how many
 * a second, how many arrive and how late. The clients are one more process; on a machine with few cores they take their share.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { denoExecutable, ROOT } from "../start/dependencies.mjs";
import { readOptions, reportRow } from "./report.ts";
import type { ClientOrder, ClientResult, ServerFigures } from "./tcp/orders.ts";

const options = readOptions({
  subscribers: { default: 20, min: 1, max: 500, whole: true, about: "clients that receive" },
  rate: { default: 500, min: 1, max: 20_000, whole: true, about: "datagrams a second that one client sends" },
  burst: { default: 4, min: 1, max: 64, whole: true, about: "datagrams that it sends at once" },
  bytes: { default: 1000, min: 8, max: 1500, whole: true, about: "length of each" },
  seconds: { default: 6, min: 2, max: 120, about: "how long it is measured" },
});

function run(command: string, args: string[]) {
  const child = spawn(command, args, { cwd: ROOT, stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async <T>(): Promise<T> => JSON.parse((await lines.next()).value ?? "null") as T;
  return { child, next };
}

const NODE = [process.execPath, ["--import", "tsx"]] as const;
const DENO = [denoExecutable(), ["run", "-A", "--quiet", "--config", join(ROOT, "deno.json")]] as const;

async function measure(runtime: "node" | "deno"): Promise<void> {
  const [command, args] = runtime === "node" ? NODE : DENO;
  const server = run(command, [...args, "bench/tcp/server.ts"]);
  const address = await server.next<Pick<ClientOrder, "url" | "hash">>();
  const order: ClientOrder = { ...options, ...address };
  const clients = run(NODE[0], [...NODE[1], "bench/tcp/clients.ts", JSON.stringify(order)]);
  const result = await clients.next<ClientResult>();
  server.child.stdin.end();
  const { cpuUs, sent, queueFull, seconds } = await server.next<ServerFigures>();
  await once(server.child, "exit");
  reportRow({
    bench: "tcp",
    row: { runtime, ...options },
    figures: {
      cpuUsPerDatagram: cpuUs / sent,
      datagramsPerSecond: sent / seconds,
      coreShare: cpuUs / 1e6 / seconds,
      deliveredShare: result.received / (result.published * options.subscribers),
      queueFullShare: queueFull / (sent + queueFull),
      delayP50Ms: result.delayP50Ms,
      delayP99Ms: result.delayP99Ms,
    },
  });
}

await measure("node");
await measure("deno");
