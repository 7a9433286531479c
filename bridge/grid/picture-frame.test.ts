import { describe, expect, it } from "vitest";
import { PictureFrame } from "./picture-frame.ts";

/** Brightness 1, 2, 3 ...; colour 101, 102 ... and 151, 152 ... */
function numbered(width: number, height: number): PictureFrame {
  const frame = new PictureFrame(width, height);
  const luma = width * height;
  for (let i = 0; i < luma; i++) frame.bytes[i] = i + 1;
  for (let i = 0; i < luma / 4; i++) {
    frame.bytes[luma + i] = 101 + i;
    frame.bytes[luma * 1.25 + i] = 151 + i;
  }
  return frame;
}

function rowsOf(frame: PictureFrame): number[][] {
  const row = (at: number, length: number) => [...frame.bytes.subarray(at, at + length)];
  return Array.from({ length: frame.height }, (_, y) => row(y * frame.width, frame.width));
}

describe("drawing into a frame", () => {
  it("puts a picture into its cell, plane by plane, and leaves the rest dark", () => {
    const frame = new PictureFrame(8, 4);
    frame.darken();
    frame.draw(numbered(4, 2), { left: 4, top: 2, width: 4, height: 2 });
    expect(rowsOf(frame)).toEqual([
      [32, 32, 32, 32, 32, 32, 32, 32],
      [32, 32, 32, 32, 32, 32, 32, 32],
      [32, 32, 32, 32, 1, 2, 3, 4],
      [32, 32, 32, 32, 5, 6, 7, 8],
    ]);
    expect([...frame.bytes.subarray(32, 40)]).toEqual([128, 128, 128, 128, 128, 128, 101, 102]);
    expect([...frame.bytes.subarray(40, 48)]).toEqual([128, 128, 128, 128, 128, 128, 151, 152]);
  });

  it("scales a picture of another size to its cell", () => {
    const frame = new PictureFrame(4, 4);
    frame.draw(numbered(2, 2), { left: 0, top: 0, width: 4, height: 4 });
    expect(rowsOf(frame)).toEqual([
      [1, 1, 2, 2],
      [1, 1, 2, 2],
      [3, 3, 4, 4],
      [3, 3, 4, 4],
    ]);
    expect([...frame.bytes.subarray(16)]).toEqual([101, 101, 101, 101, 151, 151, 151, 151]);
    const smaller = new PictureFrame(2, 2);
    smaller.draw(numbered(4, 4), { left: 0, top: 0, width: 2, height: 2 });
    expect(rowsOf(smaller)).toEqual([
      [6, 8],
      [14, 16],
    ]);
  });
});
