/**
 * `npm run bench -- call`: a call between two Chromium pages, Tributary beside the browser's own WebRTC. The same clip
 * goes through both in one run, and both are measured from outside by one method (bench/media): capture to screen,
 * capture to speaker buffer, join to first sound and picture.
 *
 * "Join" begins with the application's call and ends when the first picture stands on the screen and the first sound is
 * in the speaker buffer; somebody else publishes already. WebRTC is called page to page with signalling at hand, so it
 * spends no round trip on a server. The A/V offset is taken at the speaker buffer: the output device's own latency, the
 * same for both systems, makes the sound at the ear that much later.
 */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import type { Browser } from "playwright-core";
import { freeUdpPort } from "../test/e2e/tributary.ts";
import { browserCpuSeconds, openBrowser, type PageSettings } from "./media/browser.ts";
import type { CallSystem, Viewer } from "./media/call-system.ts";
import { tooBusy, watchLoad } from "./media/machine-load.ts";
import { type EmittedBursts, type ProbeNotes, readFigures } from "./media/readings.ts";
import { openTributaryCall } from "./media/tributary-call.ts";
import { openWebRtcCall } from "./media/webrtc-call.ts";
import { type Figures, median, note, readOptions, reportRow, type Target } from "./report.ts";

const options = readOptions({
  seconds: { default: 20, min: 2, max: 3_600, about: "measured time of each system" },
  warmup: { default: 4, min: 0, max: 600, about: "seconds from the last join to the measured time" },
  joins: { default: 5, min: 1, max: 100, whole: true, about: "joins of each system; figures are medians" },
  kbps: { default: 1_000, min: 100, max: 10_000, about: "upper bound of WebRTC's video bitrate" },
  seed: {
    default: 1,
    min: 0,
    max: 2 ** 31,
    whole: true,
    about: "texture of the picture, times of the bursts",
  },
  udp: {
    default: "on",
    oneOf: ["on", "off"],
    about: "off: a network without UDP, so that ours goes over TCP",
  },
  system: { default: "both", oneOf: ["both", "tributary", "webrtc"], about: "what is measured" },
});

/** From issue and README: what a call on one machine must keep to. */
const TARGET: Record<string, Target> = {
  audioDelayP50Ms: "<= 80",
  videoDelayP50Ms: "<= 80",
  joinMs: options.udp === "off" ? "<= 1500" : "<= 500",
  fps: ">= 29",
  avOffsetP50Ms: "+- 45",
};
/** Smaller is better in all of these. */
const RATIOS = [
  "audioDelayP50Ms",
  "audioDelayP95Ms",
  "videoDelayP50Ms",
  "videoDelayP95Ms",
  "joinMs",
  "browserCores",
];
const FIRST_MEDIA_TIMEOUT_MS = 10_000;

const interrupt = new AbortController();
const pause = (ms: number) => wait(ms, undefined, { signal: interrupt.signal });
const settings: PageSettings = { seed: options.seed, sourceNumber: 1, maxBitrateBps: options.kbps * 1_000 };

async function notesOf(viewer: Viewer): Promise<ProbeNotes> {
  return viewer.page.evaluate("globalThis.benchProbe");
}

/** Waits for the first sound and picture; milliseconds of each since the join began, null where it did not come. */
async function firstMedia(viewer: Viewer): Promise<{ soundMs: number | null; pictureMs: number | null }> {
  const giveUpMs = Date.now() + FIRST_MEDIA_TIMEOUT_MS;
  let notes = await notesOf(viewer);
  while ((notes.firstPictureMs === 0 || notes.firstSoundMs === 0) && Date.now() < giveUpMs) {
    await pause(100);
    notes = await notesOf(viewer);
  }
  const since = (wallMs: number) => (wallMs === 0 ? null : wallMs - viewer.joinedAtMs);
  return { soundMs: since(notes.firstSoundMs), pictureMs: since(notes.firstPictureMs) };
}

/** Joins several times; the last viewer stays. */
async function measureJoins(call: CallSystem): Promise<{ figures: Figures; viewer: Viewer }> {
  const soundMs: number[] = [];
  const pictureMs: number[] = [];
  const bothMs: number[] = [];
  for (let join = 1; ; join++) {
    const viewer = await call.join();
    const first = await firstMedia(viewer);
    if (first.soundMs !== null) soundMs.push(first.soundMs);
    if (first.pictureMs !== null) pictureMs.push(first.pictureMs);
    if (first.soundMs !== null && first.pictureMs !== null)
      bothMs.push(Math.max(first.soundMs, first.pictureMs));
    if (join === options.joins) {
      const complete = bothMs.length === options.joins;
      return {
        viewer,
        figures: {
          joinMs: complete ? median(bothMs) : null,
          joinMaxMs: complete ? Math.max(...bothMs) : null,
          lateJoinPictureMs: median(pictureMs),
          lateJoinSoundMs: median(soundMs),
        },
      };
    }
    await viewer.leave();
    await pause(500);
  }
}

async function measure(browser: Browser, call: CallSystem): Promise<Figures> {
  const { figures, viewer } = await measureJoins(call);
  await pause(options.warmup * 1_000);
  const before = await notesOf(viewer);
  const cpuBefore = await browserCpuSeconds(browser);
  const busyShareOf = watchLoad();
  const fromMs = Date.now();
  await pause(options.seconds * 1_000);
  const toMs = Date.now();
  const busyShare = busyShareOf();
  const cpuAfter = await browserCpuSeconds(browser);
  // What was captured until now must arrive before it is counted as missing.
  await pause(1_000);
  const notes = await notesOf(viewer);
  const emitted = (await call.source.evaluate("benchSource.bursts")) as EmittedBursts;
  const own = await viewer.ownFigures();
  await viewer.leave();
  const warning = tooBusy(busyShare);
  if (warning !== undefined) note(warning);
  return {
    ...readFigures(notes, emitted, fromMs, toMs),
    ...figures,
    silentShare: (notes.silentMs - before.silentMs) / (toMs - fromMs),
    browserCores: ((cpuAfter - cpuBefore) * 1_000) / (toMs - fromMs),
    machineBusyShare: busyShare,
    probeShare: (notes.readingMs - before.readingMs) / (toMs - fromMs),
    ...own,
  };
}

function ratios(ours: Figures, theirs: Figures): Figures {
  const found: Figures = {};
  for (const name of RATIOS) {
    const mine = ours[name];
    const other = theirs[name];
    found[name] = mine != null && other != null && other > 0 ? mine / other : null;
  }
  return found;
}

async function run(browser: Browser): Promise<void> {
  const version = browser.version();
  const row = { seconds: options.seconds, joins: options.joins, seed: options.seed };
  let ours: Figures | undefined;
  if (options.system !== "webrtc") {
    note("Tributary: gateway and relay on this machine, two pages...");
    const mute = createSocket("udp4");
    mute.bind(0, "127.0.0.1");
    await once(mute, "listening");
    // What is sent there is not answered, as behind a firewall.
    const port = await freeUdpPort();
    const road = {
      RELAY_PORT: String(port),
      RELAY_PUBLIC_URL: `https://127.0.0.1:${mute.address().port}`,
      RELAY_TCP_PUBLIC_URL: `https://127.0.0.1:${port}`,
    };
    const call = await openTributaryCall(browser, settings, note, options.udp === "off" ? road : {});
    try {
      ours = await measure(browser, call);
    } finally {
      await call.close();
      mute.close();
    }
    reportRow({
      bench: "call",
      row: { system: "tributary", udp: options.udp, ...row, chromium: version },
      figures: ours,
      target: TARGET,
    });
  }
  if (options.system === "tributary") return;
  note("WebRTC: the same clip between two pages...");
  const call = await openWebRtcCall(browser, settings, note);
  try {
    const theirs = await measure(browser, call);
    const peer = { system: "webrtc", ...row, maxKbps: options.kbps, codecs: "H264+opus", chromium: version };
    reportRow({ bench: "call", row: peer, figures: theirs });
    if (ours !== undefined)
      reportRow({ bench: "call", row: { system: "ratio", ...row }, figures: ratios(ours, theirs) });
  } finally {
    await call.close();
  }
}

// The relay makes its certificate itself, and browsers take its hash for WebTransport only.
const browser = await openBrowser(options.udp === "off" ? ["--ignore-certificate-errors"] : []);
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
  note(interrupt.signal.aborted ? "Interrupted." : `The call could not be measured: ${why}`);
  process.exitCode = 1;
} finally {
  await browser.close();
}
