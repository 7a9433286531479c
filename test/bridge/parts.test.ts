/** Parts of a programme as a file, as ffprobe and ffmpeg read them: both sound codecs, pictures with and without B-frames, clicks where flashes are. */
import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { openProgrammeParts } from "../../bridge/fmp4/programme-to-parts.ts";
import { openAacEncoder } from "../../bridge/sound/aac-encoder.ts";
import { openOpusEncoder } from "../../bridge/sound/opus-encoder.ts";
import { PlayedProgramme } from "./played-programme.ts";
import { testPictures } from "./test-pictures.ts";

const START_US = 1_790_000_000_000_000;
const SECONDS = 5;
const FPS = 30;
/** A white picture among black ones, and a click at the same time. */
const FLASH_PICTURE = 75;

async function record(codec: "mp4a.40.2" | "opus", bFrames: number): Promise<Buffer> {
  const filter = `geq=lum='if(eq(N,${FLASH_PICTURE}),235,16)':cb=128:cr=128`;
  const pictures = testPictures({
    seconds: SECONDS,
    fps: FPS,
    bFrames,
    source: "nullsrc",
    size: "64x64",
    filter,
  });
  // With B-frames everything is shown later than its number says.
  const shownUs = pictures.map(({ timeUs }) => timeUs).sort((a, b) => a - b)[FLASH_PICTURE]!;
  const clickAt = Math.round((shownUs * 48) / 1000);
  const programme = new PlayedProgramme();
  programme.wave = (sample) => (sample >= clickAt && sample < clickAt + 480 ? Math.sin(sample / 3) * 0.8 : 0);
  const file: Uint8Array[] = [];
  const parts = await openProgrammeParts({
    programme,
    openEncoder: codec === "opus" ? openOpusEncoder : openAacEncoder,
    codec,
    bitrateBps: 96_000,
    withoutPicture: "sound",
    onProblem: (error) => expect.fail(error.message),
  });
  parts.add({ onInit: ({ bytes }) => file.push(bytes), onPart: ({ bytes }) => file.push(bytes) });
  await programme.play(pictures, START_US, SECONDS * 1e6);
  await parts.close();
  return Buffer.concat(file);
}

function run(program: string, args: readonly string[], input: Buffer): Buffer {
  const result = spawnSync(program, args, { input, maxBuffer: 1 << 28 });
  expect(String(result.stderr)).toBe("");
  return result.stdout;
}

describe.each([
  ["mp4a.40.2", 0],
  ["mp4a.40.2", 3],
  ["opus", 0],
] as const)("parts with %s and %i B-frames", (codec, bFrames) => {
  it("are a file whose flash and click come together", async () => {
    const file = await record(codec, bFrames);
    const show = [
      "-show_entries",
      "stream=codec_name,profile,channels,sample_rate,width,height",
      "-of",
      "json",
      "-",
    ];
    const { streams } = JSON.parse(String(run("ffprobe", ["-v", "warning", ...show], file)));
    const [sound, picture] = ["aac", "opus", "h264"].flatMap((name) =>
      streams.filter((stream: { codec_name: string }) => stream.codec_name === name),
    );
    expect(sound).toMatchObject({
      codec_name: codec === "opus" ? "opus" : "aac",
      channels: 2,
      sample_rate: "48000",
    });
    expect(picture).toMatchObject({ codec_name: "h264", width: 64, height: 64 });

    const levels = run(
      "ffmpeg",
      [
        "-v",
        "error",
        "-i",
        "-",
        "-copyts",
        "-vf",
        "signalstats,metadata=print:file=-:key=lavfi.signalstats.YAVG",
        "-an",
        "-f",
        "null",
        "-",
      ],
      file,
    );
    const flash = [...String(levels).matchAll(/pts_time:([\d.]+)\s+\S+YAVG=([\d.]+)/g)].find(
      ([, , level]) => Number(level) > 100,
    );
    const pcm = run(
      "ffmpeg",
      [
        "-v",
        "error",
        "-i",
        "-",
        "-copyts",
        "-vn",
        "-af",
        "aresample=async=1:first_pts=0",
        "-ac",
        "1",
        "-f",
        "f32le",
        "-",
      ],
      file,
    );
    const samples = new Float32Array(pcm.buffer.slice(pcm.byteOffset, pcm.byteOffset + pcm.length));
    const click = samples.findIndex((value) => Math.abs(value) > 0.2) / 48_000;
    expect(click).toBeGreaterThan(2);
    expect(Math.abs(click - Number(flash?.[1]))).toBeLessThan(0.01);
  });
});
