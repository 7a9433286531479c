/**
 * `npm run bench -- egress`: two Chromium pages talk in turns in a room of `npm start`, whose programme goes by RTMP to nginx: are both heard, is who speaks seen, and how far do sound and picture lie apart in what nginx got.
 * Pictures carry the wall clock as a barcode, sounds are bursts whose wall clock is known (bench/media/source-page.js). At each turn one
 * is muted and the other unmuted. Needs Debian's nginx with libnginx-mod-rtmp, ffmpeg and Chromium.
 */
import type { Browser, Page } from "playwright-core";
import { NginxRtmp } from "../test/bridge/nginx-rtmp.ts";
import { samplesOf, streamsOf, unitsOf } from "../test/bridge/received-media.ts";
import { type RunningTributary, startTributary } from "../test/e2e/tributary.ts";
import { heardBursts, offsetsOf, type SeenPicture, seenPictures, voiceLevels } from "./egress/received.ts";
import { openBrowser, openContext, watchErrors } from "./media/browser.ts";
import { tooBusy, watchLoad } from "./media/machine-load.ts";
import type { EmittedBursts } from "./media/readings.ts";
import { type Figures, note, quantile, readOptions, reportRow } from "./report.ts";

const options = readOptions({
  seconds: { default: 60, min: 10, max: 36_000, about: "how long they talk" },
  turn: { default: 8, min: 3, max: 600, about: "seconds that one speaks" },
});

const ROOM = "egress";
const PEOPLE = ["ann", "bob"] as const;
const KEY = "programme";
const SETTLE_MS = 4_000;
const PUBLISH_TIMEOUT_MS = 30_000;
/** After a turn so much of its speaker's time is not asked for silence: mutes and the mixer's fades take their time. */
const TURN_EDGE_S = 1.2;
/** Of a quiet tone of 0.05. */
const HEARD_LEVEL = 0.015;
/** Of the barcode, and between two pictures of a source (bench/media/source-page.js). */
const STAMP_RANGE = 2 ** 26;
const FRAME_MS = 1001 / 30;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function openPage(browser: Browser, server: RunningTributary, index: number): Promise<Page> {
  const name = PEOPLE[index]!;
  const settings = { seed: index + 1, sourceNumber: index + 1, maxBitrateBps: 1_000_000 };
  const page = await (await openContext(browser, settings, ["source"])).newPage();
  watchErrors(page, name, note);
  const token = await server.mint(ROOM, name);
  await page.goto(`${server.url}/r/${ROOM}?join=1&token=${encodeURIComponent(token)}`);
  await page.waitForFunction("globalThis.tributary?.room?.localTracks.size >= 2", undefined, {
    timeout: PUBLISH_TIMEOUT_MS,
  });
  return page;
}

function mute(page: Page, muted: boolean): Promise<unknown> {
  return page.evaluate(
    (to) =>
      (
        globalThis as unknown as {
          tributary: { room: { localTracks: Map<string, { setMuted(muted: boolean): Promise<void> }> } };
        }
      ).tributary.room.localTracks
        .get("microphone")
        ?.setMuted(to),
    muted,
  );
}

interface Turn {
  source: number;
  /** Wall clock. */
  fromMs: number;
  toMs: number;
}

async function talk(pages: readonly Page[]): Promise<Turn[]> {
  const turns: Turn[] = [];
  const endMs = Date.now() + options.seconds * 1000;
  for (let turn = 0; Date.now() < endMs; turn++) {
    const speaker = turn % 2;
    await Promise.all([mute(pages[speaker]!, false), mute(pages[1 - speaker]!, true)]);
    const fromMs = Date.now();
    await pause(Math.min(options.turn * 1000, Math.max(0, endMs - fromMs)));
    turns.push({ source: speaker + 1, fromMs, toMs: Date.now() });
  }
  return turns;
}

/** Wall clock minus time in the file, seconds, from the pictures. */
function wallOf(pictures: readonly SeenPicture[], nearMs: number): number {
  const base = nearMs - (nearMs % STAMP_RANGE);
  const read = pictures.filter(({ source }) => source > 0);
  return quantile(
    read.map(({ seconds, capturedMs }) => (base + capturedMs) / 1000 - seconds),
    0.5,
  )!;
}

/** Share of the tenths of a second of their turns in which speakers are heard, or seen. */
function sharesOf(
  turns: readonly Turn[],
  wallS: number,
  pictures: readonly SeenPicture[],
  levels: readonly number[][],
  soundBeginS: number,
): { heard: number; seen: number; switchMs: number[] } {
  let [asked, heard, askedToSee, seen] = [0, 0, 0, 0];
  const switchMs: number[] = [];
  for (const { source, fromMs, toMs } of turns) {
    const fromS = fromMs / 1000 - wallS;
    const toS = toMs / 1000 - wallS;
    for (const [at, level] of levels[source - 1]!.entries()) {
      const seconds = soundBeginS + at / 10;
      if (seconds < fromS + TURN_EDGE_S || seconds > toS - 0.2) continue;
      asked++;
      if (level > HEARD_LEVEL) heard++;
    }
    const first = pictures.find((picture) => picture.seconds >= fromS && picture.source === source);
    if (first !== undefined && first.seconds < toS) switchMs.push((first.seconds - fromS) * 1000);
    for (const picture of pictures) {
      if (picture.seconds < (first?.seconds ?? fromS) || picture.seconds > toS) continue;
      askedToSee++;
      if (picture.source === source) seen++;
    }
  }
  return { heard: heard / asked, seen: seen / askedToSee, switchMs };
}

/**
 * Longest time in which the programme lacked pictures, milliseconds: at a change of the source the time between two, else those that
 * the source made and nobody got.
 */
function longestLack(
  pictures: readonly SeenPicture[],
  stamps: ReadonlyMap<number, readonly number[]>,
): { atChangeMs: number; lostMs: number } {
  let [atChangeMs, lostMs] = [0, 0];
  for (const [at, picture] of pictures.entries()) {
    const before = pictures[at - 1];
    if (before === undefined || picture.source === 0 || before.source === 0) continue;
    if (before.source !== picture.source) {
      atChangeMs = Math.max(atChangeMs, (picture.seconds - before.seconds) * 1000);
      continue;
    }
    const lost = (stamps.get(picture.source) ?? []).filter((wallMs) => {
      const stamp = wallMs % STAMP_RANGE;
      return stamp > before.capturedMs && stamp < picture.capturedMs;
    });
    lostMs = Math.max(lostMs, lost.length * FRAME_MS);
  }
  return { atChangeMs, lostMs };
}

function longest(times: readonly number[]): number {
  return Math.max(...times.slice(1).map((time, at) => time - times[at]!)) * 1000;
}

async function figuresOf(
  file: string,
  turns: readonly Turn[],
  emitted: ReadonlyMap<number, EmittedBursts>,
  stamps: ReadonlyMap<number, readonly number[]>,
): Promise<Figures> {
  const [streams, units, pictures, samples] = await Promise.all([
    streamsOf(file),
    unitsOf(file),
    seenPictures(file),
    samplesOf(file, "left"),
  ]);
  const codecs = streams.map((stream) => stream.codec_name).sort();
  if (codecs.join() !== "aac,h264") throw new Error(`nginx got ${codecs.join()}, not AAC and H.264`);
  const sound = units.filter(({ kind }) => kind === "audio").map(({ seconds }) => seconds);
  const bursts = heardBursts(samples, sound[0]!, PEOPLE.length);
  const offsets = offsetsOf(pictures, bursts, emitted);
  const ms = offsets.map((offset) => offset.ms);
  const wallS = wallOf(pictures, turns[0]!.fromMs);
  const levels = PEOPLE.map((_, index) => voiceLevels(samples, index + 1));
  const { heard, seen, switchMs } = sharesOf(turns, wallS, pictures, levels, sound[0]!);
  const { atChangeMs, lostMs } = longestLack(pictures, stamps);
  const ends = [ms.slice(0, Math.ceil(ms.length / 4)), ms.slice(-Math.ceil(ms.length / 4))];
  return {
    avOffsetP50Ms: quantile(ms, 0.5),
    avOffsetP5Ms: quantile(ms, 0.05),
    avOffsetP95Ms: quantile(ms, 0.95),
    avOffsetWorstMs: Math.max(...ms.map(Math.abs)),
    avDriftMs: quantile(ends[1]!, 0.5)! - quantile(ends[0]!, 0.5)!,
    bursts: ms.length,
    pictures: pictures.length,
    unreadShare: pictures.filter(({ source }) => source === 0).length / pictures.length,
    changeGapMaxMs: atChangeMs,
    lostPicturesMaxMs: lostMs,
    pictureGapMaxMs: longest(pictures.map(({ seconds }) => seconds)),
    soundGapMaxMs: longest(sound),
    annHeard: levels[0]!.some((level) => level > HEARD_LEVEL) ? 1 : 0,
    bobHeard: levels[1]!.some((level) => level > HEARD_LEVEL) ? 1 : 0,
    heardShare: heard,
    seenShare: seen,
    switches: switchMs.length,
    switchP50Ms: quantile(switchMs, 0.5),
    switchMaxMs: switchMs.length === 0 ? null : Math.max(...switchMs),
  };
}

const nginx = await NginxRtmp.start();
const browser = await openBrowser();
const server = await startTributary({
  env: { BRIDGE_ALLOWED_TARGETS: "127.0.0.0/8", RTMP_PORT: "0", ICECAST_PORT: "0" },
});
try {
  const pages = await Promise.all(PEOPLE.map((_, index) => openPage(browser, server, index)));
  const { status, body } = await server.api("POST", `/v1/rooms/${ROOM}/outputs`, {
    type: "rtmp",
    targets: [{ url: nginx.url(KEY, "recorded") }],
  });
  if (status !== 201) throw new Error(`the output was refused: ${JSON.stringify(body)}`);
  await pause(SETTLE_MS);
  note(`two people talk for ${options.seconds} s ...`);
  const load = watchLoad();
  const turns = await talk(pages);
  const busyShare = load();
  const emitted = new Map<number, EmittedBursts>();
  const stamps = new Map<number, number[]>();
  for (const [index, page] of pages.entries()) {
    emitted.set(index + 1, await page.evaluate<EmittedBursts>("globalThis.benchSource.bursts"));
    stamps.set(index + 1, await page.evaluate<number[]>("globalThis.benchSource.stamps"));
  }
  await pause(1_500);
  await server.api("DELETE", `/v1/rooms/${ROOM}/outputs/${(body as { id: string }).id}`);
  await pause(1_500);
  reportRow({
    bench: "egress",
    row: { seconds: options.seconds, turn: options.turn },
    figures: {
      ...(await figuresOf(nginx.recording(KEY), turns, emitted, stamps)),
      machineBusyShare: busyShare,
    },
    target: {
      avOffsetP5Ms: "+- 60",
      avOffsetP95Ms: "+- 60",
      changeGapMaxMs: "<= 100",
      soundGapMaxMs: "<= 30",
      annHeard: ">= 1",
      bobHeard: ">= 1",
      heardShare: ">= 0.999",
      seenShare: ">= 0.99",
    },
  });
  const warning = tooBusy(busyShare);
  if (warning !== undefined) note(warning);
} finally {
  await browser.close();
  await server.stop();
  await nginx.stop();
}
process.exit(0);
