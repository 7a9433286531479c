import { describe, expect, test } from "vitest";
import { type Area, gridCapacity, layoutGrid, layoutStage, type Rect } from "./tile-layout.ts";

const DESKTOP: Area = { width: 1240, height: 660 };
const PHONE: Area = { width: 366, height: 640 };

function columnsOf(rects: Rect[]): number {
  return rects.filter((rect) => rect.top === rects[0]?.top).length;
}

function expectInside(rects: Rect[], area: Area): void {
  for (const rect of rects) {
    expect(rect.left).toBeGreaterThanOrEqual(0);
    expect(rect.top).toBeGreaterThanOrEqual(0);
    expect(rect.left + rect.width).toBeLessThanOrEqual(area.width + 1);
    expect(rect.top + rect.height).toBeLessThanOrEqual(area.height + 1);
  }
}

function expectApart(rects: Rect[]): void {
  for (const [index, one] of rects.entries()) {
    for (const other of rects.slice(index + 1)) {
      const beside = one.left + one.width <= other.left || other.left + other.width <= one.left;
      const above = one.top + one.height <= other.top || other.top + other.height <= one.top;
      expect(beside || above).toBe(true);
    }
  }
}

describe("grid", () => {
  test.each([
    [DESKTOP, 1, 1],
    [DESKTOP, 2, 2],
    [DESKTOP, 4, 2],
    [DESKTOP, 9, 3],
    [PHONE, 2, 1],
    [PHONE, 4, 2],
    [PHONE, 9, 3],
  ])("%o with %i tiles has %i columns", (area, count, columns) => {
    expect(columnsOf(layoutGrid(count, area))).toBe(columns);
  });

  test("tiles never leave the area, overlap, or get an odd shape", () => {
    for (const area of [DESKTOP, PHONE, { width: 900, height: 300 }, { width: 200, height: 900 }]) {
      for (let count = 1; count <= 25; count++) {
        const rects = layoutGrid(count, area);
        expect(rects).toHaveLength(count);
        expectInside(rects, area);
        expectApart(rects);
        for (const rect of rects) {
          expect(rect.width / rect.height).toBeLessThan(1.84);
          expect(rect.width / rect.height).toBeGreaterThan(area.height > area.width ? 0.58 : 1.17);
        }
      }
    }
  });

  test("a last row that is not full is centred", () => {
    const rects = layoutGrid(3, DESKTOP);
    const last = rects[2]!;
    expect(Math.abs(last.left + last.width / 2 - DESKTOP.width / 2)).toBeLessThanOrEqual(1);
  });

  test("an area without size shows nothing", () => {
    expect(layoutGrid(3, { width: 0, height: 500 })).toEqual([]);
    expect(layoutGrid(0, DESKTOP)).toEqual([]);
  });

  test("capacity is bounded and never zero", () => {
    expect(gridCapacity(DESKTOP)).toBe(25);
    expect(gridCapacity(PHONE)).toBe(12);
    expect(gridCapacity({ width: 10, height: 10 })).toBe(1);
  });
});

describe("stage", () => {
  test("alone it fills the area", () => {
    expect(layoutStage(0, DESKTOP)).toEqual({ stage: { left: 0, top: 0, ...DESKTOP }, strip: [] });
  });

  test("the strip stands at the right of a wide area and below a tall one", () => {
    const wide = layoutStage(3, DESKTOP);
    expect(wide.stage.height).toBe(DESKTOP.height);
    expect(new Set(wide.strip.map((rect) => rect.left)).size).toBe(1);
    const tall = layoutStage(3, PHONE);
    expect(tall.stage.width).toBe(PHONE.width);
    expect(new Set(tall.strip.map((rect) => rect.top)).size).toBe(1);
  });

  test("nothing overlaps or leaves the area, however many want a place", () => {
    for (const area of [DESKTOP, PHONE]) {
      for (const others of [1, 2, 5, 40]) {
        const { stage, strip } = layoutStage(others, area);
        expect(strip.length).toBeLessThanOrEqual(others);
        expect(strip.length).toBeGreaterThan(0);
        expectInside([stage, ...strip], area);
        expectApart([stage, ...strip]);
      }
    }
  });
});
