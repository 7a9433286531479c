import { describe, expect, it } from "vitest";
import type { AccessUnit } from "../../core/delivery/access-unit.ts";
import { DECODE_LEAD_US, KEEP_PICTURE_US, RESTART_US } from "./limits.ts";
import { PictureCodecError, type PictureDecoderOptions } from "./picture-codec.ts";
import { PictureFeed } from "./picture-feed.ts";

const FRAME_US = 33_333;

function unit(frameId: number, timeUs: number, keyframe: boolean): AccessUnit {
  return {
    frameId,
    captureTimeUs: timeUs,
    keyframe,
    discardable: false,
    temporalLayer: 0,
    reference: keyframe ? 0 : 1,
    rendition: 0,
    audioLevel: 127,
    voice: false,
    encrypted: false,
    bytes: Uint8Array.of(1),
  };
}

/** Decoders that decode at once. */
class Stage {
  readonly opened: PictureDecoderOptions[] = [];
  readonly problems: string[] = [];
  isStuck = false;
  readonly feed = new PictureFeed({
    trackId: 1,
    identity: "ann",
    rendition: 0,
    width: 2,
    height: 2,
    codecs: {
      openDecoder: (options) => {
        this.opened.push(options);
        return {
          push: (_bytes, timeUs) => {
            if (this.isStuck) return false;
            options.frames.begin();
            options.frames.commit(timeUs);
            return true;
          },
          close: () => undefined,
        };
      },
    },
    onProblem: (error) => this.problems.push(error.message),
  });
  #frameId = 0;
  timeUs = 1_000_000;

  /** The next unit, and the time at which it is composed. */
  play(keyframe = false): void {
    this.timeUs += FRAME_US;
    this.feed.push(unit(this.#frameId++, this.timeUs, keyframe), this.timeUs);
    this.feed.advance(this.timeUs, this.timeUs);
  }

  /** Time passes without units. */
  pass(us: number): void {
    this.timeUs += us;
    this.feed.advance(this.timeUs, this.timeUs);
  }

  get isDark(): boolean {
    return this.feed.frameAt(this.timeUs) === undefined;
  }
}

describe("a picture on its way into a cell", () => {
  it("is decoded from a keyframe on, a little before it is composed", () => {
    const stage = new Stage();
    stage.feed.push(unit(0, 2_000_000, true), 1_000_000);
    stage.feed.advance(2_000_000 - DECODE_LEAD_US - 1, 1_000_000);
    expect(stage.opened).toHaveLength(0);
    stage.feed.advance(2_000_000 - DECODE_LEAD_US, 1_000_000);
    expect(stage.opened).toHaveLength(1);
    expect(stage.feed.hasFrameAt(1_999_999)).toBe(false);
    expect(stage.feed.frameAt(2_000_000)).toBeDefined();
  });

  it("keeps the last picture for as long as the decoder lives", () => {
    const stage = new Stage();
    stage.play(true);
    stage.pass(60_000_000);
    expect(stage.isDark).toBe(false);
  });

  it("keeps it for a moment when the decoder died, then is dark until a keyframe starts another", () => {
    const stage = new Stage();
    stage.play(true);
    expect(stage.isDark).toBe(false);
    stage.opened[0]!.onFailure(new PictureCodecError("failed", "it failed"));
    expect(stage.problems).toEqual(["it failed"]);
    stage.play();
    expect(stage.feed.undecoded).toBe(1);
    expect(stage.isDark).toBe(false);
    expect(stage.feed.needsKeyframe).toBe(false);
    stage.pass(RESTART_US);
    expect(stage.feed.needsKeyframe).toBe(true);
    stage.pass(KEEP_PICTURE_US);
    expect(stage.isDark).toBe(true);
    stage.play(true);
    expect(stage.opened).toHaveLength(2);
    expect(stage.isDark).toBe(false);
  });

  it("replaces a decoder that takes nothing any more", () => {
    const stage = new Stage();
    stage.play(true);
    stage.isStuck = true;
    stage.play();
    expect(stage.problems).toHaveLength(1);
    stage.isStuck = false;
    stage.pass(RESTART_US);
    stage.play(true);
    expect(stage.opened).toHaveLength(2);
  });
});
