import { describe, expect, it } from "vitest";
import type { AccessUnit } from "../../core/delivery/access-unit.ts";
import type { ParticipantInfo } from "../../core/wire/room-model.ts";
import { BLOCK_US, type PictureUnit } from "../programme/programme.ts";
import { layoutGrid } from "./grid-layout.ts";
import { GridPictures } from "./grid-pictures.ts";
import { GRID_HEIGHT, GRID_WIDTH } from "./limits.ts";
import { PictureCodecError, type PictureCodecs, type PictureEncoderOptions } from "./picture-codec.ts";

const DELAY_US = 800_000;
const DARK = 32;

/** Decoders whose frames are as bright as the first byte of a unit; an encoder whose pictures are brightnesses of the middles of nine cells. */
class Stage {
  readonly asked: string[] = [];
  readonly given: PictureUnit[] = [];
  readonly logged: string[] = [];
  encoder: PictureEncoderOptions | undefined;
  decoders = 0;
  nowUs = 10_000_000;
  people: ParticipantInfo[] = [];
  isMissing = false;
  /** Where the encoder looks. */
  looksAt = 1;
  #frameId = 0;
  readonly #codecs: PictureCodecs = {
    openDecoder: ({ frames }) => {
      this.decoders++;
      return {
        push: (bytes, timeUs) => {
          frames.begin().bytes.fill(bytes[0]!);
          frames.commit(timeUs);
          return true;
        },
        close: () => void this.decoders--,
      };
    },
    openEncoder: (options) => {
      this.encoder = options;
      return {
        push: ({ bytes, width }, _keyframe, onTaken) => {
          onTaken();
          if (this.isMissing) return options.onFailure(new PictureCodecError("missing", "install ffmpeg"));
          const middles = layoutGrid(this.looksAt, GRID_WIDTH, GRID_HEIGHT).map(
            ({ left, top, width: wide, height }) => bytes[(top + height / 2) * width + left + wide / 2]!,
          );
          options.onUnit(Uint8Array.from(middles), this.given.length === 0);
        },
        close: () => (this.encoder = undefined),
      };
    },
  };
  readonly grid = new GridPictures({
    codecs: this.#codecs,
    delayUs: DELAY_US,
    log: (line) => this.logged.push(line),
    requests: {
      subscribe: (trackId, rendition) => this.asked.push(`subscribe ${trackId} ${rendition}`),
      unsubscribe: (trackId) => this.asked.push(`unsubscribe ${trackId}`),
      requestKeyframe: (trackId, rendition) => this.asked.push(`keyframe ${trackId} ${rendition}`),
    },
  });

  enter(trackId: number, widths: readonly number[] = [640]): void {
    const renditions = widths.map((width) => ({ width, height: width, maxBitrateBps: 1, temporalLayers: 1 }));
    const offer = {
      kind: "video",
      source: "camera",
      codec: "avc1.42C01E",
      frameRate: 30,
      renditions,
    } as const;
    const track = { trackId, offer: { ...offer, renditions, muted: false, encrypted: false } };
    this.people.push({ identity: `p${trackId}`, name: `p${trackId}`, admin: false, tracks: [track] });
  }

  /** Everybody sends a keyframe each block, as bright as their track's number times ten. */
  play(blocks: number): void {
    for (let i = 0; i < blocks; i++) {
      this.nowUs += BLOCK_US;
      this.grid.choose(this.people, []);
      for (const { tracks } of this.people)
        for (const { trackId, offer } of tracks)
          for (let rendition = 0; offer.kind === "video" && rendition < offer.renditions.length; rendition++)
            this.grid.push(trackId, this.#unit(trackId * 10 + rendition, rendition), this.nowUs);
      this.grid.emit(this.nowUs - DELAY_US - BLOCK_US, this.nowUs, (unit) => this.given.push(unit));
    }
  }

  #unit(brightness: number, rendition: number): AccessUnit {
    return {
      frameId: this.#frameId++,
      captureTimeUs: this.nowUs,
      keyframe: true,
      discardable: false,
      temporalLayer: 0,
      reference: 0,
      rendition,
      audioLevel: 127,
      voice: false,
      encrypted: false,
      bytes: Uint8Array.of(brightness),
    };
  }
}

describe("everybody's pictures as one", () => {
  it("opens nothing while nobody has a picture", () => {
    const stage = new Stage();
    stage.play(100);
    expect([stage.decoders, stage.encoder, stage.given.length, stage.grid.isShowing]).toEqual([
      0,
      undefined,
      0,
      false,
    ]);
  });

  it("shows who is there 30 times a second, each at the time of the frame", () => {
    const stage = new Stage();
    stage.looksAt = 2;
    stage.enter(1);
    stage.enter(2);
    stage.play(200);
    expect(stage.asked.slice(0, 2)).toEqual(["subscribe 1 0", "subscribe 2 0"]);
    expect([...stage.given.at(-1)!.bytes]).toEqual([10, 20]);
    expect(stage.given[0]).toMatchObject({ keyframe: true, switched: true });
    expect(stage.grid.isShowing).toBe(true);
    stage.given.forEach(({ timeUs }, i) => {
      if (i > 0) expect(Math.abs(timeUs - stage.given[i - 1]!.timeUs - 33_333)).toBeLessThan(2);
    });
    // What is given out in a block belongs to it.
    const lastUs = stage.nowUs - DELAY_US;
    expect(stage.given.at(-1)!.timeUs).toBeLessThanOrEqual(lastUs);
    expect(lastUs - stage.given.at(-1)!.timeUs).toBeLessThan(34_000);
  });

  it("lays the cells out anew when somebody leaves, not before the moment at which that was", () => {
    const stage = new Stage();
    stage.looksAt = 2;
    stage.enter(1);
    stage.enter(2);
    stage.play(200);
    const leftUs = stage.nowUs;
    stage.people.pop();
    stage.play(60);
    const alone = stage.given.filter(({ bytes }) => bytes[1] === 10);
    expect(alone[0]!.timeUs).toBeGreaterThan(leftUs);
    expect(alone[0]!.timeUs - leftUs).toBeLessThan(60_000);
    expect(stage.asked).toContain("unsubscribe 2");
    expect(stage.decoders).toBe(1);
    stage.people.pop();
    stage.play(100);
    expect([stage.decoders, stage.encoder, stage.grid.isShowing]).toEqual([0, undefined, false]);
  });

  it("takes the smallest rendition that fills a cell", () => {
    const stage = new Stage();
    for (const trackId of [1, 2, 3]) stage.enter(trackId, [1_280, 640, 320]);
    stage.play(100);
    expect(stage.asked.slice(0, 3)).toEqual(["subscribe 1 1", "subscribe 2 1", "subscribe 3 1"]);
    stage.people.splice(1);
    stage.play(100);
    expect(stage.asked).toContain("subscribe 1 0");
    expect([...stage.given.at(-1)!.bytes]).toEqual([10]);
  });

  it("leaves a cell dark whose picture has not come", () => {
    const stage = new Stage();
    stage.looksAt = 2;
    stage.enter(1);
    stage.enter(2);
    stage.people[1]!.tracks[0]!.trackId = 7;
    const { push } = stage.grid;
    stage.grid.push = (trackId, unit, nowUs) =>
      trackId === 7 ? undefined : push.call(stage.grid, trackId, unit, nowUs);
    stage.play(200);
    expect([...stage.given.at(-1)!.bytes]).toEqual([10, DARK]);
    expect(stage.asked.filter((line) => line === "keyframe 7 0").length).toBeGreaterThan(2);
  });

  it("says what is missing until it is there", () => {
    const stage = new Stage();
    stage.isMissing = true;
    stage.enter(1);
    stage.play(100);
    expect(stage.grid.problem).toBe("install ffmpeg");
    expect(stage.grid.isShowing).toBe(false);
    expect(stage.logged.length).toBeLessThan(10);
    stage.isMissing = false;
    stage.play(2_000);
    expect(stage.grid.problem).toBe("");
    expect(stage.grid.isShowing).toBe(true);
  });

  it("forgets everything when the room is entered anew", () => {
    const stage = new Stage();
    stage.enter(1);
    stage.play(100);
    stage.grid.reset();
    expect(stage.decoders).toBe(0);
    stage.play(100);
    expect(stage.decoders).toBe(1);
    expect([...stage.given.at(-1)!.bytes]).toEqual([10]);
    stage.grid.close();
    expect([stage.decoders, stage.encoder]).toEqual([0, undefined]);
  });
});
