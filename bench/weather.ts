/**
 * `npm run bench -- weather`: a call over bad roads, Tributary beside the browser's own WebRTC. For each road the same
 * clip goes through the UDP proxy in both systems, one after the other, and is measured from outside by one method
 * (bench/media); a third row compares them.
 *
 * WebRTC's two pages speak to each other over one such road. Tributary's two pages speak to the relay, each over such a
 * road: its media crosses two, with twice the delay and twice the loss; with `--roads 1` only the viewer's is one.
 * Delays are capture to ear and eye, roads included. Concealed sound, buffer delays, received bit rate (media and repair,
 * without headers of datagrams) and picture width are each system's own account; WebRTC's picture buffer is counted from
 * a picture's first datagram, ours from capture less the roads, so with capture and encoding in it. The rest is measured
 * from outside. The proxy runs in this process, on this machine: a row of a busy machine says so and means little.
 */
import { writeFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import type { Browser } from "playwright-core";
import { freeUdpPort } from "../test/e2e/tributary.ts";
import { openBrowser, type PageSettings } from "./media/browser.ts";
import type { Account, CallSystem, Viewer } from "./media/call-system.ts";
import { tooBusy, watchLoad } from "./media/machine-load.ts";
import { type EmittedBursts, type ProbeNotes, readFigures } from "./media/readings.ts";
import { openTributaryCall } from "./media/tributary-call.ts";
import { openWebRtcCall } from "./media/webrtc-call.ts";
import { type Figures, note, quantile, type RowParameters, readOptions, reportRow } from "./report.ts";
import {
  CALM,
  type Conditions,
  compare,
  impairmentOf,
  isPlainLoss,
  ownTarget,
  ROWS,
  ratioTarget,
} from "./weather/conditions.ts";
import { accountFigures, recoveredMs } from "./weather/figures.ts";
import { drawWeather, type Measured } from "./weather/picture.ts";
import { Road } from "./weather/road.ts";

const options = readOptions({
  seconds: { default: 60, min: 5, max: 3_600, about: "measured time of each system on each road" },
  warmup: { default: 8, min: 0, max: 600, about: "seconds from the join to the measured time" },
  rows: { default: "all", oneOf: ["all", "loss"], about: "whole table, or its rows of random loss only" },
  system: { default: "both", oneOf: ["both", "tributary", "webrtc"], about: "what is measured" },
  roads: { default: 2, min: 1, max: 2, whole: true, about: "roads of Tributary's media; 1 = viewer's only" },
  loss: { default: null, min: 0, max: 90, about: "one road of your own: per cent lost each way" },
  rtt: { default: null, min: 0, max: 2_000, about: "its round trip, ms (80)" },
  burst: { default: null, min: 0, max: 5_000, about: "mean burst of losses, ms; 0 = each by itself" },
  jitter: { default: null, min: 0, max: 1_000, about: "added to the delay, uniform, ms" },
  rate: { default: null, min: 0, max: 1_000_000, about: "bottleneck each way, kb/s; 0 = none" },
  queue: { default: CALM.queueMs, min: 0, max: 10_000, about: "longest queue of the bottleneck, ms" },
  outage: { default: null, min: 0, max: 60, about: "seconds without anything, in the middle" },
  kbps: { default: 1_000, min: 100, max: 10_000, about: "upper bound of WebRTC's video bitrate" },
  seed: { default: 1, min: 0, max: 2 ** 31, whole: true, about: "losses, texture, times of the bursts" },
  picture: { default: "", text: "path", about: "draw the rows of random loss as an SVG" },
});

const LOOK_EVERY_MS = 500;
const QUEUE_LOOK_EVERY_MS = 50;
/** A join through one fifth of loss takes its time. */
const FIRST_MEDIA_TIMEOUT_MS = 20_000;

const interrupt = new AbortController();
const pause = (ms: number) => wait(ms, undefined, { signal: interrupt.signal });
const settings: PageSettings = { seed: options.seed, sourceNumber: 1, maxBitrateBps: options.kbps * 1_000 };

function chosenRows(): readonly Conditions[] {
  const { loss, rtt, burst, jitter, rate, outage, queue: queueMs } = options;
  if ([loss, rtt, burst, jitter, rate, outage].every((value) => value === null))
    return ROWS.filter((row) => options.rows === "all" || (isPlainLoss(row) && row.rttMs === CALM.rttMs));
  return [
    {
      loss: loss ?? CALM.loss,
      rttMs: rtt ?? CALM.rttMs,
      burstMs: burst ?? CALM.burstMs,
      jitterMs: jitter ?? CALM.jitterMs,
      rateKbps: rate ?? CALM.rateKbps,
      outageS: outage ?? CALM.outageS,
      queueMs,
    },
  ];
}

async function notesOf(viewer: Viewer): Promise<ProbeNotes> {
  return viewer.page.evaluate("globalThis.benchProbe");
}

/** Waits until both have come; how long each took since the join, null where it did not come. */
async function firstMedia(viewer: Viewer): Promise<Figures> {
  const giveUpMs = Date.now() + FIRST_MEDIA_TIMEOUT_MS;
  let notes = await notesOf(viewer);
  while ((notes.firstPictureMs === 0 || notes.firstSoundMs === 0) && Date.now() < giveUpMs) {
    await pause(100);
    notes = await notesOf(viewer);
  }
  const since = (wallMs: number) => (wallMs === 0 ? null : wallMs - viewer.joinedAtMs);
  return { firstPictureMs: since(notes.firstPictureMs), firstSoundMs: since(notes.firstSoundMs) };
}

interface Watched {
  accounts: Account[];
  queueMs: number[];
  /** Wall clock, null without an outage. */
  outageEndMs: number | null;
}

/** Looks at everything from now until `toMs`; the outage begins after a third of that time. */
async function watch(viewer: Viewer, road: Road, outageS: number, toMs: number): Promise<Watched> {
  const watched: Watched = { accounts: [await viewer.account()], queueMs: [], outageEndMs: null };
  const cutMs = outageS > 0 ? Date.now() + (toMs - Date.now()) / 3 : Number.POSITIVE_INFINITY;
  const mendMs = cutMs + outageS * 1_000;
  let isCut = false;
  let lookMs = Date.now() + LOOK_EVERY_MS;
  for (let nowMs = Date.now(); nowMs < toMs; nowMs = Date.now()) {
    if (!isCut && watched.outageEndMs === null && nowMs >= cutMs) {
      road.cut();
      isCut = true;
    } else if (isCut && nowMs >= mendMs) {
      road.mend();
      isCut = false;
      watched.outageEndMs = nowMs;
    }
    watched.queueMs.push(road.queuedMs());
    if (nowMs >= lookMs) {
      watched.accounts.push(await viewer.account());
      lookMs = nowMs + LOOK_EVERY_MS;
    }
    await pause(QUEUE_LOOK_EVERY_MS);
  }
  watched.accounts.push(await viewer.account());
  return watched;
}

async function measure(
  call: CallSystem,
  road: Road,
  conditions: Conditions,
  roadMs: number,
): Promise<Figures> {
  const viewer = await call.join();
  const first = await firstMedia(viewer);
  await pause(options.warmup * 1_000);
  const before = await notesOf(viewer);
  const countsBefore = road.counts();
  const busyShareOf = watchLoad();
  const fromMs = Date.now();
  const watched = await watch(viewer, road, conditions.outageS, fromMs + options.seconds * 1_000);
  const toMs = Date.now();
  const machineBusyShare = busyShareOf();
  const counts = road.counts();
  // What was captured until now must arrive before it is counted as missing.
  await pause(1_000 + conditions.rttMs);
  const notes = await notesOf(viewer);
  const emitted = (await call.source.evaluate("benchSource.bursts")) as EmittedBursts;
  await viewer.leave();
  const warning = tooBusy(machineBusyShare);
  if (warning !== undefined) note(warning);
  const forwarded = counts.forwarded - countsBefore.forwarded;
  const lost = counts.lost - countsBefore.lost;
  const { outageEndMs } = watched;
  return {
    ...readFigures(notes, emitted, fromMs, toMs),
    silentShare: (notes.silentMs - before.silentMs) / (toMs - fromMs),
    ...accountFigures(watched.accounts, roadMs),
    ...(conditions.rateKbps > 0 ? { queueP95Ms: quantile(watched.queueMs, 0.95) } : {}),
    ...(outageEndMs === null ? {} : { recoveredMs: recoveredMs(notes, emitted, outageEndMs, toMs) }),
    ...first,
    roadLostShare: forwarded + lost === 0 ? null : lost / (forwarded + lost),
    machineBusyShare,
  };
}

async function overTributary(browser: Browser, conditions: Conditions): Promise<Figures> {
  const road = new Road(impairmentOf(conditions), options.seed);
  try {
    const relayPort = await freeUdpPort();
    const roadPort = await road.open(relayPort);
    const environment = {
      RELAY_PORT: String(relayPort),
      RELAY_PUBLIC_URL: `https://127.0.0.1:${roadPort}`,
    };
    const direct = options.roads === 1 ? { toldPort: roadPort, usedPort: relayPort } : undefined;
    const call = await openTributaryCall(browser, settings, note, environment, direct);
    try {
      return await measure(call, road, conditions, (options.roads * conditions.rttMs) / 2);
    } finally {
      await call.close();
    }
  } finally {
    await road.close();
  }
}

async function overWebRtc(browser: Browser, conditions: Conditions): Promise<Figures> {
  const road = new Road(impairmentOf(conditions), options.seed);
  try {
    const call = await openWebRtcCall(browser, settings, note, (port, address) => road.open(port, address));
    try {
      return await measure(call, road, conditions, 0);
    } finally {
      await call.close();
    }
  } finally {
    await road.close();
  }
}

async function runRow(browser: Browser, conditions: Conditions): Promise<Measured> {
  const row: RowParameters = { ...conditions, seconds: options.seconds, seed: options.seed };
  const chromium = browser.version();
  const measured: Measured = { conditions };
  note(`${JSON.stringify(conditions)}...`);
  if (options.system !== "webrtc") {
    const figures = await overTributary(browser, conditions);
    const own = { system: "tributary", ...row, roads: options.roads, chromium };
    reportRow({ bench: "weather", row: own, figures, target: ownTarget(conditions) });
    measured.ours = figures;
  }
  if (options.system !== "tributary") {
    const figures = await overWebRtc(browser, conditions);
    const peer = { system: "webrtc", ...row, roads: 1, maxKbps: options.kbps, codecs: "H264+opus", chromium };
    reportRow({ bench: "weather", row: peer, figures });
    measured.theirs = figures;
  }
  const { ours, theirs } = measured;
  if (ours !== undefined && theirs !== undefined) {
    const figures = compare(ours, theirs);
    reportRow({
      bench: "weather",
      row: { system: "ratio", ...row },
      figures,
      target: ratioTarget(conditions),
    });
  }
  return measured;
}

async function run(browser: Browser): Promise<void> {
  const measured: Measured[] = [];
  for (const conditions of chosenRows()) measured.push(await runRow(browser, conditions));
  if (options.picture === "") return;
  const command = `npm run bench -- weather ${process.argv.slice(2).join(" ")}`;
  writeFileSync(
    options.picture,
    drawWeather(measured, command, `Chromium ${browser.version()}`, options.roads),
  );
  note(`Drawn: ${options.picture}`);
}

const browser = await openBrowser();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  // What runs then fails, and what was started is ended on the way out.
  process.once(signal, () => {
    interrupt.abort();
    browser.close().catch((error) => note(`Chromium did not close: ${error}`));
  });
}
try {
  await run(browser);
} catch (error) {
  const why = error instanceof Error ? error.message : String(error);
  note(interrupt.signal.aborted ? "Interrupted." : `The weather could not be measured: ${why}`);
  process.exitCode = 1;
} finally {
  await browser.close();
}
