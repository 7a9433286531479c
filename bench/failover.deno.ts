/**
 * `npm run bench -- failover`: relays of a room are killed, drained and cut off from etcd: how long listeners are without media, and whether the room is whole afterwards.
 * Real processes on loopback: an etcd and four relays; the room's relays are a chain (root, middle, leaf). One participant on the root
 * publishes 50 units of sound and 30 pictures a second; one on each relay listens, all in this process. They move by themselves
 * after 450 ms without a sign of their relay. A gap is the longest time without a unit that can be used (sound or picture, whichever is
 * longer), less the usual time between two. The control is a listener to whom nothing is done: what it misses, the machine was too busy
 * for. Needs etcd (ETCD_PATH, or where Debian puts it). Rows with a `page` are of Chromium pages (bench/failover/pages.ts).
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { systemClock } from "../relay/serving/clock.ts";
import { ensureEtcd } from "../test/etcd-binary.mjs";
import { pause, ROLES, type Role, Stage } from "./failover/stage.ts";
import { type Figures, note, quantile, readOptions, reportRow } from "./report.ts";

const options = readOptions({
  what: {
    default: "all",
    oneOf: ["all", "kill", "pages", "drain", "etcd"],
    about: "rows to measure",
  },
  times: { default: 10, min: 1, max: 1_000, whole: true, about: "kills of each kind of relay" },
  rtt: { default: 0, min: 0, max: 1_000, about: "ms there and back between the two regions of the pages" },
  drains: { default: 3, min: 1, max: 1_000, whole: true, about: "drains of each kind of relay" },
  outage: { default: 15, min: 1, max: 3_600, about: "seconds for which etcd is away" },
});

/** Watched so long after a relay was killed, or asked to drain. */
const KILL_WATCH_MS = 4_000;
const DRAIN_WATCH_MS = 3_000;
/** What etcd has lost is there again within this. */
const RECOVERY_MS = 30_000;
const LOOK_MS = 50;

/** A time in which the control was without sound for longer is measured anew, so often at most for each that counts. */
const DISTURBED_MS = 12;
const TRIES = 4;

/** Of one listener, a value a time. */
interface Gaps {
  sound: number[];
  media: number[];
  /** Units of sound that never came. */
  lost: number[];
}

interface Measured {
  gaps: Map<Role, Gaps>;
  /** Longest gap of the control, each time. */
  control: number[];
  /** Times after which the room was whole. */
  intact: number;
}

function emptyMeasured(): Measured {
  return {
    gaps: new Map(ROLES.map((role) => [role, { sound: [], media: [], lost: [] }])),
    control: [],
    intact: 0,
  };
}

/** Does `harm` to a fresh room `times` times. `isQuietNeeded`: disturbed times are repeated. */
async function measure(
  stage: Stage,
  times: number,
  watchMs: number,
  isQuietNeeded: boolean,
  harm: () => void,
): Promise<Measured> {
  const measured = emptyMeasured();
  let spareTries = isQuietNeeded ? times * (TRIES - 1) : 0;
  while (measured.control.length < times) {
    const room = await stage.openRoom();
    harm();
    await pause(watchMs);
    const nowUs = systemClock.nowUs();
    const controlMs = stage.control.sound.longestMs(nowUs);
    if (controlMs > DISTURBED_MS && spareTries-- > 0) {
      await room.close();
      continue;
    }
    measured.control.push(controlMs);
    for (const [role, { sound, pictures }] of room.listeners) {
      const of = measured.gaps.get(role)!;
      of.sound.push(sound.longestMs(nowUs));
      of.media.push(Math.max(sound.longestMs(nowUs), pictures.longestMs(nowUs)));
      of.lost.push(sound.lost);
    }
    if (room.isIntact) measured.intact++;
    await room.close();
  }
  return measured;
}

function figuresOf({ gaps, control, intact }: Measured, listener: Role): Figures {
  const { sound, media, lost } = gaps.get(listener)!;
  return {
    gapP50Ms: quantile(media, 0.5),
    gapP95Ms: quantile(media, 0.95),
    gapMaxMs: Math.max(...media),
    soundGapP50Ms: quantile(sound, 0.5),
    soundGapMaxMs: Math.max(...sound),
    soundLostMax: Math.max(...lost),
    controlGapMaxMs: Math.max(...control),
    intactShare: intact / control.length,
  };
}

async function reportKills(stage: Stage, role: Role): Promise<void> {
  const { times } = options;
  note(`killing the ${role}, ${times} times ...`);
  const measured = await measure(stage, times, KILL_WATCH_MS, false, () =>
    stage.relays.get(role)!.kill("SIGKILL"),
  );
  for (const listener of ROLES) {
    reportRow({
      bench: "failover",
      row: { kill: role, listener, times },
      figures: figuresOf(measured, listener),
      target: { gapP50Ms: "<= 700", gapP95Ms: "<= 1200", intactShare: ">= 1" },
    });
  }
}

/** The same in Chromium; its rows go where ours go. */
async function reportPages(): Promise<void> {
  const args = [
    "--import",
    "tsx",
    "bench/failover/pages.ts",
    "--times",
    `${options.times}`,
    "--rtt",
    `${options.rtt}`,
  ];
  const pages = spawn("node", args, { stdio: ["ignore", "inherit", "inherit"] });
  const [code] = (await once(pages, "exit")) as [number | null];
  if (code !== 0) throw new Error("the rows of Chromium pages could not be measured: see above");
}

async function reportDrains(stage: Stage, role: Role): Promise<void> {
  const { drains: times } = options;
  note(`draining the ${role}, ${times} times ...`);
  const measured = await measure(stage, times, DRAIN_WATCH_MS, true, () =>
    stage.relays.get(role)!.kill("SIGTERM"),
  );
  for (const listener of ROLES) {
    reportRow({
      bench: "failover",
      row: { drain: role, listener, times },
      figures: figuresOf(measured, listener),
      target: { soundGapMaxMs: "<= 20", soundLostMax: "<= 0", intactShare: ">= 1" },
    });
  }
}

/** etcd goes away and comes back, with what it knew or without. */
async function reportOutage(stage: Stage, isForgetful: boolean): Promise<void> {
  const outage = isForgetful ? 1 : options.outage;
  note(`etcd is away for ${outage} s${isForgetful ? " and forgets everything" : ""} ...`);
  const room = await stage.openRoom();
  await stage.etcd.kill();
  if (isForgetful) await stage.etcd.forget();
  let joins = 0;
  const places = ["root", "middle", "leaf", "spare"] as const;
  await pause(outage * 500);
  for (const place of isForgetful ? [] : places) {
    if (await room.visit(place).catch(() => false)) joins++;
  }
  await pause(outage * 500);
  await stage.etcd.restart();
  const startUs = systemClock.nowUs();
  const isKnown = async (): Promise<boolean> => (await roomsInEtcd(stage)).includes(room.name);
  while (!(await isKnown()) && systemClock.nowUs() - startUs < RECOVERY_MS * 1_000) await pause(LOOK_MS);
  const knownAgainMs = (await isKnown()) ? (systemClock.nowUs() - startUs) / 1_000 : null;
  const nowUs = systemClock.nowUs();
  const sounds = [...room.listeners.values()].map(({ sound }) => sound);
  const intactShare = room.isIntact ? 1 : 0;
  await room.close();
  const common = {
    soundGapMaxMs: Math.max(...sounds.map((sound) => sound.longestMs(nowUs))),
    soundLostMax: Math.max(...sounds.map(({ lost }) => lost)),
    controlGapMaxMs: stage.control.sound.longestMs(nowUs),
    intactShare,
    knownAgainMs,
  };
  const target = { soundLostMax: "<= 0", intactShare: ">= 1", knownAgainMs: `<= ${RECOVERY_MS}` } as const;
  reportRow({
    bench: "failover",
    row: { etcd: isForgetful ? "comes back empty" : "away", outageSeconds: outage },
    figures: isForgetful ? common : { ...common, joinedShare: joins / places.length },
    target: isForgetful ? target : { ...target, joinedShare: ">= 1" },
  });
}

/** Rooms that etcd knows a root of. */
async function roomsInEtcd(stage: Stage): Promise<string[]> {
  const prefix = "tributary/rooms/";
  const range = { key: btoa(prefix), range_end: btoa(`${prefix.slice(0, -1)}0`), keys_only: true };
  const { kvs = [] } = (await stage.etcd.post("/v3/kv/range", range)) as { kvs?: { key: string }[] };
  return kvs.map(({ key }) => decodeURIComponent(atob(key).slice(prefix.length)));
}

process.env.ETCD_PATH = await ensureEtcd(note);
const stage = await Stage.open();
try {
  const isWanted = (what: string): boolean => options.what === "all" || options.what === what;
  if (isWanted("kill"))
    for (const role of ["leaf", "middle", "root"] as const) await reportKills(stage, role);
  if (isWanted("pages")) await reportPages();
  if (isWanted("drain"))
    for (const role of ["leaf", "middle", "root"] as const) await reportDrains(stage, role);
  if (isWanted("etcd")) for (const isForgetful of [false, true]) await reportOutage(stage, isForgetful);
} finally {
  await stage.close();
}
process.exit(0);
