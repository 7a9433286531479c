/** A streaming program in a room: ffmpeg publishes by RTMP, two people in Chromium see and hear it, with B-frames and without. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBrowser, type TestBrowser } from "./browser.ts";
import { judgeTone, RoomPage, untilGood } from "./room-page.ts";
import { testClip } from "./test-clip.ts";
import { type RunningTributary, startTributary } from "./tributary.ts";

interface Ingest {
  streamKey: string;
  urls: { rtmp: string };
}

let tributary: RunningTributary;
let browser: TestBrowser;

beforeAll(async () => {
  [tributary, browser] = await Promise.all([
    startTributary({ env: { RTMP_PORT: "0" } }),
    openBrowser(testClip()),
  ]);
});

afterAll(async () => {
  await browser?.close();
  await tributary?.stop();
});

/** Sends the clip and its tone, again and again, until it is ended. */
function publish({ urls, streamKey }: Ingest, encoder: string[]): ChildProcess {
  const { videoPath, audioPath } = testClip();
  const again = ["-stream_loop", "-1", "-re"];
  return spawn(
    "ffmpeg",
    [
      ["-v", "error", ...again, "-i", videoPath, ...again, "-i", audioPath, "-map", "0:v", "-map", "1:a"],
      [
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-b:v",
        "2M",
        "-g",
        "60",
        "-pix_fmt",
        "yuv420p",
        ...encoder,
      ],
      ["-c:a", "aac", "-b:a", "128k", "-f", "flv", `${urls.rtmp}/${streamKey}`],
    ].flat(),
    { stdio: "ignore" },
  );
}

const FORMS = [
  ["without B-frames", "plain", ["-bf", "0"]],
  ["with three B-frames", "reordered", ["-bf", "3", "-x264-params", "b-adapt=0"]],
] as const;

describe.each(FORMS)("ffmpeg %s", (_form, room, encoder) => {
  it("is seen and heard by two people", async () => {
    const { status, body } = await tributary.api("POST", "/v1/ingests", {
      type: "rtmp",
      room,
      identity: "obs",
    });
    expect(status).toBe(201);
    const ffmpeg = publish(body as Ingest, [...encoder]);
    const people = await Promise.all(
      ["ann", "bob"].map(async (identity) => {
        const token = await tributary.mint(room, identity, { publish: [] });
        return RoomPage.join(await browser.newPage(), tributary.url, room, token);
      }),
    );
    for (const person of people) {
      await person.seeCamera("obs");
      const { psnrDb } = await person.firstPicture("obs");
      const rate = await untilGood(
        () => person.renderedRate("obs", 2_000),
        (value) => value > 24,
      );
      const { toneShare } = await untilGood(
        async () => judgeTone(await person.listen(2_000)),
        (tone) => tone.toneShare > 0.9,
      );
      console.info(
        `  ${person.identity}: ${rate.toFixed(1)} fps, ${psnrDb.toFixed(1)} dB, tone ${toneShare.toFixed(2)}`,
      );
      expect(psnrDb).toBeGreaterThan(26);
      expect(rate).toBeGreaterThan(24);
      expect(toneShare).toBeGreaterThan(0.9);
    }
    ffmpeg.kill("SIGKILL");
    await once(ffmpeg, "exit");
    await people[0]!.page.waitForFunction(() => window.tributary.room?.participants.get("obs") === undefined);
    for (const { page } of people) await page.close();
  });
});

it("a wrong key is refused, and the log says so", async () => {
  const { body } = await tributary.api("POST", "/v1/ingests", {
    type: "rtmp",
    room: "closed",
    identity: "obs",
  });
  const ffmpeg = publish({ ...(body as Ingest), streamKey: "not-the-key-0123456789" }, []);
  const [code] = await once(ffmpeg, "exit");
  expect(code).not.toBe(0);
  expect(tributary.output()).toMatch(/RTMP from .* refused.*stream key/);
});
