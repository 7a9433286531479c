/**
 * Fail-over as people in browsers have it: real Chromium pages on the cluster of `npm run cluster`, etcd, gateways and regions included.
 * Ann publishes on the room's root, Bob speaks on the middle relay, Cleo listens on the leaf; one relay is killed with SIGKILL, each
 * time in a fresh room. Run by bench/failover.deno.ts in a process of its own, because playwright is Node's; its rows are what it prints.
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import { Cluster } from "../../test/cluster/cluster.ts";
import { openBrowser, type TestBrowser } from "../../test/e2e/browser.ts";
import { RoomPage } from "../../test/e2e/room-page.ts";
import { testClip } from "../../test/e2e/test-clip.ts";
import { note, quantile, readOptions, reportRow } from "../report.ts";

const options = readOptions({
  times: { default: 10, min: 1, max: 1_000, whole: true, about: "kills of each kind of relay" },
  rtt: { default: 0, min: 0, max: 1_000, about: "ms there and back between the two regions" },
});

const SETTLE_MS = 2_500;
/** Watched so long after a relay was killed. */
const WATCH_MS = 5_000;
const LOOK_MS = 50;
const MAX_LOOKS = 400;
const MAX_TRIES = 10;
const ROLES = ["leaf", "middle", "root"] as const;
type Role = (typeof ROLES)[number];

/** Milliseconds; one figure for each track that a page receives. */
interface TrackGaps {
  picture: number[];
  sound: number[];
}

const GAPS_SCRIPT = readFileSync(new URL("./gaps-page.js", import.meta.url), "utf8");

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

interface TreeAnswer {
  root: RelayNode;
}
interface RelayNode {
  relayId: string;
  children: RelayNode[];
}

class PagesRoom {
  readonly name: string;
  readonly #cluster: Cluster;
  readonly #browser: TestBrowser;
  readonly pages: RoomPage[] = [];
  readonly places = new Map<Role, string>();

  constructor(cluster: Cluster, browser: TestBrowser, name: string) {
    this.#cluster = cluster;
    this.#browser = browser;
    this.name = name;
  }

  get #gateway(): URL {
    return new URL(this.#cluster.gateways[0]!.url);
  }

  async #ask(path: string, body?: object): Promise<unknown> {
    const answer = await fetch(new URL(path, this.#gateway), {
      method: body === undefined ? "GET" : "POST",
      headers: { authorization: this.#cluster.authorization, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${path} was answered ${answer.status}: ${await answer.text()}`);
    return await answer.json();
  }

  /** `notOn`: of the relays that the gateway offers, the others come first. */
  async #join(identity: string, region: string, publish: string[], notOn?: string): Promise<string> {
    const wish = { identity, name: identity, grants: { publish } };
    const { token } = (await this.#ask(`/v1/rooms/${this.name}/tokens`, wish)) as { token: string };
    const page = await this.#browser.newPage();
    if (notOn !== undefined) {
      // Once: where it goes when it loses that relay is the gateway's and the client's own choice.
      await page.route(
        "**/v1/rooms/*/join*",
        async (route) => {
          // Node does not know the names of regions that Chromium takes for loopback: the header says it instead.
          const { pathname } = new URL(route.request().url());
          const headers = {
            ...route.request().headers(),
            origin: this.#gateway.origin,
            "x-tributary-region": region,
          };
          const response = await route.fetch({ url: new URL(pathname, this.#gateway).href, headers });
          const answer = (await response.json()) as { relays: { relayId: string }[] };
          answer.relays.sort((a, b) => Number(a.relayId === notOn) - Number(b.relayId === notOn));
          await route.fulfill({ response, json: answer });
        },
        { times: 1 },
      );
    }
    const at = `http://${region}.localhost:${this.#gateway.port}`;
    const joined = await RoomPage.join(page, at, this.name, token);
    this.pages.push(joined);
    return (await joined.stats()).connection.relayId;
  }

  /** A chain of three relays with a page each; media flows when it resolves. False: the relays took other places. */
  async fill(): Promise<boolean> {
    this.places.set("root", await this.#join("ann", "eu", ["camera", "microphone"]));
    const middle = await this.#join("bob", "us", ["microphone"]);
    this.places.set("middle", middle);
    // Until the middle one is attached, the leaf might go to the root.
    await this.#until(async () => (await this.#tree()).root.children.length === 1, "the middle attaches");
    this.places.set("leaf", await this.#join("cleo", "us", [], middle));
    await this.#until(() => this.isIntact(), "everybody sees everybody");
    const { root } = await this.#tree();
    const chain = [root.relayId, root.children[0]?.relayId, root.children[0]?.children[0]?.relayId];
    const wanted = (["root", "middle", "leaf"] as const).map((role) => this.places.get(role));
    if (chain.join() !== wanted.join()) return false;
    for (const { page } of this.pages) await page.evaluate(GAPS_SCRIPT);
    await pause(SETTLE_MS);
    await this.gaps();
    return true;
  }

  async #tree(): Promise<TreeAnswer> {
    return (await this.#ask(`/v1/rooms/${this.name}/tree`)) as TreeAnswer;
  }

  /** Everybody sees everybody else who is there, with all tracks. */
  async isIntact(): Promise<boolean> {
    const seen = await Promise.all(
      this.pages.map(({ page }) =>
        page.evaluate(() => {
          const others = [...(window.tributary.room?.participants.values() ?? [])];
          return others.map(({ identity, tracks }) => `${identity} ${tracks.size}`).sort();
        }),
      ),
    );
    const all = ["ann 2", "bob 1", "cleo 0"];
    return seen.every((others, at) => others.join() === all.filter((_, i) => i !== at).join());
  }

  /** Since the last call, of each page. */
  gaps(): Promise<TrackGaps[]> {
    return Promise.all(this.pages.map(({ page }) => page.evaluate<TrackGaps>("benchGaps.read()")));
  }

  async #until(condition: () => Promise<boolean>, what: string): Promise<void> {
    for (let look = 0; !(await condition().catch(() => false)); look++) {
      if (look >= MAX_LOOKS) throw new Error(`it did not come to it that ${what}`);
      await pause(LOOK_MS);
    }
  }

  async close(): Promise<void> {
    for (const { page } of this.pages) await page.context().close();
  }
}

let rooms = 0;

/** Relays that were started a moment ago may not be offered yet: another room then. */
async function openRoom(cluster: Cluster, browser: TestBrowser): Promise<PagesRoom> {
  await cluster.reviveRelays(() => undefined);
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const room = new PagesRoom(cluster, browser, `pages-${++rooms}`);
    if (await room.fill()) return room;
    await room.close();
    await pause(SETTLE_MS);
  }
  throw new Error("the relays are no chain, however often a room is opened");
}

async function reportKills(cluster: Cluster, browser: TestBrowser, role: Role): Promise<void> {
  const { times } = options;
  note(`killing the ${role} of a room of pages, ${times} times ...`);
  const gaps = new Map<string, TrackGaps>();
  const before: number[] = [];
  let intact = 0;
  for (let i = 0; i < times; i++) {
    const room = await openRoom(cluster, browser);
    await pause(1_000);
    before.push(...(await room.gaps()).flatMap(({ picture, sound }) => [...picture, ...sound]));
    cluster.relays.find(({ id }) => id === room.places.get(role))!.process.kill("SIGKILL");
    await pause(WATCH_MS);
    for (const [at, found] of (await room.gaps()).entries()) {
      const { identity } = room.pages[at]!;
      const all = gaps.get(identity) ?? { picture: [], sound: [] };
      all.picture.push(...found.picture);
      all.sound.push(...found.sound);
      gaps.set(identity, all);
    }
    if (await room.isIntact()) intact++;
    await room.close();
  }
  for (const [listener, { picture, sound }] of gaps) {
    const media = [...picture, ...sound];
    reportRow({
      bench: "failover",
      row: { kill: role, page: listener, rttMs: options.rtt, times },
      figures: {
        gapP50Ms: quantile(media, 0.5),
        gapP95Ms: quantile(media, 0.95),
        gapMaxMs: Math.max(...media),
        pictureGapP50Ms: quantile(picture, 0.5),
        soundGapP50Ms: quantile(sound, 0.5),
        undisturbedGapMaxMs: Math.max(...before),
        intactShare: intact / times,
      },
      target: { gapP50Ms: "<= 700", gapP95Ms: "<= 1200", intactShare: ">= 1" },
    });
  }
}

const cluster = await Cluster.start({ port: 0, loss: 0, rttMs: options.rtt }, () => undefined);
const browser = await openBrowser(testClip());
try {
  for (const role of ROLES) await reportKills(cluster, browser, role);
} finally {
  await browser.close();
  await cluster.stop();
}
process.exit(0);
