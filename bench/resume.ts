/**
 * `npm run bench -- resume`: somebody in a call changes networks, again and again: how long they, and the others, are without media.
 *
 * Two Chromium pages in a call with pictures and sound, relay and gateway on this machine. Ann's way to the relay is a UDP proxy with
 * `--rtt` milliseconds there and back, Bob's is direct. What happens to Ann's way each time (`--kind`):
 * `rebind`: the relay sees her come from another address, as behind a NAT that has forgotten her; `cut`: nothing passes any more of the sockets
 * that she has, as when Wi-Fi is left for a mobile network, and nobody tells her; `told`: the same, and the browser says that its
 * connection has changed; `away`: cut off, and no network at all for 2 s; `offline`: the same, and the browser says so. Gaps count from the
 * moment a way is there again, in all tracks that a page receives, less the usual time between two pictures or datagrams of sound. Each change has a page of Ann's of its own: Chromium makes a page wait that has
 * dialled in vain before (core/participant/joining/home-dials.ts), and people do not change networks twenty times in five minutes.
 */
import { readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import type { CDPSession } from "playwright-core";
import { openBrowser, type TestBrowser } from "../test/e2e/browser.ts";
import { RoomPage } from "../test/e2e/room-page.ts";
import { testClip } from "../test/e2e/test-clip.ts";
import { freeUdpPort, type RunningTributary, startTributary } from "../test/e2e/tributary.ts";
import { UdpProxy } from "../test/udp-proxy/udp-proxy.ts";
import { tooBusy, watchLoad } from "./media/machine-load.ts";
import { note, quantile, readOptions, reportRow } from "./report.ts";

const KINDS = ["rebind", "cut", "told", "away", "offline"] as const;
type Kind = (typeof KINDS)[number];

const options = readOptions({
  times: { default: 20, min: 1, max: 1_000, whole: true, about: "changes of each kind" },
  rtt: { default: 40, min: 0, max: 1_000, about: "ms there and back between Ann and the relay" },
  kind: { default: "all", oneOf: ["all", ...KINDS], about: "what happens" },
});

const ROOM = "resume";
const AWAY_MS = 2_000;
const SETTLE_MS = 1_200;
const LOOK_MS = 50;
const MAX_LOOKS = 400;
const UNDISTURBED_MS = 1_000;
/** Watched so long after a way is there again. */
const WATCH_MS = 3_000;
const GAPS_SCRIPT = readFileSync(new URL("./failover/gaps-page.js", import.meta.url), "utf8");

/** Milliseconds; one figure for each track that a page receives. */
interface TrackGaps {
  picture: number[];
  sound: number[];
}

class Call {
  readonly bob: RoomPage;
  readonly #proxy: UdpProxy;
  readonly #browser: TestBrowser;
  readonly #tributary: RunningTributary;
  #ann: { room: RoomPage; network: CDPSession } | undefined;

  private constructor(bob: RoomPage, proxy: UdpProxy, browser: TestBrowser, tributary: RunningTributary) {
    this.bob = bob;
    this.#proxy = proxy;
    this.#browser = browser;
    this.#tributary = tributary;
  }

  /** Bob is there, alone. */
  static async open(): Promise<Call> {
    const relayPort = await freeUdpPort();
    const delayMs = options.rtt / 2;
    const proxy = await UdpProxy.listen({
      port: 0,
      targetPort: relayPort,
      up: { delayMs },
      down: { delayMs },
    });
    const proxied = `https://127.0.0.1:${proxy.port}`;
    const env = { RELAY_PORT: String(relayPort), RELAY_PUBLIC_URL: proxied };
    const [tributary, browser] = await Promise.all([startTributary({ env }), openBrowser(testClip())]);
    const page = await browser.newPage();
    // Bob's way is direct: what he misses is what Ann does not send, or what this machine is too busy for.
    await page.route("**/v1/rooms/*/join*", async (route) => {
      const response = await route.fetch();
      const text = (await response.text()).replaceAll(proxied, `https://127.0.0.1:${relayPort}`);
      await route.fulfill({ response, body: text });
    });
    const bob = await RoomPage.join(page, tributary.url, ROOM, await tributary.mint(ROOM, "bob"));
    await prepare(bob);
    return new Call(bob, proxy, browser, tributary);
  }

  get ann(): RoomPage {
    return this.#ann!.room;
  }

  /** Ann comes, on a fresh page; they see and hear each other when it resolves. */
  async greetAnn(): Promise<void> {
    await this.#ann?.room.page.context().close();
    await this.bob.page.waitForFunction(() => window.tributary.room?.participants.has("ann") !== true);
    const page = await this.#browser.newPage();
    const token = await this.#tributary.mint(ROOM, "ann");
    const room = await RoomPage.join(page, this.#tributary.url, ROOM, token);
    this.#ann = { room, network: await page.context().newCDPSession(page) };
    await Promise.all([seesPictures(room, "bob"), seesPictures(this.bob, "ann")]);
    await prepare(room);
    await this.bob.page.evaluate("goings.splice(0)");
  }

  /** Does it to Ann; resolves to how long she had no way at all. */
  async change(kind: Kind): Promise<number> {
    switch (kind) {
      case "rebind":
        this.#proxy.rebind();
        return 0;
      case "cut":
        this.#proxy.cut();
        return 0;
      case "told":
        this.#proxy.cut();
        // A connection that has changed is all that the page learns.
        await this.ann.page.evaluate("navigator.connection.dispatchEvent(new Event('change'))");
        return 0;
      case "away":
      case "offline":
        return await this.#goAway(kind === "offline");
    }
  }

  async #goAway(isTold: boolean): Promise<number> {
    const startMs = performance.now();
    for (const way of ["up", "down"] as const) this.#proxy.change(way, { loss: 1 });
    if (isTold) await this.#setOffline(true);
    await wait(AWAY_MS);
    // Sockets that were opened meanwhile belong to the network that was left, too.
    this.#proxy.cut();
    for (const way of ["up", "down"] as const) this.#proxy.change(way, { loss: 0 });
    const awayMs = performance.now() - startMs;
    if (isTold) await this.#setOffline(false);
    return awayMs;
  }

  async #setOffline(offline: boolean): Promise<void> {
    const open = { latency: 0, downloadThroughput: -1, uploadThroughput: -1 };
    await this.#ann!.network.send("Network.emulateNetworkConditions", { offline, ...open });
  }

  /** Since the last call. */
  async gaps(): Promise<{ ann: TrackGaps; bob: TrackGaps }> {
    const read = ({ page }: RoomPage) => page.evaluate<TrackGaps>("benchGaps.read()");
    const [ann, bob] = await Promise.all([read(this.ann), read(this.bob)]);
    return { ann, bob };
  }

  /** Nobody was seen to go, and no track. */
  async isIntact(): Promise<boolean> {
    const goings = await Promise.all(
      [this.ann, this.bob].map(({ page }) => page.evaluate<number>("goings.splice(0).length")),
    );
    return goings.every((count) => count === 0);
  }

  async sessions(): Promise<number> {
    return (await this.ann.stats()).connection.reconnects;
  }

  async close(): Promise<void> {
    await this.#browser.close();
    await this.#tributary.stop();
    await this.#proxy.close();
  }
}

async function seesPictures(room: RoomPage, identity: string): Promise<void> {
  for (let look = 0; look < MAX_LOOKS; look++) {
    const seen = await room.inbound(identity, "video").catch(() => undefined);
    if ((seen?.framesRendered ?? 0) > 0) return;
    await wait(LOOK_MS);
  }
  throw new Error(`${room.identity} sees no pictures of ${identity}`);
}

/** Has the page note what it misses. */
async function prepare({ page }: RoomPage): Promise<void> {
  await page.evaluate(() => {
    const seen: string[] = [];
    Object.assign(globalThis, { goings: seen });
    const { room } = window.tributary;
    for (const name of ["participant-left", "track-unpublished"] as const)
      room?.on(name, () => seen.push(name));
  });
  await page.evaluate(GAPS_SCRIPT);
}

const flat = ({ picture, sound }: TrackGaps): number[] => [...picture, ...sound];

async function reportChanges(call: Call, kind: Kind): Promise<void> {
  const { times, rtt } = options;
  note(`${kind}: ${times} times ...`);
  const ann: TrackGaps = { picture: [], sound: [] };
  const bob: TrackGaps = { picture: [], sound: [] };
  const undisturbed: number[] = [];
  const busyShareOf = watchLoad();
  let intact = 0;
  let sessions = 0;
  for (let i = 0; i < times; i++) {
    await call.greetAnn();
    await wait(SETTLE_MS);
    await call.gaps();
    await wait(UNDISTURBED_MS * (0.5 + Math.random()));
    const before = await call.gaps();
    undisturbed.push(...flat(before.ann), ...flat(before.bob));
    const awayMs = await call.change(kind);
    await wait(WATCH_MS);
    const after = await call.gaps();
    for (const [all, found] of [
      [ann, after.ann],
      [bob, after.bob],
    ] as const) {
      for (const media of ["picture", "sound"] as const)
        all[media].push(...found[media].map((gapMs) => Math.max(0, gapMs - awayMs)));
    }
    if (await call.isIntact()) intact++;
    sessions += await call.sessions();
  }
  const busyShare = busyShareOf();
  const warning = tooBusy(busyShare);
  if (warning !== undefined) note(warning);
  reportRow({
    bench: "resume",
    row: { kind, rttMs: rtt, times },
    figures: {
      gapP50Ms: quantile(flat(ann), 0.5),
      gapP95Ms: quantile(flat(ann), 0.95),
      gapMaxMs: Math.max(...flat(ann)),
      pictureGapP50Ms: quantile(ann.picture, 0.5),
      soundGapP50Ms: quantile(ann.sound, 0.5),
      othersGapP50Ms: quantile(flat(bob), 0.5),
      othersGapP95Ms: quantile(flat(bob), 0.95),
      undisturbedGapP95Ms: quantile(undisturbed, 0.95),
      newSessionsEach: sessions / times,
      intactShare: intact / times,
      machineBusyShare: busyShare,
    },
    target: { gapP95Ms: "<= 1000", othersGapP95Ms: "<= 1000", intactShare: ">= 1" },
  });
}

const call = await Call.open();
let ending: Promise<void> | undefined;
const end = (): Promise<void> => {
  ending ??= call.close();
  return ending;
};
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.once(signal, () => void end().finally(() => process.exit(1)));
try {
  for (const kind of KINDS)
    if (options.kind === "all" || options.kind === kind) await reportChanges(call, kind);
} finally {
  await end();
}
