/** RTMP ingest against the programs that people use: what they send arrives whole and decodes, and what is refused says why. */
import { afterEach, describe, expect, it } from "vitest";
import { testCertificate } from "./certificate.ts";
import {
  ffmpeg,
  type Ingest,
  KEY,
  Program,
  smallPieces,
  startIngest,
  type Taken,
} from "./rtmp-ingest-harness.ts";

const closing: { close(): void }[] = [];
afterEach(() => {
  for (const each of closing.splice(0)) each.close();
});

async function start(options: Parameters<typeof startIngest>[0] = {}): Promise<Ingest> {
  const ingest = await startIngest(options);
  closing.push(ingest);
  return ingest;
}

/** Everything decodes, times grow, the first picture is a keyframe, and nothing was broken on the way. */
async function expectSound(taken: Taken, pictures: number, soundsSent?: number): Promise<void> {
  await taken.ended;
  const sounds = soundsSent ?? taken.audio.length;
  expect(taken.video).toHaveLength(pictures);
  expect(taken.audio).toHaveLength(sounds);
  if (pictures > 0) expect(await taken.countPictures()).toBe(pictures);
  if (sounds > 0) expect(await taken.countSounds()).toBe(sounds);
  expect(taken.video[0]?.keyframe ?? true).toBe(true);
  expectGrowing(taken.video.map(({ dtsUs }) => dtsUs));
  expectGrowing(taken.audio.map(({ timeUs }) => timeUs));
  expect(taken.control.stats.dropped).toMatchObject({ malformed: 0, "no-config": 0, "no-keyframe": 0 });
}

function expectGrowing(times: number[]): void {
  expect(times.every((time, at) => at === 0 || time > times[at - 1]!)).toBe(true);
}

/** Shown in order of time, these are 1/30 s apart, to the millisecond that FLV has. */
function expectEvenPictures(taken: Taken): void {
  const shown = taken.video.map(({ ptsUs }) => ptsUs).sort((a, b) => a - b);
  const steps = shown.slice(1).map((time, at) => time - shown[at]!);
  expect(Math.min(...steps)).toBeGreaterThanOrEqual(32_000);
  expect(Math.max(...steps)).toBeLessThanOrEqual(35_000);
}

describe("ffmpeg", () => {
  it.each([0, 3])("H.264 with %i B-frames and AAC", async (bFrames) => {
    const ingest = await start();
    expect(await ffmpeg(ingest.url(), { bFrames }).ended).toMatchObject({ code: 0 });
    const taken = await ingest.publication(0);
    expect(await taken.ended).toMatchObject({ code: "finished" });
    await expectSound(taken, 60);
    expectEvenPictures(taken);
    expect(taken.video.some(({ ptsUs, dtsUs }) => ptsUs > dtsUs)).toBe(bFrames > 0);
    expect(taken.audio.length).toBeGreaterThan(90);
    expect(taken.audio[0]?.aac).toMatchObject({ objectType: 2, sampleRateHz: 48_000, channels: 1 });
    expect(taken.metadata[0]).toMatchObject({ width: 320, height: 180 });
    expect(ingest.log.join("\n")).not.toContain(KEY);
  });

  it("sound alone, and picture alone", async () => {
    const ingest = await start();
    expect(await ffmpeg(ingest.url(), { video: false, fast: true }).ended).toMatchObject({ code: 0 });
    expect(await ffmpeg(ingest.url(), { audio: false, fast: true }).ended).toMatchObject({ code: 0 });
    const [sound, picture] = [await ingest.publication(0), await ingest.publication(1)];
    await expectSound(sound, 0);
    expect(sound.audio.length).toBeGreaterThan(90);
    await expectSound(picture, 60, 0);
  });

  it("MP3 as sound", async () => {
    const ingest = await start();
    const audioCodec = ["-c:a", "libmp3lame", "-ar", "44100"];
    expect(await ffmpeg(ingest.url(), { audioCodec, fast: true }).ended).toMatchObject({ code: 0 });
    const taken = await ingest.publication(0);
    await taken.ended;
    expect(taken.audio[0]).toMatchObject({ codec: "mp3", config: undefined });
    expect(taken.audio.length).toBeGreaterThan(70);
  });

  it("keyframes of an open GOP are no keyframes, and the log says what to do", async () => {
    const ingest = await start();
    const videoCodec = [
      "-c:v",
      "libx264",
      "-preset",
      "ultrafast",
      "-bf",
      "2",
      "-g",
      "15",
      "-pix_fmt",
      "yuv420p",
    ];
    const openGop = ["-x264-params", "open-gop=1:b-adapt=0"];
    expect(
      await ffmpeg(ingest.url(), { videoCodec: [...videoCodec, ...openGop], fast: true }).ended,
    ).toMatchObject({
      code: 0,
    });
    const taken = await ingest.publication(0);
    await expectSound(taken, 60);
    expect(taken.video.filter(({ keyframe }) => keyframe)).toHaveLength(1);
    expect(taken.control.stats.falseKeyframes).toBeGreaterThan(1);
    expect(ingest.log.at(-1)).toContain("turn off open GOP");
  });

  it("timestamps that cross 2^24 ms", async () => {
    const ingest = await start();
    const before = ["-output_ts_offset", "16776.2"];
    expect(await ffmpeg(ingest.url(), { bFrames: 3, before, fast: true }).ended).toMatchObject({ code: 0 });
    const taken = await ingest.publication(0);
    await expectSound(taken, 60);
    expectEvenPictures(taken);
    const wrap = 2 ** 24 * 1000;
    expect(taken.video[0]!.dtsUs).toBeLessThan(wrap);
    expect(taken.video.at(-1)!.dtsUs).toBeGreaterThan(wrap);
    const [picture, sound] = [taken.video.at(-1)!.ptsUs, taken.audio.at(-1)!.timeUs];
    expect(Math.abs(picture - sound)).toBeLessThan(150_000);
  });

  it("a wrong key is refused before it starts, with a status and a log line", async () => {
    const ingest = await start();
    const ran = await ffmpeg(ingest.url("a-key-that-nobody-gave-out"), { fast: true }).ended;
    expect(ran.code).not.toBe(0);
    expect(ran.output).toContain("The stream key is not known");
    expect(ingest.taken).toEqual([]);
    expect(ingest.log.join("\n")).toMatch(/refused: The stream key is not known/);
    expect(ingest.log.join("\n")).not.toContain("a-key-that-nobody-gave-out");
  });

  it("the key in the app, and in the query", async () => {
    const ingest = await start();
    const base = `rtmp://127.0.0.1:${ingest.port}`;
    const inApp = ["-rtmp_app", `live/${KEY}`, "-rtmp_playpath", ""];
    for (const [url, before] of [
      [`${base}/live/camera?key=${KEY}`, []],
      [`${base}/live?streamkey=${KEY}/camera`, []],
      [`${base}/live/${KEY}?other=1`, []],
      [`${base}/live/${KEY}`, inApp],
    ] as const) {
      const ran = await ffmpeg(url, { audio: false, fast: true, seconds: 0.5, before }).ended;
      expect(ran).toMatchObject({ code: 0 });
      expect(await ingest.taken.at(-1)?.ended).toMatchObject({ code: "finished" });
    }
    expect(ingest.taken).toHaveLength(4);
  });

  it("killed, and back with the same key", async () => {
    const ingest = await start();
    const first = ffmpeg(ingest.url(), { seconds: 20 });
    const taken = await ingest.publication(0);
    while (taken.video.length < 10) await new Promise((resolve) => setTimeout(resolve, 20));
    first.kill();
    expect(await taken.ended).toMatchObject({ code: "disconnected" });
    expect(await ffmpeg(ingest.url(), { fast: true }).ended).toMatchObject({ code: 0 });
    await expectSound(await ingest.publication(1), 60);
  });

  it("a second one with the same key takes over", async () => {
    const ingest = await start();
    const first = ffmpeg(ingest.url(), { seconds: 20 });
    const taken = await ingest.publication(0);
    const second = ffmpeg(ingest.url());
    expect(await taken.ended).toMatchObject({ code: "taken-over" });
    expect((await first.ended).code).not.toBe(0);
    expect(await second.ended).toMatchObject({ code: 0 });
    await expectSound(await ingest.publication(1), 60);
  });

  it.each([
    ["Sorenson H.263", { videoCodec: ["-c:v", "flv1"] }, "set the video encoder to H.264"],
    ["4:4:4 H.264", { videoCodec: ["-c:v", "libx264", "-pix_fmt", "yuv444p"] }, "8 bits, 4:2:0"],
    ["G.711", { audioCodec: ["-c:a", "pcm_alaw", "-ar", "8000"] }, "set the audio encoder to AAC"],
  ])("%s is refused with what to do", async (_name, codecs, said) => {
    const ingest = await start();
    await ffmpeg(ingest.url(), { ...codecs, seconds: 20 }).ended;
    expect(await (await ingest.publication(0)).ended).toMatchObject({ code: "codec-refused" });
    expect(ingest.log.join("\n")).toContain(said);
  });

  it("bytes one at a time", async () => {
    const ingest = await start();
    const proxy = await smallPieces(ingest.port, 1);
    closing.push(proxy);
    const url = `rtmp://127.0.0.1:${proxy.port}/live/${KEY}`;
    expect(await ffmpeg(url, { bFrames: 3, seconds: 1, fast: true }).ended).toMatchObject({ code: 0 });
    await expectSound(await ingest.publication(0), 30);
  });

  it("over TLS", async () => {
    const { cert, key } = await testCertificate();
    const ingest = await start({ tls: { cert, key } });
    expect(await ffmpeg(ingest.url(), { fast: true }).ended).toMatchObject({ code: 0 });
    await expectSound(await ingest.publication(0), 60);
  });
});

describe("GStreamer", () => {
  const source = "videotestsrc num-buffers=60 ! video/x-raw,width=320,height=180,framerate=30/1 !";
  const picture = `${source} x264enc tune=zerolatency key-int-max=30 ! video/x-h264,profile=main ! h264parse ! mux.`;
  const tone = "audiotestsrc num-buffers=90 samplesperbuffer=1024 ! audio/x-raw,rate=48000,channels=2 !";
  const sound = `${tone} avenc_aac ! aacparse ! mux.`;
  const gstreamer = (sink: string): Program =>
    new Program("gst-launch-1.0", [
      "-q",
      ...`${picture} ${sound} flvmux name=mux streamable=true ! ${sink}`.split(" "),
    ]);

  it.each([1, 128, 65_536])("rtmp2sink with chunks of %i bytes", async (chunkBytes) => {
    const ingest = await start();
    const ran = await gstreamer(`rtmp2sink location=${ingest.url()} chunk-size=${chunkBytes}`).ended;
    expect(ran).toMatchObject({ code: 0 });
    const taken = await ingest.publication(0);
    await expectSound(taken, 60);
    expect(taken.audio.length).toBeGreaterThan(85);
  });

  it("rtmpsink, which is librtmp", async () => {
    const ingest = await start();
    expect(await gstreamer(`rtmpsink location=${ingest.url()}`).ended).toMatchObject({ code: 0 });
    const taken = await ingest.publication(0);
    await expectSound(taken, 60);
    expect(taken.audio.length).toBeGreaterThan(85);
  });

  it("is told that its key is wrong", async () => {
    const ingest = await start();
    const ran = await gstreamer(`rtmp2sink location=${ingest.url("a-wrong-key-for-gstreamer")}`).ended;
    expect(ran.code).not.toBe(0);
    expect(ingest.log.join("\n")).toContain("The stream key is not known");
  });
});

describe("rtmpdump", () => {
  it("is told that nothing is played here", async () => {
    const ingest = await start();
    const ran = await new Program("rtmpdump", ["-r", ingest.url(), "-o", "/dev/null", "-m", "5"]).ended;
    expect(ran.code).not.toBe(0);
    expect(ingest.log.join("\n")).toContain("Streams are taken here, not played");
  });
});
