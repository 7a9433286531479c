import { describe, expect, it } from "vitest";
import { contentOf } from "../../core/media/annex-b.ts";
import { seededRandom } from "../../test/sim/seeded-random.ts";
import type { PictureUnit } from "../programme/programme.ts";
import { FlvOutput } from "./flv-output.ts";
import type { FlvTag } from "./flv-tag.ts";
import { Interleaver } from "./interleaver.ts";
import { MAX_INTERLEAVE_US, MAX_INTERLEAVED_TAGS } from "./limits.ts";
import { STILL_PERIOD_US, stillPictures } from "./still-picture.ts";

const START_US = 1_735_689_600_000_000;
const CONFIG = Uint8Array.of(0x11, 0x90);
const SPS = [0x67, 0x42, 0xe0, 0x1f, 0xda];
const PPS = [0x68, 0xce, 0x3c, 0x80];

function annexB(...units: number[][]): Uint8Array {
  return Uint8Array.from(units.flatMap((unit) => [0, 0, 0, 1, ...unit]));
}

function picture(ms: number, change: Partial<PictureUnit> = {}): PictureUnit {
  const timeUs = START_US + ms * 1000;
  const keyframe = change.keyframe ?? false;
  const bytes = keyframe ? annexB([9, 0xf0], SPS, PPS, [0x65, 1, 2]) : annexB([9, 0xf0], [0x41, 3]);
  return { timeUs, decodeTimeUs: timeUs, keyframe, switched: false, bytes, ...change };
}

function output(): { flv: FlvOutput; tags: FlvTag[]; sound(ms: number): void } {
  const tags: FlvTag[] = [];
  const flv = new FlvOutput((tag) => tags.push(tag));
  const sound = (ms: number): void =>
    flv.pushSound({ timeUs: START_US + Math.round(ms * 1000), bytes: Uint8Array.of(0x21, 0x10) }, CONFIG);
  return { flv, tags, sound };
}

describe("FlvOutput", () => {
  it("makes tags with lengths in place of start codes, headers beside them, times from 0", () => {
    const { flv, tags, sound } = output();
    flv.pushPicture(picture(0, { keyframe: true, switched: true }));
    for (let ms = 0; ms < 60; ms += 1024 / 48) sound(ms);
    flv.pushPicture(picture(33.4));
    flv.end();
    expect(
      tags.map(({ kind, timestampMs, keyframe, captureUs }) => [
        kind,
        timestampMs,
        keyframe,
        captureUs - START_US,
      ]),
    ).toEqual([
      ["sound", 0, false, 0],
      ["picture", 0, true, 0],
      ["sound", 21, false, 21_333],
      ["picture", 33, false, 33_400],
      ["sound", 43, false, 42_667],
    ]);
    expect([...tags[1]!.body]).toEqual([0x17, 1, 0, 0, 0, 0, 0, 0, 3, 0x65, 1, 2]);
    expect([...tags[1]!.header]).toEqual([
      0x17,
      0,
      0,
      0,
      0,
      1,
      0x42,
      0xe0,
      0x1f,
      0xff,
      0xe1,
      0,
      5,
      ...SPS,
      1,
      0,
      4,
      ...PPS,
    ]);
    expect([...tags[3]!.body]).toEqual([0x27, 1, 0, 0, 0, 0, 0, 0, 2, 0x41, 3]);
    expect([...tags[0]!.body]).toEqual([0xaf, 1, 0x21, 0x10]);
    expect([...tags[0]!.header]).toEqual([0xaf, 0, ...CONFIG]);
    expect(tags[2]!.header).toBe(tags[0]!.header);
  });

  it("orders by decode time and says how much later a picture is shown", () => {
    const { flv, tags } = output();
    const at = (decodeMs: number, showMs: number, keyframe = false): void =>
      flv.pushPicture(picture(showMs, { decodeTimeUs: START_US + decodeMs * 1000, keyframe }));
    at(0, 80, true);
    at(40, 200);
    at(80, 120);
    at(120, 160);
    flv.end();
    const composition = ({ body }: FlvTag): number => (body[2]! << 16) | (body[3]! << 8) | body[4]!;
    expect(tags.map((tag) => [tag.timestampMs, composition(tag)])).toEqual([
      [0, 80],
      [40, 160],
      [80, 40],
      [120, 40],
    ]);
  });

  it("has a new header when SPS or PPS change and when the source does, and none otherwise", () => {
    const { flv, tags } = output();
    const other = annexB([0x67, 0x42, 0xe0, 0x1e, 0xda], PPS, [0x65, 1]);
    flv.pushPicture(picture(0, { keyframe: true, switched: true }));
    flv.pushPicture(picture(40, { keyframe: true }));
    flv.pushPicture(picture(80, { keyframe: true, bytes: other }));
    flv.pushPicture(picture(120, { keyframe: true, bytes: other, switched: true }));
    flv.end();
    const headers = tags.map(({ header }) => header);
    expect(headers[1]).toBe(headers[0]);
    expect(headers[2]).not.toBe(headers[1]);
    expect(headers[3]).not.toBe(headers[2]);
    expect(headers[3]).toEqual(headers[2]);
  });

  it("begins with a keyframe that has its SPS and PPS", () => {
    const { flv, tags } = output();
    flv.pushPicture(picture(0));
    flv.pushPicture(picture(20, { keyframe: true, bytes: annexB([0x65, 1]) }));
    flv.pushPicture(picture(40, { keyframe: true }));
    flv.end();
    expect(flv.skipped).toBe(2);
    expect(tags).toHaveLength(1);
    expect(flv.lastKeyframeUs).toBe(START_US + 40_000);
  });

  it("shows a still while nobody is seen, and somebody from their keyframe on", () => {
    const { flv, tags, sound } = output();
    for (let ms = 0; ms < 5_000; ms += 20) {
      flv.tick(START_US + ms * 1000, false);
      sound(ms);
    }
    expect(flv.pictureSize).toMatchObject({ width: 1280, height: 720 });
    const stills = tags.filter(({ kind }) => kind === "picture");
    expect(stills.map(({ timestampMs }) => timestampMs)).toEqual([
      0, 500, 1000, 1500, 2000, 2500, 3000, 3500, 4000, 4500,
    ]);
    expect(stills.map(({ keyframe }) => keyframe)).toEqual([
      true,
      false,
      false,
      false,
      true,
      false,
      false,
      false,
      true,
      false,
    ]);
    // Sound does not wait for the still.
    expect(tags.at(-1)).toMatchObject({ kind: "sound", timestampMs: 4_980 });
    flv.pushPicture(picture(5_000));
    flv.tick(START_US + 5_000_000, true);
    flv.pushPicture(picture(5_010, { keyframe: true, switched: true }));
    flv.pushPicture(picture(5_040));
    flv.tick(START_US + 6_000_000, true);
    flv.end();
    const later = tags.slice(tags.indexOf(stills.at(-1)!) + 1).filter(({ kind }) => kind === "picture");
    expect(later.map(({ timestampMs, keyframe }) => [timestampMs, keyframe])).toEqual([
      [5_000, false],
      [5_010, true],
      [5_040, false],
    ]);
    expect(flv.skipped).toBe(1);
    expect(later[1]!.header).not.toEqual(later[0]!.header);
  });

  it("shows the still where a picture that is said to be there does not come", () => {
    const { flv, tags } = output();
    for (let ms = 0; ms < 980; ms += 20) flv.tick(START_US + ms * 1000, true);
    expect(flv.showsStill).toBe(false);
    for (let ms = 980; ms < 1_300; ms += 20) flv.tick(START_US + ms * 1000, true);
    expect(flv.showsStill).toBe(true);
    flv.pushPicture(picture(1_300, { keyframe: true }));
    for (let ms = 1_300; ms < 9_000; ms += 20) flv.tick(START_US + ms * 1000, true);
    flv.end();
    expect(tags.map(({ timestampMs, keyframe }) => [timestampMs, keyframe])).toEqual([
      [0, true],
      [300, true],
    ]);
  });

  it("never runs backwards where a camera lies behind the still", () => {
    const { flv, tags } = output();
    flv.tick(START_US, false);
    flv.pushPicture(picture(-70, { keyframe: true, switched: true }));
    flv.pushPicture(picture(-30));
    flv.pushPicture(picture(10));
    flv.end();
    expect(tags.map(({ timestampMs }) => timestampMs)).toEqual([0, 0, 0, 10]);
    expect(tags.every(({ body }) => body[2] === 0)).toBe(true);
  });

  it("begins the still anew for whom a keyframe is needed", () => {
    const { flv, tags } = output();
    for (let ms = 0; ms < 700; ms += 20) flv.tick(START_US + ms * 1000, false);
    flv.restartStill();
    for (let ms = 700; ms < 1_100; ms += 20) flv.tick(START_US + ms * 1000, false);
    flv.end();
    expect(tags.map(({ keyframe }) => keyframe)).toEqual([true, false, true]);
  });

  it("takes any bytes as pictures", () => {
    const rounds = Number(process.env.FUZZ_RUNS ?? 2_000);
    const random = seededRandom(77);
    const { flv, tags } = output();
    for (let round = 0; round < rounds; round++) {
      const bytes = Uint8Array.from({ length: Math.floor(random() * 60) }, () => {
        const kind = random();
        return kind < 0.4
          ? 0
          : kind < 0.6
            ? 1
            : kind < 0.8
              ? 0x67 + (random() < 0.5 ? 1 : -2)
              : Math.floor(random() * 256);
      });
      flv.pushPicture(picture(round * 10, { bytes, keyframe: random() < 0.5, switched: random() < 0.1 }));
    }
    flv.end();
    expect(tags.length + flv.skipped).toBe(rounds);
    expect(tags.every((tag, index) => index === 0 || tag.timestampMs >= tags[index - 1]!.timestampMs)).toBe(
      true,
    );
  });
});

describe("the still", () => {
  it("is a keyframe with SPS and PPS, and three pictures that refer to it", () => {
    const contents = stillPictures().map(contentOf);
    expect(contents.map(({ keyframe }) => keyframe)).toEqual([true, false, false, false]);
    expect(contents[0]).toMatchObject({ parameterSets: true, codec: "avc1.4D401F" });
    expect(STILL_PERIOD_US * contents.length).toBe(2_000_000);
  });
});

describe("Interleaver", () => {
  const run = (items: [kind: "sound" | "picture", ms: number][]): string[] => {
    const out: string[] = [];
    const interleaver = new Interleaver<{ kind: "sound" | "picture"; decodeUs: number }>((item) =>
      out.push(`${item.kind[0]}${item.decodeUs / 1000}`),
    );
    for (const [kind, ms] of items) interleaver.push({ kind, decodeUs: ms * 1000 });
    out.push("|");
    interleaver.flush();
    return out;
  };

  it("waits for the other kind, but not for ever", () => {
    expect(
      run([
        ["sound", 0],
        ["sound", 20],
        ["picture", 10],
        ["sound", 40],
      ]),
    ).toEqual(["s0", "p10", "|", "s20", "s40"]);
    expect(
      run([
        ["sound", 0],
        ["sound", MAX_INTERLEAVE_US / 1000],
      ]),
    ).toEqual(["s0", "|", "s200"]);
    expect(
      run([
        ["picture", 0],
        ["sound", 100],
        ["picture", 20],
        ["picture", 30],
      ]),
    ).toEqual(["p0", "p20", "p30", "|", "s100"]);
  });

  it("passes on what comes late at once, and never holds more than its maximum", () => {
    const late = run([
      ["sound", 0],
      ["sound", 200],
      ["picture", 50],
      ["picture", 90],
      ["sound", 220],
    ]);
    expect(late).toEqual(["s0", "p50", "p90", "|", "s200", "s220"]);
    const many = Array.from({ length: MAX_INTERLEAVED_TAGS + 10 }, (_, i): ["sound", number] => [
      "sound",
      i / 1000,
    ]);
    expect(run(many).indexOf("|")).toBe(10);
  });
});
