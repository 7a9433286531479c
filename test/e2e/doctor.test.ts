/**
 * The check of the connection in a real Chromium against a real relay, under made-up faults: what it finds, what it says to do,
 * and that a road without faults has none. A machine that is busy with other things is a fault of its own: such a road is looked at again.
 */
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { findChromium } from "../chromium.mjs";
import { openBrowser, type TestBrowser } from "./browser.ts";
import { darkClip } from "./dark-clip.ts";
import { checkDevices, checkOf, DoctorStage, type Report, type Road, statesOf } from "./doctor-stage.ts";
import { testClip } from "./test-clip.ts";
import { freeUdpPort } from "./tributary.ts";

const TRIES = 3;
/** What the doctor finds of a machine that is busy with other things, as one that runs tests may be. */
const MACHINE = new Set(["busy-device", "slow"]);
const TOKEN_TOLERANCE_MS = 6_500;

let stage: DoctorStage;
let browser: TestBrowser;
/** Its camera is covered, its microphone muted; it takes any certificate, so that it may use the relay's over TCP. */
let covered: TestBrowser;
/** Stays open from the first test to the last. */
let coveredPage: Page;
/** Made first, so that it is old when it is wanted. */
let expired: { token: string; atMs: number };

beforeAll(async () => {
  [stage, browser, covered] = await Promise.all([
    DoctorStage.open(),
    openBrowser(testClip()),
    openBrowser(darkClip(), { trustsAnyCertificate: true }),
  ]);
  expired = { token: await stage.token(1), atMs: Date.now() };
});

afterAll(async () => {
  await browser?.close();
  await covered?.close();
  await stage?.close();
});

/** Runs on a road until it finds what is expected there, a few times. */
async function find(road: Road, isAsExpected: (report: Report) => boolean, page?: Page): Promise<Report> {
  stage.impair(road);
  const onto = page ?? (await browser.newPage());
  try {
    for (let tried = 1; ; tried++) {
      const report = await stage.run(onto);
      if (tried === TRIES || isAsExpected(report)) return report;
    }
  } finally {
    if (page === undefined) await onto.close();
    stage.impair({});
  }
}

/** Checks that are not good, but for what the machine is to blame for. */
const bad = ({ checks }: Report) =>
  checks
    .filter(({ state, code }) => (state === "failed" || state === "warning") && !MACHINE.has(code))
    .map(({ id }) => id);

it("a clean road: one can call well; the report that is copied says so, and has no secret in it", async () => {
  coveredPage = await covered.newPage();
  const report = await find({}, (found) => bad(found).length === 0, coveredPage);
  expect(bad(report)).toEqual([]);
  const isBusy = report.checks.some(({ code }) => MACHINE.has(code));
  const nothing = { reasons: [], advice: [], administrator: [] };
  if (!isBusy) expect(report.verdict).toEqual({ level: "well", title: "You can call well", ...nothing });
  expect(report.transport).toBe("webtransport");
  const ok = ["secure-context", "token", "webtransport", "echo", "loss", "upload", "download", "fallback"];
  for (const id of [...ok, "codecs", "isolation"]) expect([id, statesOf(report)[id]]).toEqual([id, "ok"]);
  expect(statesOf(report)).toMatchObject({ camera: "skipped", microphone: "skipped" });
  await coveredPage.context().grantPermissions(["clipboard-read", "clipboard-write", "camera", "microphone"]);
  await coveredPage.getByRole("button", { name: "Copy report" }).click();
  await coveredPage.getByText("Copied").waitFor();
  const text = await coveredPage.evaluate(() => navigator.clipboard.readText());
  const { level } = report.verdict;
  const copy = { schema: 1, verdict: { level }, gateway: stage.tributary.url };
  expect(JSON.parse(text)).toMatchObject(copy);
  // No token, ticket or key of any kind.
  expect(text).not.toMatch(/eyJ|token=|secret/i);
});

it("a camera that is covered and a microphone that is muted: others do not see and hear you", async () => {
  const report = await checkDevices(coveredPage);
  expect(report.verdict.level).toBe("limits");
  expect(checkOf(report, "camera")).toMatchObject({ state: "failed", code: "black" });
  expect(checkOf(report, "microphone")).toMatchObject({ state: "failed", code: "silent" });
  expect(bad(report)).toEqual(["camera", "microphone"]);
  expect(report.verdict.advice.join(" ")).toMatch(/cover.*mute/);
});

it("nobody in the room sees anybody come or go", async () => {
  const { status, body } = await stage.tributary.api("GET", "/v1/rooms");
  expect(status).toBe(200);
  expect(JSON.stringify(body)).not.toContain("doctor-room");
});

const SWALLOWED: Road = { up: { loss: 1 }, down: { loss: 1 } };

it("UDP that is swallowed, and TCP that is not taken: says which port to open", async () => {
  const report = await find(SWALLOWED, () => true);
  expect(report.verdict.level).toBe("cannot");
  expect(checkOf(report, "udp")).toMatchObject({ state: "failed", code: "no-answer" });
  expect(checkOf(report, "fallback")).toMatchObject({ state: "failed", code: "own-certificate" });
  expect(bad(report)).toEqual(["udp", "fallback"]);
  expect(report.verdict.reasons[0]).toMatch(/does not answer over UDP/);
  expect(report.verdict.advice.join()).toMatch(/another network/);
  expect(report.verdict.administrator[0]).toContain(`UDP port ${stage.proxy.port} to 127.0.0.1`);
});

it("UDP that is swallowed, and TCP that works: with limits, measured over TCP", async () => {
  const isMeasured = (report: Report) => bad(report).join() === "udp";
  const report = await find(SWALLOWED, isMeasured, coveredPage);
  expect(report.verdict.level).toBe("limits");
  expect(report.transport).toBe("websocket");
  expect(checkOf(report, "udp")).toMatchObject({ state: "failed", code: "no-answer" });
  const { fallback, echo, loss, download } = statesOf(report);
  expect({ fallback, echo, loss, download }).toEqual({
    fallback: "ok",
    echo: "ok",
    loss: "ok",
    download: "ok",
  });
  expect(checkOf(report, "fallback").figures.relay).toBe(`127.0.0.1:${stage.relayPort}`);
  expect(report.verdict.administrator[0]).toContain(`UDP port ${stage.proxy.port} to 127.0.0.1`);
});

it.each(["a port where nobody listens", "a certificate that is another"])(
  "%s is told from no answer",
  async (what) => {
    const page = await browser.newPage();
    const port = await freeUdpPort();
    await page.context().route("**/v1/rooms/*/join", async (route) => {
      const response = await route.fetch();
      const answer = await response.json();
      for (const relay of answer.relays) {
        if (what.startsWith("a port")) relay.url = `https://127.0.0.1:${port}`;
        else relay.certificateHashes = [btoa("x".repeat(32))];
      }
      await route.fulfill({ response, json: answer });
    });
    const report = await find({}, (found) => checkOf(found, "udp").code === "refused", page);
    expect(report.verdict.level).toBe("cannot");
    expect(checkOf(report, "udp")).toMatchObject({ state: "failed", code: "refused" });
    expect(report.verdict.administrator[0]).toMatch(/certificate/);
    await page.close();
  },
);

it("10 % of loss and a round trip of 200 ms: with limits, for these two reasons", async () => {
  const direction = { loss: 0.1, delayMs: 100 };
  const isFound = (report: Report) => /^loss,round-trip(,upload)?$/.test(bad(report).join());
  const report = await find({ up: direction, down: direction }, isFound);
  expect(report.verdict.level).toBe("limits");
  expect(statesOf(report)).toMatchObject({ loss: "warning", "round-trip": "warning", echo: "ok" });
  const { upShare, downShare } = checkOf(report, "loss").figures;
  expect(Math.abs(Number(upShare) - 0.1)).toBeLessThan(0.06);
  expect(Math.abs(Number(downShare) - 0.1)).toBeLessThan(0.06);
  expect(Number(checkOf(report, "round-trip").figures.p50Ms)).toBeGreaterThan(195);
  expect(report.verdict.reasons.join(" ")).toMatch(/Lost: .*to the relay and back/);
  // The browser's own congestion control may take the losses for a narrow road; that it is those is said.
  const { state, message } = checkOf(report, "upload");
  if (state !== "ok") expect(message).toContain("as long as so much is lost");
  expect(report.verdict.advice.join(" ")).toMatch(/Wi-Fi router/);
  expect(report.timeline.some(({ lost }) => lost > 0)).toBe(true);
});

it("an uplink of 300 kbit/s: with limits, for that alone", async () => {
  const road = { up: { rateBps: 300_000, delayMs: 10 }, down: { delayMs: 10 } };
  const report = await find(road, (found) => bad(found).join() === "upload");
  expect(report.verdict.level).toBe("limits");
  expect(checkOf(report, "upload")).toMatchObject({ state: "warning", code: "slow-upload" });
  const { bps, isLimited } = checkOf(report, "upload").figures;
  expect(isLimited).toBe(true);
  expect(Number(bps)).toBeGreaterThan(220_000);
  expect(Number(bps)).toBeLessThan(305_000);
  expect(report.verdict.reasons.join(" ")).toMatch(/You can send \d+ kb\/s/);
  expect(report.verdict.advice.join(" ")).toMatch(/downloads/);
});

it("an expired, a foreign and a damaged invitation are told apart", async () => {
  const page = await browser.newPage();
  const [head, payload, signature = ""] = (await stage.token()).split(".");
  const foreign = `${head}.${payload}.${[...signature].reverse().join("")}`;
  await page.waitForTimeout(Math.max(0, expired.atMs + TOKEN_TOLERANCE_MS - Date.now()));
  const cases = [
    { token: expired.token, code: "token-expired", says: /new invitation/ },
    { token: foreign, code: "token-refused", says: /new invitation/ },
    { token: "nonsense", code: "token-malformed", says: /Copy the whole link/ },
  ];
  for (const { token, code, says } of cases) {
    const report = await stage.run(page, { token });
    expect(report.verdict.level).toBe("cannot");
    expect(checkOf(report, "gateway").state).toBe("ok");
    expect(checkOf(report, "token")).toMatchObject({ state: "failed", code });
    expect(bad(report)).toEqual(["token"]);
    expect(report.verdict.advice.join(" ")).toMatch(says);
  }
  // Devices are looked at whatever the rest says.
  const report = await checkDevices(page);
  expect(statesOf(report)).toMatchObject({ token: "failed", camera: "ok", microphone: "ok" });
  expect(report.verdict.level).toBe("cannot");
  await page.close();
});

it("devices that are not allowed, and a browser without WebTransport", async () => {
  const strict: Browser = await chromium.launch({
    executablePath: findChromium() ?? "",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--use-fake-device-for-media-stream",
      "--deny-permission-prompts",
    ],
  });
  const page = await strict.newPage({ ignoreHTTPSErrors: true });
  await page.addInitScript(() => Reflect.deleteProperty(globalThis, "WebTransport"));
  const report = await find({}, (found) => bad(found).join() === "webtransport", page);
  expect(report.verdict.level).toBe("limits");
  expect(report.transport).toBe("websocket");
  expect(checkOf(report, "webtransport")).toMatchObject({ state: "failed", code: "missing" });
  expect(statesOf(report)).toMatchObject({ gateway: "ok", token: "ok", udp: "skipped", fallback: "ok" });
  expect(report.verdict.advice.join(" ")).toMatch(/Chrome, Edge or Firefox/);
  const denied = await checkDevices(page);
  await strict.close();
  expect(checkOf(denied, "camera")).toMatchObject({ state: "failed", code: "permission-denied" });
  expect(checkOf(denied, "microphone")).toMatchObject({ state: "failed", code: "permission-denied" });
  expect(denied.verdict.advice.join(" ")).toMatch(/Allow it/);
});

it("from the lobby one comes to the check, and back", async () => {
  const page = await browser.newPage();
  const token = await stage.token();
  await page.goto(`${stage.tributary.url}/r/doctor-room?token=${token}`);
  await page.getByRole("link", { name: "Check your connection" }).click();
  await page.getByRole("heading", { name: "Checking your connection" }).waitFor();
  const back = await page.getByRole("link", { name: "Back to joining" }).getAttribute("href");
  expect(back).toContain(`/r/doctor-room?token=${token}`);
  await page.close();
});

it("a gateway that is gone is said to be", async () => {
  await stage.tributary.stop();
  await coveredPage.getByRole("button", { name: "Run again" }).click();
  await coveredPage.getByRole("heading", { name: "You cannot call from here" }).waitFor({ timeout: 40_000 });
  const report = (await coveredPage.evaluate(() => window.diagnosis)) as Report;
  expect(checkOf(report, "gateway")).toMatchObject({ state: "failed", code: "gateway-unreachable" });
  expect(bad(report)).toEqual(["gateway"]);
  const { host } = new URL(stage.tributary.url);
  expect(report.verdict.administrator.join(" ")).toContain(`HTTPS to ${host}`);
});
