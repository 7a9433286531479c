import { describe, expect, it } from "vitest";
import { layoutGrid } from "./grid-layout.ts";
import { MAX_GRID_CELLS } from "./limits.ts";

const [WIDTH, HEIGHT] = [1_280, 720];

describe("the layout of a grid", () => {
  it("gives one picture the whole frame, and nobody nothing", () => {
    expect(layoutGrid(0, WIDTH, HEIGHT)).toEqual([]);
    expect(layoutGrid(1, WIDTH, HEIGHT)).toEqual([{ left: 0, top: 0, width: WIDTH, height: HEIGHT }]);
  });

  it("has as many rows and columns as leave cells largest", () => {
    const shapes = [2, 3, 4, 5, 6, 7, 8, 9].map((count) => {
      const cells = layoutGrid(count, WIDTH, HEIGHT);
      const rows = new Set(cells.map(({ top }) => top)).size;
      const columns = cells.filter(({ top }) => top === cells[0]!.top).length;
      return `${columns}x${rows}`;
    });
    expect(shapes).toEqual(["2x1", "2x2", "2x2", "3x2", "3x2", "3x3", "3x3", "3x3"]);
  });

  it("places two beside each other in the middle, and centres the last row", () => {
    expect(layoutGrid(2, WIDTH, HEIGHT)).toEqual([
      { left: 8, top: 184, width: 628, height: 352 },
      { left: 644, top: 184, width: 628, height: 352 },
    ]);
    const [first, second, third] = layoutGrid(3, WIDTH, HEIGHT);
    // To an even pixel.
    expect(Math.abs(third!.left + third!.width / 2 - WIDTH / 2)).toBeLessThan(2);
    expect(third!.top).toBeGreaterThan(first!.top + first!.height);
    expect(second!.top).toBe(first!.top);
  });

  it.each([[WIDTH, HEIGHT] as const, [720, 1_280] as const, [640, 480] as const])(
    "keeps cells of %i x %i within the frame, apart, even and of its shape",
    (width, height) => {
      for (let count = 1; count <= MAX_GRID_CELLS; count++) {
        const cells = layoutGrid(count, width, height);
        expect(cells).toHaveLength(count);
        cells.forEach((cell, i) => {
          expect(Object.values(cell).every((value) => value % 2 === 0 && value >= 0)).toBe(true);
          expect(cell.left + cell.width).toBeLessThanOrEqual(width);
          expect(cell.top + cell.height).toBeLessThanOrEqual(height);
          expect(Math.abs(cell.width / cell.height / (width / height) - 1)).toBeLessThan(0.03);
          for (const other of cells.slice(0, i)) {
            const isBeside = other.left + other.width <= cell.left || cell.left + cell.width <= other.left;
            expect(isBeside || other.top + other.height <= cell.top).toBe(true);
          }
        });
      }
    },
  );
});
