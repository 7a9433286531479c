/** The command line of `npm run cluster`, or one sentence that says what is allowed. */

export interface ClusterOptions {
  /** HTTP port of the first gateway, the second has the next one; 0 = any free ones. */
  port: number;
  /** Share of datagrams between regions that is lost each way, 0 to 1. */
  loss: number;
  /** Round trip between any two regions; undefined: as far as they are apart. */
  rttMs: number | undefined;
}

/** The command line cannot be followed; `message` is one line for the person who typed it. */
export class ClusterOptionError extends Error {
  override readonly name = "ClusterOptionError";
}

const OPTIONS = {
  port: { min: 0, max: 65_534, about: "of the first gateway; the second has the next one; 0 = any (3000)" },
  loss: { min: 0, max: 99, about: "per cent of datagrams between regions that are lost, each way (0)" },
  rtt: {
    min: 0,
    max: 10_000,
    about: "ms there and back between any two regions (90 to 220, as the regions are)",
  },
};
const DEFAULT_PORT = 3_000;

/** Throws ClusterOptionError. */
export function readClusterOptions(args: readonly string[]): ClusterOptions {
  const given = new Map<string, number>();
  const words = args.flatMap((argument) => argument.split(/(?<=^--[a-z]+)=/));
  for (let at = 0; at < words.length; at += 2) {
    const name = words[at]!.replace(/^--/, "");
    if (!Object.hasOwn(OPTIONS, name) || name === words[at]) {
      throw new ClusterOptionError(`There is no option ${words[at]}: --help lists those there are.`);
    }
    const { min, max } = OPTIONS[name as keyof typeof OPTIONS];
    const text = words[at + 1] ?? "";
    const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
    const isWhole = name !== "port" || Number.isInteger(value);
    if (!(value >= min && value <= max && isWhole)) {
      throw new ClusterOptionError(`--${name} takes a number from ${min} to ${max}, not "${text}".`);
    }
    given.set(name, value);
  }
  return {
    port: given.get("port") ?? DEFAULT_PORT,
    loss: (given.get("loss") ?? 0) / 100,
    rttMs: given.get("rtt"),
  };
}

export function clusterHelp(): string {
  const lines = Object.entries(OPTIONS).map(
    ([name, { min, max, about }]) => `  --${name} ${min}..${max}`.padEnd(20) + about,
  );
  return [
    "npm run cluster -- [options]: etcd, two gateways, five relays in three regions, two bridges.",
    ...lines,
  ].join("\n");
}
