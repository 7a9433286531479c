/**
 * `npm run proxy -- --to 14433 --listen 15433 --delay 40 --loss 5`: puts a bad network before a relay by hand.
 * Times are milliseconds one way, loss is per cent, rate is kilobits a second; `up-` and `down-` before a name bind it to
 * one direction.
 */
import { parseArgs } from "node:util";
import type { ImpairmentOptions } from "./impairment.ts";
import { UdpProxy } from "./udp-proxy.ts";

const NAMES = ["delay", "jitter", "loss", "burst", "rate", "queue"] as const;
type Name = (typeof NAMES)[number];
const USAGE = `npm run proxy -- --to PORT [--listen PORT] [--seed N] [--reorder] ${NAMES.map((name) => `[--${name} N]`).join(" ")}`;

const directional = ["", "up-", "down-"].flatMap((prefix) => NAMES.map((name) => `${prefix}${name}`));

async function main(): Promise<void> {
  const values = readArguments();
  const number = (name: string, fallback?: number): number => {
    const text = values[name];
    if (text === undefined && fallback !== undefined) return fallback;
    const value = Number(text);
    if (typeof text !== "string" || !Number.isFinite(value) || value < 0) {
      throw new RangeError(`--${name} takes a number of at least 0. ${USAGE}`);
    }
    return value;
  };
  const direction = (prefix: "up-" | "down-"): Partial<ImpairmentOptions> => {
    const one = (name: Name, fallback: number): number => number(`${prefix}${name}`, number(name, fallback));
    const lossPercent = one("loss", 0);
    if (lossPercent >= 100) throw new RangeError(`--loss is a share in per cent, below 100. ${USAGE}`);
    return {
      delayMs: one("delay", 0),
      jitterMs: one("jitter", 0),
      loss: lossPercent / 100,
      burstMs: one("burst", 0),
      rateBps: one("rate", 0) * 1000,
      queueMs: one("queue", 400),
      reorder: values.reorder === true,
    };
  };
  const proxy = await UdpProxy.listen({
    port: number("listen", 15433),
    targetPort: number("to"),
    up: direction("up-"),
    down: direction("down-"),
    seed: number("seed", 1),
  });
  console.info(
    `Proxy from 127.0.0.1:${proxy.port} to 127.0.0.1:${number("to")}; Ctrl-C ends it and prints counters.`,
  );
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, async () => {
      console.info(JSON.stringify(proxy.counters));
      await proxy.close();
      process.exit(0);
    });
  }
}

function readArguments(): Record<string, string | boolean | undefined> {
  const names = ["to", "listen", "seed", ...directional];
  try {
    return parseArgs({
      options: {
        ...Object.fromEntries(names.map((name) => [name, { type: "string" as const }])),
        reorder: { type: "boolean" },
      },
    }).values as Record<string, string | boolean | undefined>;
  } catch (error) {
    throw new RangeError(`${error instanceof Error ? error.message : error} ${USAGE}`);
  }
}

try {
  await main();
} catch (error) {
  const taken = (error as NodeJS.ErrnoException).code === "EADDRINUSE";
  console.error(taken ? "That port is taken: choose another with --listen." : (error as Error).message);
  process.exitCode = 1;
}
