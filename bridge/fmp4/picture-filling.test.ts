import { beforeEach, expect, it } from "vitest";
import { BlackPicture } from "../picture/black-picture.ts";
import { BLOCK_US, type PictureUnit } from "../programme/programme.ts";
import { FILL_AFTER_US, FILL_INTERVAL_US, HOLD_US, PICTURE_GONE_US } from "./limits.ts";
import { PictureFilling } from "./picture-filling.ts";

const START_US = 1_735_689_600_000_000;
/** Stands for somebody's picture: black ones are made anew, so they are never the same array. */
const real = new BlackPicture(64, 64).keyframe();
let hasPicture: boolean;
let shown: PictureUnit[];
let filling: PictureFilling;
let nowUs: number;

beforeEach(() => {
  hasPicture = true;
  shown = [];
  nowUs = START_US;
  filling = new PictureFilling({
    hasPicture: () => hasPicture,
    requestKeyframe: () => undefined,
    onPicture: (unit) => shown.push(unit),
  });
});

function hear(us: number): void {
  for (const endUs = nowUs + us; nowUs < endUs; nowUs += BLOCK_US) filling.onSound(nowUs);
}

function see(keyframe = true): void {
  filling.onPicture({ timeUs: nowUs, decodeTimeUs: nowUs, keyframe, switched: false, bytes: real });
}

it("holds the last keyframe while somebody's picture does not come, and shows black after that", () => {
  see();
  hear(FILL_AFTER_US + HOLD_US - BLOCK_US);
  expect(shown.every(({ bytes, keyframe }) => bytes === real && keyframe)).toBe(true);
  const times = shown.map(({ timeUs }) => timeUs - START_US);
  times.slice(1).forEach((timeUs, n) => {
    expect(timeUs - times[n]!).toBeLessThan(PICTURE_GONE_US);
    expect(timeUs - times[n]!).toBeGreaterThanOrEqual(FILL_INTERVAL_US);
  });
  const held = shown.length;
  hear(1_000_000);
  expect(shown.length).toBeGreaterThan(held);
  expect(shown.slice(held).every(({ bytes }) => bytes !== real)).toBe(true);
  see(false);
  expect(filling.dropped).toBe(1);
  see();
  expect(shown.at(-1)).toMatchObject({ bytes: real, switched: true });
});

it("gives a held keyframe when one is wanted, and goes on from the next real one", () => {
  see();
  hear(FILL_AFTER_US + BLOCK_US);
  expect(shown).toHaveLength(2);
  hear(FILL_INTERVAL_US);
  expect(shown).toHaveLength(2);
  filling.requestKeyframe();
  hear(BLOCK_US);
  expect(shown).toHaveLength(3);
  see(false);
  expect(shown).toHaveLength(3);
  see();
  see(false);
  expect(shown).toHaveLength(5);
  hear(FILL_AFTER_US);
  expect(shown).toHaveLength(5);
});

it("does not show a picture any longer that was taken away, also when it was held", () => {
  see();
  hasPicture = false;
  hear(2 * FILL_INTERVAL_US);
  expect(shown.slice(1).map(({ bytes }) => bytes === real)).toEqual([false]);
  hasPicture = true;
  see();
  hear(FILL_AFTER_US + BLOCK_US);
  expect(shown.at(-1)!.bytes).toBe(real);
  hasPicture = false;
  hear(BLOCK_US);
  expect(shown.at(-1)!.bytes).not.toBe(real);
});

it("is black from the beginning where nothing came yet", () => {
  hear(FILL_AFTER_US + BLOCK_US);
  expect(shown).toHaveLength(1);
  expect(shown[0]).toMatchObject({ keyframe: true, switched: true });
});
