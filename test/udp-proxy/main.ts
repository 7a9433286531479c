/**
 * `npm run proxy -- --loss 10 --rtt 80 --burst 16 --jitter 20 --rate 2mbit`: puts a bad network before a relay by hand;
 * `--help` lists the options.
 */
import type { ImpairmentOptions } from "./impairment.ts";
import { ProxyOptionError, type ProxyOptions, proxyHelp, readProxyOptions } from "./proxy-options.ts";
import { UdpProxy } from "./udp-proxy.ts";

async function serve({ listen, to, up, down, seed, rebindEvery, cutEvery }: ProxyOptions): Promise<void> {
  const proxy = await UdpProxy.listen({ port: listen, targetPort: to, up, down, seed });
  console.info(`Proxy from 127.0.0.1:${proxy.port} to 127.0.0.1:${to}; Ctrl-C ends it and prints counters.`);
  console.info(`  to the relay: ${describe(up)}\n  and back:     ${describe(down)}`);
  const rebind = (): void => {
    proxy.rebind();
    console.info("  clients come from another address from now on");
  };
  const cut = (): void => {
    proxy.cut();
    console.info("  nothing passes any more of the clients known so far");
  };
  if (rebindEvery > 0) setInterval(rebind, rebindEvery * 1000);
  if (cutEvery > 0) setInterval(cut, cutEvery * 1000);
  process.on("SIGUSR2", rebind);
  onKeys({ r: rebind, c: cut });
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, async () => {
      console.info(JSON.stringify(proxy.counters));
      await proxy.close();
      process.exit(0);
    });
  }
}

/** At a terminal one key, and return, does something now. */
function onKeys(actions: Readonly<Record<string, () => void>>): void {
  if (!process.stdin.isTTY) return;
  console.info(
    "  r and return: clients come from another address; c and return: those known so far are cut off",
  );
  process.stdin.setEncoding("utf8");
  process.stdin.on("data", (text) => actions[String(text).trim()]?.());
}

function describe({
  delayMs,
  jitterMs,
  loss,
  burstMs,
  rateBps,
  queueMs,
  reorder,
}: ImpairmentOptions): string {
  const parts = [`${delayMs} ms`];
  if (jitterMs > 0) parts.push(`jitter up to ${jitterMs} ms${reorder ? ", which reorders" : ""}`);
  if (loss > 0) parts.push(`${loss * 100} % lost${burstMs > 0 ? ` in bursts of ${burstMs} ms` : ""}`);
  if (rateBps > 0) parts.push(`${rateBps / 1000} kb/s with a queue of ${queueMs} ms`);
  return parts.join("; ");
}

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  if (args.includes("--help")) {
    console.info(proxyHelp());
    return;
  }
  try {
    await serve(readProxyOptions(args));
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const taken = "code" in error && error.code === "EADDRINUSE";
    if (!taken && !(error instanceof ProxyOptionError)) throw error;
    console.error(taken ? "That port is taken: choose another with --listen." : error.message);
    process.exitCode = 2;
  }
}

await main();
