/** The gateway on Node: `npx tsx gateway/node.ts`. */
import process from "node:process";
import { serve } from "@hono/node-server";
import { addressFromNode } from "./client-address.ts";
import { createStandalone, readyLine, startFault } from "./standalone.ts";

/** Requests that are still running this long after a signal are cut off. */
const SHUTDOWN_MS = 5_000;

let host = "";
let port = 0;

function fail(error: unknown): never {
  const line = startFault(error, host, port);
  if (line === undefined) throw error;
  console.error(line);
  process.exit(1);
}

try {
  const standalone = await createStandalone(process.env, addressFromNode);
  ({ host, port } = standalone);
  const server = serve({ fetch: standalone.app.fetch, hostname: host, port }, (address) =>
    console.info(readyLine(host, address.port)),
  );
  server.on("error", fail);
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      server.close(() => process.exit(0));
      setTimeout(() => process.exit(0), SHUTDOWN_MS).unref();
    });
  }
} catch (error) {
  fail(error);
}
