/** Browsers that encode and decode different things, or nothing, in one room: real Chromium, with parts of WebCodecs taken away. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBrowser, type TestBrowser } from "./browser.ts";
import { report } from "./call-checks.ts";
import { judgeTone, RoomPage, untilGood } from "./room-page.ts";
import { testClip } from "./test-clip.ts";
import { type RunningTributary, startTributary } from "./tributary.ts";

/** `kind` says that it supports only codecs that match, or all others. */
const only = (kind: "VideoEncoder" | "VideoDecoder", pattern: string, isOnly: boolean): string => `
  (() => {
    const ask = globalThis.${kind}.isConfigSupported.bind(globalThis.${kind});
    globalThis.${kind}.isConfigSupported = async (config) =>
      new RegExp(${JSON.stringify(pattern)}).test(config.codec) === ${isOnly} ? ask(config) : { supported: false, config };
  })();`;
const without = (...names: string[]): string => names.map((name) => `delete globalThis.${name};`).join("");

let tributary: RunningTributary;
let browser: TestBrowser;

async function join(room: string, identity: string, prelude?: string): Promise<RoomPage> {
  const token = await tributary.mint(room, identity);
  return RoomPage.join(await browser.newPage(prelude), tributary.url, room, token);
}

/** Sends the camera anew. */
async function publish(page: RoomPage, codec: "h264" | "vp8" | "vp9" | "av1"): Promise<void> {
  await page.page.evaluate(async (wished) => {
    const { room } = window.tributary;
    await room?.localTracks.get("camera")?.stop();
    await room?.publishCamera({ codec: wished });
  }, codec);
}

/** Waits until `viewer` receives the camera of `of` in a codec whose string begins so. */
async function receives(viewer: RoomPage, of: string, begin: string): Promise<void> {
  await viewer.page.waitForFunction(
    (args) =>
      [...(window.tributary.room?.participants.get(args.of)?.tracks.values() ?? [])].some(
        (track) => track.source === "camera" && track.codec.startsWith(args.begin),
      ),
    { of, begin },
    { timeout: 20_000 },
  );
}

/** The sentence in the tile of `of`, as a person reads it; undefined while there is none. */
function sentence(viewer: RoomPage, of: string): Promise<string | undefined> {
  return viewer.page.evaluate((name) => {
    const find = (root: Document | ShadowRoot): Element[] =>
      [...root.querySelectorAll("*")].flatMap((element) => [
        element,
        ...(element.shadowRoot === null ? [] : find(element.shadowRoot)),
      ]);
    const tile = find(document).find(
      (element) =>
        element.tagName === "ARTICLE" && element.querySelector(".name")?.textContent?.trim() === name,
    );
    return tile?.querySelector(".problem")?.textContent ?? undefined;
  }, of);
}

beforeAll(async () => {
  [tributary, browser] = await Promise.all([startTributary(), openBrowser(testClip())]);
});

afterAll(async () => {
  await browser?.close();
  await tributary?.stop();
});

describe("a codec that both ends have", () => {
  let ann: RoomPage;
  let bob: RoomPage;

  beforeAll(async () => {
    ann = await join("codecs", "ann");
    bob = await join("codecs", "bob");
    await bob.seeCamera("ann");
    await bob.firstPicture("ann");
  });

  it("is H.264 where nobody wishes another one", async () => {
    expect((await bob.inbound("ann", "video")).codec).toMatch(/^avc1/);
  });

  it.each([
    ["vp8", "vp8"],
    ["vp9", "vp09"],
    ["av1", "av01"],
  ] as const)("may be %s: the picture is right, and its layers are", async (codec, begin) => {
    await publish(ann, codec);
    await receives(bob, "ann", begin);
    await bob.seeCamera("ann");
    await bob.firstPicture("ann");
    const watch = async () => {
      const before = await bob.inbound("ann", "video");
      await bob.page.waitForTimeout(1_500);
      const after = await bob.inbound("ann", "video");
      const missed = (reason: string): number =>
        (after.framesDroppedBy?.[reason] ?? 0) - (before.framesDroppedBy?.[reason] ?? 0);
      const decoded = (after.framesDecoded ?? 0) - (before.framesDecoded ?? 0);
      return { decoded, missed: missed("no-reference") };
    };
    const seen = await untilGood(watch, ({ decoded, missed }) => decoded > 15 && missed === 0);
    report(`${codec}: decoded in 1.5 s`, seen.decoded, "pictures");
    expect(seen.decoded).toBeGreaterThan(15);
    expect(seen.missed).toBe(0);
    const { psnrDb } = await bob.firstPicture("ann");
    report(`${codec}: picture`, psnrDb, "dB PSNR");
    expect(psnrDb).toBeGreaterThan(28);
    const sent = (await ann.stats()).tracks.find(
      ({ direction, source }) => direction === "outbound" && source === "camera",
    );
    expect(sent?.codec).toMatch(new RegExp(`^${begin}`));
    report(`${codec}: temporal layers`, sent?.temporalLayers ?? Number.NaN, "");
  });

  it("changes when somebody comes who has it not, and the picture goes on", async () => {
    // In AV1 now. The canvas of the track stays the same.
    const cyd = await join("codecs", "cyd", only("VideoDecoder", "^av01", false));
    await receives(bob, "ann", "avc1");
    await cyd.seeCamera("ann");
    await cyd.firstPicture("ann");
    const before = (await bob.inbound("ann", "video")).framesRendered ?? 0;
    const rendered = async () => (await bob.inbound("ann", "video")).framesRendered ?? 0;
    await expect.poll(rendered, { timeout: 15_000 }).toBeGreaterThan(before);
    await bob.firstPicture("ann");
    expect(await sentence(cyd, "ann")).toBeUndefined();
    // And back again when they leave.
    // Closing the whole profile instead makes Chromium drop its sockets without a word, now and then.
    await cyd.page.close();
    await receives(bob, "ann", "av01");
    await bob.firstPicture("ann");
  });

  // A call in AV1 that goes on would keep the machine busy for the others.
  afterAll(() => Promise.all([ann, bob].map(({ page }) => page.context().close())));
});

describe("browsers that lack something", () => {
  it("say in the tile which codec they cannot show, and hear all the same", async () => {
    const eve = await join("lacking", "eve", only("VideoEncoder", "^av01", true));
    const cyd = await join("lacking", "cyd", only("VideoDecoder", "^av01", false));
    await receives(cyd, "eve", "av01");
    const said = await untilGood(
      async () => {
        await cyd.page.waitForTimeout(200);
        return await sentence(cyd, "eve");
      },
      (text) => text !== undefined,
    );
    expect(said).toBe("This picture is sent in AV1, which this browser cannot show.");
    const heard = await untilGood(
      async () => judgeTone(await cyd.listen(1_500)),
      (tone) => tone.toneShare > 0.9,
    );
    expect(heard.toneShare).toBeGreaterThan(0.9);
    await Promise.all([eve, cyd].map(({ page }) => page.context().close()));
  });

  it("read their camera off a <video>, and go on in a tab that is not seen", async () => {
    const fay = await join("watched", "fay", without("MediaStreamTrackProcessor"));
    const bob = await join("watched", "bob");
    await bob.seeCamera("fay");
    expect((await bob.firstPicture("fay")).psnrDb).toBeGreaterThan(28);
    const inStep = await untilGood(
      async () => {
        await bob.page.waitForTimeout(500);
        return (await bob.inbound("fay", "video")).avOffsetMs ?? Number.NaN;
      },
      (ms) => Math.abs(ms) <= 45,
    );
    report("sound before picture", inStep, "ms");
    // Nobody notices more than 45 ms, and a machine that is busy with three browsers' work keeps to what nobody minds (BT.1359).
    expect(Math.abs(inStep)).toBeLessThanOrEqual(90);
    await fay.page.evaluate(() => {
      Object.defineProperty(document, "hidden", { get: () => true });
      document.dispatchEvent(new Event("visibilitychange"));
    });
    await bob.page.waitForTimeout(500);
    const rate = await untilGood(
      () => bob.renderedRate("fay", 1_500),
      (perSecond) => perSecond > 5,
    );
    report("not seen", rate, "pictures a second");
    expect(rate).toBeGreaterThan(5);
    expect((await bob.firstPicture("fay")).psnrDb).toBeGreaterThan(28);
    await Promise.all([fay, bob].map(({ page }) => page.context().close()));
  });

  it("without any of WebCodecs: are heard, hear, and say what they cannot do", async () => {
    const names = ["VideoEncoder", "VideoDecoder", "AudioEncoder", "AudioDecoder", "AudioData"];
    const ann = await join("bare", "ann");
    // What hands out AudioData is gone with it.
    const dan = await join("bare", "dan", without(...names, "MediaStreamTrackProcessor"));
    const hears = (listener: RoomPage) =>
      untilGood(
        async () => judgeTone(await listener.listen(1_500)),
        (tone) => tone.toneShare > 0.9,
      );
    expect((await hears(ann)).toneShare).toBeGreaterThan(0.9);
    expect((await hears(dan)).toneShare).toBeGreaterThan(0.9);
    expect(await sentence(dan, "ann")).toBe("This picture is sent in H.264, which this browser cannot show.");
    const refused = await dan.page.evaluate(() =>
      window.tributary.room?.publishCamera().then(
        () => undefined,
        (error: { code: string; message: string }) => ({ code: error.code, message: error.message }),
      ),
    );
    expect(refused?.code).toBe("no-encoder");
    expect(refused?.message).toMatch(/^This browser cannot send pictures/);
    await Promise.all([ann, dan].map(({ page }) => page.context().close()));
  });

  it("nothing else went wrong in any page", () => {
    expect(browser.problems).toEqual([]);
  });
});
