/** Icecast ingest with the programs that people send with: ffmpeg (PUT and SOURCE), GStreamer (libshout), curl. */
import { spawnSync } from "node:child_process";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Icecast, KEY, run, startIcecast, until } from "./icecast-harness.ts";

const TONE_HZ = 1_000;
const SECONDS = 2;

let icecast: Icecast;
beforeEach(async () => {
  icecast = await startIcecast();
});
afterEach(() => {
  icecast.close();
  expect(icecast.log.filter((line) => line.startsWith("FAULT") || line.includes(KEY))).toEqual([]);
});

const tone = (rateHz = 48_000, seconds = SECONDS): string[] => [
  ...["-hide_banner", "-loglevel", "error", "-re", "-f", "lavfi"],
  ...["-i", `sine=frequency=${TONE_HZ}:sample_rate=${rateHz}:duration=${seconds}`],
];
const url = (key = KEY): string => `icecast://source:${key}@127.0.0.1:${icecast.port}/radio`;

/** All that was sent was heard, once, in one piece. */
async function expectHeard(index = 0): Promise<void> {
  const heard = icecast.heard[index]!;
  // ffmpeg's SOURCE never reads its answer, so that its end is a reset, which may come before the end is read.
  expect((await heard.ended).message).toMatch(/^The sender is done\.$|read ECONNRESET/);
  expect(heard.toneHz).toBeGreaterThan(TONE_HZ * 0.97);
  expect(heard.toneHz).toBeLessThan(TONE_HZ * 1.03);
  expect(heard.control.stats.skippedBlocks).toBe(0);
  // A reset takes what was on its way: 5 frames.
  expect(heard.blocks).toBeGreaterThanOrEqual(SECONDS * 50 - 6);
  expect(heard.blocks).toBeLessThanOrEqual(SECONDS * 50 + 8);
  expect(heard.breaks).toBe(heard.control.stats.gaps);
}

describe("ffmpeg", () => {
  it.each([
    ["MP3 by PUT", ["-c:a", "libmp3lame", "-content_type", "audio/mpeg", "-f", "mp3"], 44_100],
    ["MP3 by SOURCE", ["-c:a", "libmp3lame", "-legacy_icecast", "1", "-f", "mp3"], 48_000],
    ["AAC", ["-c:a", "aac", "-content_type", "audio/aac", "-f", "adts"], 44_100],
    ["Ogg Opus", ["-c:a", "libopus", "-content_type", "audio/ogg", "-f", "ogg"], 48_000],
    [
      "Ogg Vorbis",
      ["-c:a", "libvorbis", "-ac", "2", "-content_type", "application/ogg", "-f", "ogg"],
      44_100,
    ],
  ])("sends %s", async (_, settings, rateHz) => {
    const { code, said } = await run("ffmpeg", [...tone(rateHz), ...settings, "-ice_name", "Radio Ü", url()])
      .done;
    expect([code, said]).toEqual([0, ""]);
    await expectHeard();
    expect(icecast.requests[0]).toMatchObject({ purpose: "source", mount: "radio", stationName: "Radio Ü" });
  });

  it("is told when its key is wrong, and nothing begins", async () => {
    const { code, said } = await run("ffmpeg", [...tone(), "-f", "mp3", url("wrong-key")]).done;
    expect(code).not.toBe(0);
    expect(said).toContain("403");
    expect(icecast.heard).toEqual([]);
    expect(icecast.log).toEqual([
      expect.stringMatching(
        /^Icecast from 127\.0\.0\.1:\d+ refused \(403\): There is no ingest with this stream key\.$/,
      ),
    ]);
  });

  it("is taken over from by another with the same key", async () => {
    const first = run("ffmpeg", [...tone(48_000, 30), "-f", "mp3", url()]);
    await until(() => (icecast.heard[0]?.blocks ?? 0) > 20);
    const second = run("ffmpeg", [...tone(), "-f", "mp3", url()]);
    expect(await icecast.heard[0]!.ended).toMatchObject({ code: "taken-over" });
    expect((await first.done).code).not.toBe(0);
    expect((await second.done).code).toBe(0);
    await expectHeard(1);
    expect(icecast.server.sources).toBe(0);
  });

  it("may be killed: the sound ends, and goes on when it comes back", async () => {
    const first = run("ffmpeg", [
      ...tone(48_000, 30),
      "-c:a",
      "aac",
      "-content_type",
      "audio/aac",
      "-f",
      "adts",
      url(),
    ]);
    await until(() => (icecast.heard[0]?.blocks ?? 0) > 20);
    first.child.kill("SIGKILL");
    expect((await icecast.heard[0]!.ended).code).toMatch(/^(finished|disconnected)$/);
    const { code } = await run("ffmpeg", [...tone(), "-f", "mp3", url()]).done;
    expect(code).toBe(0);
    await expectHeard(1);
  });
});

describe("GStreamer", () => {
  const pipeline = (encoder: string, key = KEY): string[] =>
    `-q audiotestsrc is-live=true freq=${TONE_HZ} num-buffers=${SECONDS * 50} samplesperbuffer=960 ! audio/x-raw,rate=48000,channels=2 ! ${encoder} ! shout2send ip=127.0.0.1 port=${icecast.port} mount=/radio username=source password=${key} sync=false`.split(
      " ",
    );

  it.each(["lamemp3enc", "vorbisenc ! oggmux"])("sends %s through libshout", async (encoder) => {
    const { code, said } = await run("gst-launch-1.0", pipeline(encoder)).done;
    expect([code, said]).toEqual([0, ""]);
    await expectHeard();
  });

  it("is told when its key is wrong", async () => {
    const { code } = await run("gst-launch-1.0", pipeline("lamemp3enc", "wrong-key")).done;
    expect(code).not.toBe(0);
    expect(icecast.heard).toEqual([]);
    expect(icecast.log.some((line) => line.includes("refused (403)"))).toBe(true);
  });
});

describe("curl", () => {
  /** As fast as it can: three seconds. */
  function file(): Uint8Array {
    const source = tone().filter((argument) => argument !== "-re");
    return new Uint8Array(spawnSync("ffmpeg", [...source, "-c:a", "libmp3lame", "-f", "mp3", "-"]).stdout);
  }
  const target = (): string => `http://127.0.0.1:${icecast.port}/radio`;
  const upload = (...options: string[]): string[] => [
    ...["-sS", "-u", `source:${KEY}`, "-H", "Content-Type: audio/mpeg", "-T", "-", ...options],
    ...["-w", "%{http_code}", target()],
  ];

  it.each([
    ["in chunks after 100", ["-H", "Expect: 100-continue"]],
    ["in chunks without Expect", ["-H", "Expect:"]],
    ["of a known length", ["-H", "Expect:"]],
  ])("uploads a file %s, which is played at its pace", async (how, options) => {
    const began = performance.now();
    const bytes = file();
    const length =
      how === "of a known length"
        ? ["-H", `Content-Length: ${bytes.length}`, "-H", "Transfer-Encoding:"]
        : [];
    const { code, said } = await run("curl", upload(...options, ...length), bytes).done;
    expect([code, said]).toEqual([0, "200"]);
    await expectHeard();
    expect(performance.now() - began).toBeGreaterThan((SECONDS - 0.3) * 1000);
    expect(icecast.heard[0]!.control.stats.gaps).toBe(0);
  });

  it("says titles while it sends", async () => {
    const source = run("ffmpeg", [...tone(48_000, 30), "-f", "mp3", url()]);
    await until(() => icecast.heard.length === 1);
    const say = (key: string, query: string): Promise<{ code: number | null; said: string }> =>
      run("curl", [
        ...["-sS", "-u", `source:${key}`, "-w", "%{http_code}"],
        `http://127.0.0.1:${icecast.port}/admin/metadata?mode=updinfo&mount=/radio&${query}`,
      ]).done;
    expect((await say(KEY, "song=Erik+Satie+%E2%80%93+Gymnop%C3%A9die")).said).toMatch(
      /<return>1<\/return>.*200$/s,
    );
    expect((await say("wrong", "song=x")).said).toMatch(/403$/);
    expect(icecast.heard[0]!.titles).toEqual(["Erik Satie – Gymnopédie"]);
    icecast.heard[0]!.control.end("The ingest was deleted.");
    expect(await icecast.heard[0]!.ended).toEqual({ code: "ended-here", message: "The ingest was deleted." });
    expect((await source.done).code).not.toBe(0);
    expect((await say(KEY, "song=x")).said).toMatch(/404$/);
  });

  it.each([
    ["401", ["-T", "-", "-H", "Content-Type: audio/mpeg"]],
    ["415", ["-T", "-", "-u", `source:${KEY}`, "-H", "Content-Type: video/mp4"]],
    ["404", []],
    ["405", ["-X", "DELETE"]],
  ])("is answered %s", async (status, options) => {
    const { said } = await run("curl", ["-sS", "-w", "%{http_code}", ...options, target()], file()).done;
    expect(said).toMatch(new RegExp(`\\.\\n${status}$`));
    expect(icecast.heard).toEqual([]);
  });

  it("sends no sound at all: the source ends with the decoder's reason", async () => {
    await run("curl", upload(), new Uint8Array(600_000).fill(7)).done;
    expect(await icecast.heard[0]!.ended).toMatchObject({ code: "malformed" });
    expect(icecast.log.at(-1)).toContain("could not be decoded");
  });
});

it("takes bytes one at a time", async () => {
  const socket = connect(icecast.port, "127.0.0.1").setNoDelay();
  let said = "";
  socket.on("data", (bytes) => {
    said += bytes.toString();
  });
  const head = `SOURCE /radio ICE/1.0\nAuthorization: Basic ${btoa(`source:${KEY}`)}\ncontent-type: audio/aac\n\n`;
  for (const char of head) {
    socket.write(char);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await until(() => said !== "");
  expect(said).toBe("HTTP/1.0 200 OK\r\nConnection: close\r\n\r\n");
  expect(icecast.requests[0]).toMatchObject({ mount: "radio", format: "aac-adts" });
  socket.destroy();
  await until(() => icecast.server.connections === 0);
});
