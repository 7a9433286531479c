/**
 * Two people in two regions: each page on a relay of its own region, the regions a lossy road apart, and a relay that is killed
 * in the middle of the call.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cluster } from "../cluster/cluster.ts";
import { ensureEtcd } from "../etcd-binary.mjs";
import { openBrowser, type TestBrowser } from "./browser.ts";
import { checkCall } from "./call-checks.ts";
import { judgeTone, RoomPage, untilGood } from "./room-page.ts";
import { testClip } from "./test-clip.ts";

const ROOM = "regions";
const APART = { port: 0, loss: 0.02, rttMs: 60 };
const SETTLE_MS = 3_000;
const report = (what: string, value: number, unit: string): void =>
  console.info(`  ${what}: ${value.toFixed(1)} ${unit}`);

let cluster: Cluster;
let browser: TestBrowser;
let ann: RoomPage;
let bob: RoomPage;

/** A guest's page, at the same gateway, from another region. */
async function join(name: string, region: string): Promise<RoomPage> {
  const url = new URL(cluster.gateways[0]!.url);
  const answer = await fetch(new URL(`/v1/rooms/${ROOM}/guests`, url), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name }),
  });
  const { token } = (await answer.json()) as { token: string };
  return RoomPage.join(await browser.newPage(), `http://${region}.localhost:${url.port}`, ROOM, token);
}

async function relayOf(page: RoomPage): Promise<string> {
  return (await page.stats()).connection.relayId;
}

beforeAll(async () => {
  process.env.ETCD_PATH = await ensureEtcd((line: string) => console.info(line));
  [cluster, browser] = await Promise.all([Cluster.start(APART, () => undefined), openBrowser(testClip())]);
  ann = await join("ann", "eu");
  bob = await join("bob", "us");
  await Promise.all([ann.seeCamera(bob.identity), bob.seeCamera(ann.identity)]);
  await Promise.all([ann.firstPicture(bob.identity), bob.firstPicture(ann.identity)]);
});

afterAll(async () => {
  await browser?.close();
  await cluster?.stop();
});

describe("two in two regions", () => {
  it("are each on a relay of their own region, and media crosses between them", async () => {
    expect([await relayOf(ann), await relayOf(bob)]).toEqual([
      expect.stringMatching(/^eu-/),
      expect.stringMatching(/^us-/),
    ]);
    const before = cluster.crossed;
    await ann.page.waitForTimeout(1_000);
    expect(cluster.crossed - before).toBeGreaterThan(100);
  });

  checkCall(() => ({ ann, bob }));

  it("read each other's chat", async () => {
    const heard = ann.page.evaluate(
      () =>
        new Promise<{ from: string; text: string }>((resolve) => {
          window.tributary.room?.on("chat", ({ from, text }) => resolve({ from, text }));
        }),
    );
    await bob.page.evaluate(() => window.tributary.room?.sendChat("good morning from over there"));
    expect(await heard).toEqual({ from: bob.identity, text: "good morning from over there" });
  });

  it("fall silent when muted, and are heard again", async () => {
    const mute = (muted: boolean) =>
      ann.page.evaluate((to) => window.tributary.room?.localTracks.get("microphone")?.setMuted(to), muted);
    const heard = async () => judgeTone(await bob.listen(1_500));
    await mute(true);
    expect((await untilGood(heard, (tone) => tone.loudShare < 0.05)).loudShare).toBeLessThan(0.05);
    await mute(false);
    const again = await untilGood(heard, (tone) => tone.loudShare > 0.3 && tone.toneShare > 0.9);
    expect(again.toneShare).toBeGreaterThan(0.9);
  });

  it("go on when the relay of one of them is killed", async () => {
    const killed = await relayOf(bob);
    for (const { page } of [ann, bob])
      await page.evaluate(() => {
        Object.assign(window, { statesSeen: [] as string[] });
        window.tributary.room?.on("state", ({ state }) =>
          (window as unknown as { statesSeen: string[] }).statesSeen.push(state),
        );
      });
    cluster.relays.find(({ id }) => id === killed)!.process.kill("SIGKILL");
    await bob.page.waitForTimeout(SETTLE_MS);
    const rates = await untilGood(
      () => Promise.all([ann.renderedRate(bob.identity, 2_000), bob.renderedRate(ann.identity, 2_000)]),
      (both) => Math.min(...both) > 24,
    );
    for (const rate of rates) report("rendered afterwards", rate, "frames a second");
    // A machine that is busy captures and shows less.
    expect(Math.min(...rates)).toBeGreaterThan(5);
    expect(await relayOf(bob)).not.toBe(killed);
    for (const { page } of [ann, bob]) {
      const states = await page.evaluate(() => (window as unknown as { statesSeen: string[] }).statesSeen);
      expect(states).not.toContain("closed");
    }
  });
});
