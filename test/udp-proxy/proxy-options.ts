/**
 * The proxy's command line: `--name value` or `--name=value` becomes what happens to each direction, or one sentence
 * that names the option and says what is allowed.
 */
import { type ImpairmentOptions, NO_IMPAIRMENT } from "./impairment.ts";

export interface ProxyOptions {
  listen: number;
  to: number;
  seed: number;
  /** Clients come from another address each so many seconds, or what they came with is cut off; 0 = never. */
  rebindEvery: number;
  cutEvery: number;
  up: ImpairmentOptions;
  down: ImpairmentOptions;
}

/** The command line cannot be followed; `message` is one line for the person who typed it. */
export class ProxyOptionError extends Error {
  override readonly name = "ProxyOptionError";
}

interface Allowed {
  /** As in "takes <kind> from <min> to <max>". */
  kind: string;
  min: number;
  max: number;
  default: number;
  about: string;
}

/** Given once, for the whole proxy. */
const COMMON = {
  to: { kind: "a UDP port", min: 1, max: 65_535, default: 4_433, about: "port of the relay" },
  listen: { kind: "a UDP port", min: 0, max: 65_535, default: 15_433, about: "port of the proxy, 0 = any" },
  seed: { kind: "a whole number", min: 0, max: 1_000_000, default: 1, about: "of the randomness" },
  "rebind-every": {
    kind: "seconds",
    min: 0,
    max: 86_400,
    default: 0,
    about: "clients come from another address each time, as behind a NAT",
  },
  "cut-every": {
    kind: "seconds",
    min: 0,
    max: 86_400,
    default: 0,
    about: "nothing passes of known clients any more, as when a network is left",
  },
} satisfies Record<string, Allowed>;

/** Of a direction: plain for both, behind `up-` or `down-` for one. */
const ROAD = {
  delay: { kind: "ms", min: 0, max: 10_000, default: 0, about: "one way" },
  jitter: { kind: "ms", min: 0, max: 10_000, default: 0, about: "added at random, from 0 to this" },
  loss: { kind: "per cent", min: 0, max: 99, default: 0, about: "datagrams lost" },
  burst: { kind: "ms", min: 0, max: 10_000, default: 0, about: "mean length of losses, 0 = each by itself" },
  queue: {
    kind: "ms",
    min: 0,
    max: 60_000,
    default: NO_IMPAIRMENT.queueMs,
    about: "longest queue at the rate",
  },
} satisfies Record<string, Allowed>;

const RATE_ABOUT = "bottleneck, as in 2mbit, 500kbit or 500 (kb/s), 0 = none";
const RTT: Allowed = {
  kind: "ms",
  min: 0,
  max: 20_000,
  default: 0,
  about: "round trip, half of it each way",
};
const WHOLE = new Set(["a UDP port", "a whole number"]);
const BIT_UNITS: Readonly<Record<string, number>> = { "": 1e3, kbit: 1e3, mbit: 1e6, gbit: 1e9 };
const MAX_RATE_BPS = 100e9;

type Given = ReadonlyMap<string, string>;

/** @throws ProxyOptionError */
export function readProxyOptions(args: readonly string[]): ProxyOptions {
  const given = collect(args);
  if (given.has("rtt")) {
    const other = ["delay", "up-delay", "down-delay"].find((name) => given.has(name));
    if (other !== undefined) {
      throw new ProxyOptionError(`--rtt is the delay of both ways together: leave out --rtt or --${other}.`);
    }
  }
  const common = (name: keyof typeof COMMON): number => numberOf(given, [name], COMMON[name]);
  return {
    to: common("to"),
    listen: common("listen"),
    seed: common("seed"),
    rebindEvery: common("rebind-every"),
    cutEvery: common("cut-every"),
    up: roadOf(given, "up-"),
    down: roadOf(given, "down-"),
  };
}

export function proxyHelp(): string {
  const line = (name: string, range: string, about: string, usual: number): string =>
    `  --${name} ${range}`.padEnd(22) + about + (usual === 0 ? "" : ` (${usual})`);
  const lines = (table: Record<string, Allowed>): string[] =>
    Object.entries(table).map(([name, one]) =>
      line(name, `${one.min}..${one.max}`, `${one.kind}, ${one.about}`, one.default),
    );
  return [
    "npm run proxy -- [options]: a bad network before a relay on this machine.",
    ...lines(COMMON),
    "Both ways, or one of them with up- (to the relay) or down- before the name:",
    ...lines(ROAD),
    line("rate", "RATE", RATE_ABOUT, 0),
    "Both ways only:",
    ...lines({ rtt: RTT }),
    line("reorder", "", "jitter may bring datagrams out of order", 0),
  ].join("\n");
}

/** Options as they were typed, without the dashes. */
function collect(args: readonly string[]): Given {
  const plain = [...Object.keys(ROAD), "rate"];
  const valued = [
    ...Object.keys(COMMON),
    "rtt",
    ...["", "up-", "down-"].flatMap((prefix) => plain.map((name) => prefix + name)),
  ];
  const given = new Map<string, string>();
  for (let at = 0; at < args.length; at++) {
    const [, name = "", inline] = /^--([a-z-]+)(?:=(.*))?$/.exec(args[at]!) ?? [];
    if (name === "reorder" && inline === undefined) {
      given.set(name, "");
      continue;
    }
    if (!valued.includes(name)) {
      throw new ProxyOptionError(`There is no option ${args[at]}: --help lists those there are.`);
    }
    const next = args[at + 1];
    const value = inline ?? (next === undefined || next.startsWith("--") ? undefined : args[++at]);
    if (value === undefined) throw new ProxyOptionError(`--${name} takes a value: --help says which.`);
    given.set(name, value);
  }
  return given;
}

function roadOf(given: Given, prefix: "up-" | "down-"): ImpairmentOptions {
  const one = (name: keyof typeof ROAD): number => numberOf(given, [prefix + name, name], ROAD[name]);
  return {
    delayMs: given.has("rtt") ? numberOf(given, ["rtt"], RTT) / 2 : one("delay"),
    jitterMs: one("jitter"),
    loss: one("loss") / 100,
    burstMs: one("burst"),
    rateBps: rateOf(given, [`${prefix}rate`, "rate"]),
    queueMs: one("queue"),
    reorder: given.has("reorder"),
  };
}

/** The value of the first of `names` that was given. */
function numberOf(given: Given, names: readonly string[], allowed: Allowed): number {
  const name = names.find((one) => given.has(one));
  if (name === undefined) return allowed.default;
  const { kind, min, max } = allowed;
  const text = given.get(name)!;
  const plain = kind === "seconds" ? text.replace(/s$/, "") : text;
  const value = plain.trim() === "" ? Number.NaN : Number(plain);
  if (value >= min && value <= max && (!WHOLE.has(kind) || Number.isInteger(value))) return value;
  throw new ProxyOptionError(`--${name} takes ${kind} from ${min} to ${max}, not "${text}".`);
}

/** Bits a second, 0 = no bottleneck. */
function rateOf(given: Given, names: readonly string[]): number {
  const name = names.find((one) => given.has(one));
  if (name === undefined) return 0;
  const text = given.get(name)!;
  const [, amount, unit = ""] = /^(\d+(?:\.\d+)?)([a-z]*)$/i.exec(text) ?? [];
  const factor = Object.hasOwn(BIT_UNITS, unit.toLowerCase()) ? BIT_UNITS[unit.toLowerCase()]! : Number.NaN;
  const rateBps = Number(amount) * factor;
  // A bottleneck of less than 1 kb/s would take minutes for a datagram.
  if (rateBps === 0 || (rateBps >= 1e3 && rateBps <= MAX_RATE_BPS)) return rateBps;
  throw new ProxyOptionError(
    `--${name} takes a rate from 1kbit to 100gbit, as in 2mbit, 500kbit or 500 (kb/s), or 0 for none, not "${text}".`,
  );
}
