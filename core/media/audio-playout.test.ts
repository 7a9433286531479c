import { createDecoder, createEncoder } from "libopus-wasm";
import { describe, expect, it } from "vitest";
import { AudioPlayout } from "./audio-playout.ts";
import { carriesPrevious } from "./opus-frame.ts";

const FRAME_US = 20_000;
const FRAME_SAMPLES = 960;
const START_US = 5_000_000;

function voice(at: number): number {
  const angle = (2 * Math.PI * 140 * at) / 48_000;
  return 0.3 * Math.sin(angle) + 0.2 * Math.sin(2 * angle) + 0.1 * Math.sin(5 * angle);
}

async function encode(count: number, fec: boolean): Promise<Uint8Array[]> {
  const encoder = await createEncoder({
    channels: 1,
    sampleRate: 48_000,
    application: 2048,
    bitrate: 24_000,
    frameSize: FRAME_SAMPLES,
    fec,
    packetLossPercent: fec ? 30 : 0,
  });
  const frames = Array.from({ length: count }, (_, n) =>
    encoder
      .encodeFloat(Float32Array.from({ length: FRAME_SAMPLES }, (_, i) => voice(n * FRAME_SAMPLES + i)))
      .slice(),
  );
  encoder.free();
  return frames;
}

/** Plays frames that arrive `arrivalUs` after their capture (undefined: lost), two frames of delay asked for. */
async function play(
  frames: readonly Uint8Array[],
  arrivalUs: (frame: number) => number | undefined,
  minDelayUs = 45_000,
): Promise<{ playout: AudioPlayout; heard: number[] }> {
  const playout = new AudioPlayout({ frameDurationUs: FRAME_US, minDelayUs, maxDelayUs: 500_000 });
  const decoder = await createDecoder({ channels: 1, sampleRate: 48_000, maxFrameSize: 5_760 });
  playout.decoder = {
    decode: (bytes) => decoder.decodeFloat(bytes),
    conceal: (samples) => decoder.decodePacketLossFloat(samples),
    decodeFec: (bytes, samples) => decoder.decodeFloat(bytes, { decodeFec: true, frameSize: samples }),
  };
  const arrivals = frames
    .map((bytes, frameId) => ({ bytes, frameId, lateUs: arrivalUs(frameId) }))
    .filter(({ lateUs }) => lateUs !== undefined)
    .map(({ bytes, frameId, lateUs }) => ({ bytes, frameId, atUs: START_US + frameId * FRAME_US + lateUs! }))
    .sort((a, b) => a.atUs - b.atUs);
  const heard: number[] = [];
  for (let nowUs = START_US; nowUs < START_US + frames.length * FRAME_US; ) {
    while (arrivals.length > 0 && arrivals[0]!.atUs <= nowUs) {
      const { frameId, bytes, atUs } = arrivals.shift()!;
      playout.push(
        {
          frameId,
          captureTimeUs: START_US + frameId * FRAME_US,
          keyframe: true,
          discardable: false,
          temporalLayer: 0,
          reference: 0,
          rendition: 0,
          audioLevel: 30,
          voice: true,
          encrypted: false,
          bytes,
        },
        atUs,
      );
    }
    const block = playout.next(nowUs);
    if (block !== undefined) heard.push(...block);
    nowUs += ((block?.length ?? 240) / 48_000) * 1e6;
  }
  decoder.free();
  return { playout, heard };
}

function powerOf(samples: readonly number[]): number {
  return samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
}

function largestStep(samples: readonly number[]): number {
  let most = 0;
  for (let i = 1; i < samples.length; i++) most = Math.max(most, Math.abs(samples[i]! - samples[i - 1]!));
  return most;
}

describe("AudioPlayout", () => {
  it("makes a lost frame from the copy in the next, where there is one", async () => {
    const frames = await encode(200, true);
    // Steady tones are given none after a while: libopus takes them for background.
    const covered = [...frames.keys()].filter(
      (n) => n % 3 === 1 && n > 3 && carriesPrevious(frames[n + 1] ?? frames[n]!),
    );
    const lost = new Set(covered.slice(0, -1));
    expect(lost.size).toBeGreaterThan(4);
    const withCopies = await play(frames, (frame) => (lost.has(frame) ? undefined : 0));
    expect(withCopies.playout.counters.fromFec).toBe(lost.size * FRAME_SAMPLES);
    expect(withCopies.playout.counters.concealed).toBe(0);
    const without = await play(await encode(200, false), (frame) => (lost.has(frame) ? undefined : 0));
    expect(without.playout.counters.fromFec).toBe(0);
    expect(without.playout.counters.concealed).toBe(lost.size * FRAME_SAMPLES);
  });

  it("goes on after a late frame without a click", async () => {
    const clean = await play(await encode(200, false), () => 0);
    const late = await play(await encode(200, false), (frame) => (frame >= 100 && frame < 103 ? 70_000 : 0));
    expect(late.playout.underruns).toBeGreaterThan(0);
    expect(largestStep(late.heard)).toBeLessThan(1.6 * largestStep(clean.heard));
  });

  it("makes what it holds last until a burst is over, and makes up for it then", async () => {
    const frames = await encode(200, false);
    // Nothing for 120 ms, with 85 and a frame in hand; then all at once, as copies.
    const burst = (frame: number) => (frame >= 100 && frame < 105 ? (105 - frame) * FRAME_US : 0);
    const { playout, heard } = await play(frames, burst, 85_000);
    expect(playout.counters.concealed).toBe(0);
    expect(playout.counters.stretchedIn / 48).toBeGreaterThan(15);
    expect(playout.counters.stretchedIn / 48).toBeLessThanOrEqual(60);
    const { stretchedIn, stretchedOut } = playout.counters;
    expect((stretchedIn - stretchedOut) / 48).toBeLessThanOrEqual(15);
    const clean = await play(frames, () => 0, 85_000);
    expect(largestStep(heard)).toBeLessThan(1.6 * largestStep(clean.heard));
  });

  it("does not draw out the end of what the sender ended", async () => {
    const frames = await encode(150, false);
    const until100 = (frame: number) => (frame <= 100 ? 0 : undefined);
    const cut = await play(frames, until100);
    expect(cut.playout.counters.stretchedIn).toBeGreaterThan(0);
    frames[100] = frames[100]!.slice(0, 1);
    const ended = await play(frames, until100);
    expect(ended.playout.counters.stretchedIn).toBe(0);
  });

  it("fades what it makes up, and stops after half a second", async () => {
    const { playout, heard } = await play(await encode(200, false), (frame) => (frame < 100 ? 0 : undefined));
    expect(playout.counters.concealed / 48).toBeGreaterThan(480);
    expect(playout.counters.concealed / 48).toBeLessThanOrEqual(500);
    const end = heard.length;
    expect(powerOf(heard.slice(end - 9_600))).toBeLessThan(0.01 * powerOf(heard.slice(0, 48_000)));
  });

  it("conceals bytes that are no frame", async () => {
    const frames = await encode(60, false);
    frames[40] = Uint8Array.of(0xff, 0xff, 0xff, 0xff);
    const { playout } = await play(frames, () => 0);
    expect(playout.framesDecoded).toBeGreaterThan(50);
    expect(playout.counters.concealed).toBe(FRAME_SAMPLES);
  });
});
