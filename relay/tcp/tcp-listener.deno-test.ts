/** What the TCP listener makes of clients that break the rules, on Deno. */
import { listenerContract } from "../../test/fuzz/tcp-listener.contract.ts";

for (const { name, run, isForNode = false } of listenerContract) {
  if (isForNode) continue;
  // node:http2 of Deno keeps timers and sockets a while longer than its sessions.
  Deno.test({ name: `TCP listener ${name}`, sanitizeOps: false, sanitizeResources: false, fn: run });
}
