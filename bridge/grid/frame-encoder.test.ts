import { describe, expect, it } from "vitest";
import { FrameEncoder } from "./frame-encoder.ts";
import { MAX_FRAMES_ENCODING, MAX_RESTART_US, RESTART_US } from "./limits.ts";
import { PictureCodecError, type PictureEncoderOptions } from "./picture-codec.ts";

const FRAME_US = 33_333;

/** Encoders that answer when they are told to. */
class Stage {
  readonly opened: (PictureEncoderOptions & { asked: boolean[]; isClosed: boolean })[] = [];
  readonly problems: string[] = [];
  readonly encoder = new FrameEncoder({
    width: 2,
    height: 2,
    codecs: {
      openEncoder: (options) => {
        const entry = { ...options, asked: [] as boolean[], isClosed: false };
        this.opened.push(entry);
        return {
          push(_frame, keyframe, onTaken) {
            entry.asked.push(keyframe);
            onTaken();
          },
          close() {
            entry.isClosed = true;
          },
        };
      },
    },
    onProblem: (error) => this.problems.push(error.message),
  });
  nowUs = 1_000_000;

  push(): number {
    this.nowUs += FRAME_US;
    this.encoder.push(this.nowUs, this.nowUs, () => undefined);
    return this.nowUs;
  }

  answer(keyframe: boolean): void {
    this.opened.at(-1)!.onUnit(Uint8Array.of(1), keyframe);
  }

  fail(): void {
    this.opened.at(-1)!.onFailure(new PictureCodecError("failed", "it failed"));
  }

  take() {
    return this.encoder.take(this.nowUs);
  }
}

describe("encoding composed frames", () => {
  it("gives the n-th picture the time of the n-th frame, and not before it", () => {
    const stage = new Stage();
    const times = [stage.push(), stage.push()];
    stage.answer(true);
    stage.answer(false);
    expect(stage.encoder.take(times[0]! - 1)).toBeUndefined();
    expect(stage.take()).toMatchObject({
      timeUs: times[0],
      decodeTimeUs: times[0],
      keyframe: true,
      switched: true,
    });
    expect(stage.take()).toMatchObject({ timeUs: times[1], keyframe: false, switched: false });
    expect(stage.take()).toBeUndefined();
  });

  it("asks for a keyframe with the next frame alone", () => {
    const stage = new Stage();
    stage.push();
    stage.encoder.requestKeyframe();
    stage.push();
    stage.push();
    expect(stage.opened[0]!.asked).toEqual([false, true, false]);
  });

  it("asks for a keyframe when the last is 2 s old, however many frames were left out", () => {
    const stage = new Stage();
    stage.push();
    stage.answer(true);
    for (let i = 0; i < 10; i++) {
      stage.nowUs += 300_000;
      stage.push();
      stage.answer(stage.opened[0]!.asked.at(-1)!);
    }
    // Frames come each third of a second.
    expect(stage.opened[0]!.asked.flatMap((asked, index) => (asked ? [index] : []))).toEqual([6]);
  });

  it("leaves out frames while too many are being encoded", () => {
    const stage = new Stage();
    const times = Array.from({ length: MAX_FRAMES_ENCODING + 2 }, () => stage.push());
    expect(stage.encoder.dropped.busy).toBe(2);
    for (let i = 0; i < MAX_FRAMES_ENCODING; i++) stage.answer(i === 0);
    const late = stage.push();
    stage.answer(false);
    const given = Array.from({ length: MAX_FRAMES_ENCODING + 1 }, () => stage.take()?.timeUs);
    expect(given).toEqual([...times.slice(0, MAX_FRAMES_ENCODING), late]);
  });

  it("starts anew with a keyframe when an encoder fails, after pauses that grow up to a bound", () => {
    const stage = new Stage();
    stage.push();
    stage.answer(true);
    stage.take();
    const pauses: number[] = [];
    for (let i = 0; i < 9; i++) {
      stage.push();
      stage.fail();
      const failedUs = stage.nowUs;
      const before = stage.opened.length;
      while (stage.opened.length === before) stage.push();
      pauses.push(stage.nowUs - failedUs);
    }
    expect(stage.problems).toEqual(Array(9).fill("it failed"));
    expect(pauses[0]).toBeLessThan(RESTART_US + 2 * FRAME_US);
    expect(pauses[1]).toBeGreaterThan(pauses[0]! * 1.8);
    expect(Math.max(...pauses)).toBeLessThan(MAX_RESTART_US + 2 * FRAME_US);
    expect(stage.encoder.dropped["no-encoder"]).toBeGreaterThan(10);
    stage.answer(true);
    expect(stage.take()).toMatchObject({ timeUs: stage.nowUs, keyframe: true, switched: true });
  });

  it("replaces an encoder that says nothing, but not for our own sleep", () => {
    const stage = new Stage();
    stage.push();
    stage.nowUs += 60_000_000;
    stage.push();
    expect(stage.opened).toHaveLength(1);
    for (let i = 0; i < 200; i++) stage.push();
    expect(stage.opened[0]!.isClosed).toBe(true);
    expect(stage.opened).toHaveLength(2);
    expect(stage.problems).toHaveLength(1);
  });

  it("begins again at a keyframe when nobody took what it gave", () => {
    const stage = new Stage();
    for (let i = 0; i < 70; i++) {
      stage.push();
      stage.answer(i === 0);
    }
    expect(stage.opened[0]!.asked.some((asked) => asked)).toBe(true);
    stage.push();
    stage.answer(true);
    expect(stage.take()).toMatchObject({ keyframe: true, switched: true });
    expect(stage.encoder.dropped.overflow).toBe(70);
  });
});
