/** bridge/node/ffmpeg-sound-decoder.ts with the real ffmpeg: where samples come out, what a broken frame does, and every way to fail. */
import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { openFfmpegSoundDecoder } from "../../bridge/node/ffmpeg-sound-decoder.ts";
import { MAX_DECODER_BACKLOG_BYTES } from "../../bridge/sound/limits.ts";
import type { ForeignFormat, SoundDecoderError } from "../../bridge/sound/sound-decoder.ts";
import { hostileBytes } from "../fuzz/mutation.ts";
import { seededRandom } from "../sim/seeded-random.ts";

const SECONDS = 3;
/** A tone begins here, after silence. */
const ONSET_SECONDS = 1;

/** What ffmpeg makes of silence with a tone after it. */
function encoded(rateHz: number, ...settings: string[]): Uint8Array {
  const tone = `aevalsrc=if(gte(t\\,${ONSET_SECONDS})\\,0.8*sin(2*PI*1000*t)\\,0)|if(gte(t\\,${ONSET_SECONDS})\\,0.8*sin(2*PI*1000*t)\\,0):s=${rateHz}:d=${SECONDS}`;
  const made = spawnSync("ffmpeg", ["-v", "error", "-f", "lavfi", "-i", tone, ...settings, "pipe:1"], {
    maxBuffer: 1 << 26,
  });
  expect(made.stderr.toString()).toBe("");
  return new Uint8Array(made.stdout);
}

/** Byte offsets of ADTS frames (ISO/IEC 14496-3, 1.A.2.2). */
function adtsFrames(bytes: Uint8Array): number[] {
  const starts: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    starts.push(at);
    at += ((bytes[at + 3]! & 3) << 11) | (bytes[at + 4]! << 3) | (bytes[at + 5]! >> 5);
  }
  return starts;
}

interface Decoded {
  samples: number;
  /** First sample that is loud, or -1. */
  onset: number;
  failures: SoundDecoderError[];
}

async function decode(format: ForeignFormat, bytes: Uint8Array, chunkBytes = 700): Promise<Decoded> {
  const result: Decoded = { samples: 0, onset: -1, failures: [] };
  const decoder = openFfmpegSoundDecoder({
    format,
    onSound(left, right, firstSample) {
      expect(firstSample).toBe(result.samples);
      expect(right.length).toBe(left.length);
      const loud = left.findIndex((value) => Math.abs(value) > 0.2);
      if (loud >= 0 && result.onset < 0) result.onset = firstSample + loud;
      result.samples += left.length;
    },
    onFailure: (error) => result.failures.push(error),
  });
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    expect(decoder.push(bytes.subarray(at, at + chunkBytes))).toBe(true);
    await decoder.ready();
  }
  await decoder.end();
  expect(decoder.droppedBytes).toBe(0);
  return result;
}

describe("where sound comes out", () => {
  it.each([44_100, 48_000])(
    "AAC of %i Hz: 1024 samples of its rate for each access unit, none taken off",
    async (rateHz) => {
      const bytes = encoded(rateHz, "-c:a", "aac", "-b:a", "96k", "-f", "adts");
      const units = adtsFrames(bytes).length;
      const { samples, onset, failures } = await decode("aac-adts", bytes);
      expect(failures).toEqual([]);
      expect(Math.abs(samples - (units * 1024 * 48_000) / rateHz)).toBeLessThanOrEqual(1);
      // The encoder's priming of 1024 samples is in front of what was encoded.
      const expected = 48_000 * ONSET_SECONDS + (1024 * 48_000) / rateHz;
      expect(Math.abs(onset - expected)).toBeLessThan(10);
    },
  );

  it("MP3: 1152 for each frame; encoder's and decoder's delay together are 1105 samples", async () => {
    const bytes = encoded(
      48_000,
      ...["-c:a", "libmp3lame", "-b:a", "128k", "-write_xing", "0", "-id3v2_version", "0", "-f", "mp3"],
    );
    const { samples, onset } = await decode("mp3", bytes);
    expect(samples % 1152).toBe(0);
    expect(samples).toBe((bytes.length / 384) * 1152);
    expect(Math.abs(onset - 48_000 * ONSET_SECONDS - 1105)).toBeLessThan(10);
  });

  it.each(["libopus", "libvorbis"])(
    "Ogg by %s: exactly what was encoded, from its first sample",
    async (codec) => {
      const { samples, onset } = await decode("ogg", encoded(48_000, "-c:a", codec, "-f", "ogg"));
      expect(samples).toBe(48_000 * SECONDS);
      expect(Math.abs(onset - 48_000 * ONSET_SECONDS)).toBeLessThan(10);
    },
  );

  it("Ogg goes on with the next stream of a chain, which is how senders change titles", async () => {
    const bytes = encoded(48_000, "-c:a", "libopus", "-f", "ogg");
    const { samples, failures } = await decode("ogg", Buffer.concat([bytes, bytes]));
    expect(failures).toEqual([]);
    // The pre-skip of the second is not taken off.
    expect(samples).toBe(2 * 48_000 * SECONDS + 312);
  });

  it("AAC units that do not decode come out as silence of their length", async () => {
    const bytes = encoded(48_000, "-c:a", "aac", "-f", "adts");
    const starts = adtsFrames(bytes);
    for (const unit of [60, 80, 81, 82]) {
      for (let at = starts[unit]! + 7; at < starts[unit + 1]!; at++) bytes[at] = (at * 37 + unit) & 0xff;
    }
    const { samples, failures } = await decode("aac-adts", bytes);
    expect(samples).toBe(starts.length * 1024);
    expect(failures).toEqual([]);
  });

  it("takes bytes one at a time", async () => {
    const bytes = encoded(48_000, "-c:a", "aac", "-f", "adts", "-t", "1").subarray(0, 3_000);
    const whole = await decode("aac-adts", bytes);
    expect(whole.samples).toBeGreaterThan(1024);
    expect((await decode("aac-adts", bytes, 1)).samples).toBe(whole.samples);
  });
});

/** SOUND_FUZZ_INPUTS=1000 feeds as many of each format. */
describe("hostile bytes", () => {
  const inputs = Number(process.env.SOUND_FUZZ_INPUTS ?? 4);
  it.each<[ForeignFormat, string[]]>([
    ["aac-adts", ["-c:a", "aac", "-f", "adts"]],
    ["mp3", ["-c:a", "libmp3lame", "-f", "mp3"]],
    ["ogg", ["-c:a", "libopus", "-f", "ogg"]],
  ])(
    "of %s end as sound or as a failure, never as a hang or as more sound than they can hold",
    async (format, settings) => {
      const random = seededRandom(20_261_128);
      const sample = encoded(48_000, ...settings);
      for (let i = 0; i < inputs; i++) {
        let bytes = sample;
        for (let changes = 0; changes < 8; changes++) bytes = hostileBytes(random, [bytes, sample]);
        const { samples, failures } = await decode(format, bytes);
        expect(failures.every(({ reason }) => reason === "failed")).toBe(true);
        // A spliced input is three of them at most; a lower sample rate makes each frame six times as long.
        expect(samples).toBeLessThan(48_000 * SECONDS * 3 * 6);
      }
    },
    30_000 + inputs * 1_000,
  );
});

describe("failing", () => {
  const deaf = { format: "mp3", onSound: () => undefined } as const;

  it("says what to install where there is no ffmpeg", async () => {
    const failures: SoundDecoderError[] = [];
    const decoder = openFfmpegSoundDecoder(
      { ...deaf, onFailure: (error) => failures.push(error) },
      "/nonexistent/ffmpeg",
    );
    decoder.push(new Uint8Array(100));
    await decoder.end();
    expect(failures.map(({ reason, message }) => `${reason}: ${message}`)).toEqual([
      "missing: Sound in AAC, MP3 or Ogg needs ffmpeg, and /nonexistent/ffmpeg cannot be run: install it (Debian: apt-get install ffmpeg).",
    ]);
  });

  it("says so when what it gets is something else", async () => {
    const failure = await new Promise<SoundDecoderError>((resolve) => {
      const decoder = openFfmpegSoundDecoder({ ...deaf, format: "ogg", onFailure: resolve });
      decoder.push(new TextEncoder().encode("certainly not Ogg ".repeat(40_000).slice(0, 300_000)));
      decoder.push(new Uint8Array(64 * 1024));
    });
    expect(failure.reason).toBe("failed");
    expect(failure.message).toMatch(/^The sound could not be decoded: ffmpeg ended with status/);
  });

  it("leaves out and counts what is more than its backlog, and says nothing after close", async () => {
    const failures: SoundDecoderError[] = [];
    const decoder = openFfmpegSoundDecoder({ ...deaf, onFailure: (error) => failures.push(error) });
    let refused = 0;
    for (let i = 0; i < 100; i++) if (!decoder.push(new Uint8Array(10_000))) refused += 10_000;
    expect(refused).toBeGreaterThan(0);
    expect(decoder.droppedBytes).toBe(refused);
    expect(decoder.queuedBytes).toBeLessThanOrEqual(MAX_DECODER_BACKLOG_BYTES);
    decoder.close();
    await decoder.end();
    expect(decoder.queuedBytes).toBe(0);
    expect(failures).toEqual([]);
  });
});
