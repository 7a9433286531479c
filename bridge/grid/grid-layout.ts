/** Where each picture goes: cells of the frame's own shape, all of one size, as large as they can be, the last row centred. Pure geometry. */
import { GRID_GAP } from "./limits.ts";

/** All even, since colour has half the resolution (4:2:0). */
export interface Cell {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** Cells in reading order. One picture alone has the whole frame. `width` and `height` of the frame are even. */
export function layoutGrid(count: number, width: number, height: number): Cell[] {
  if (count <= 0) return [];
  if (count === 1) return [{ left: 0, top: 0, width, height }];
  let columns = 1;
  for (let more = 2; more <= count; more++) {
    if (scaleOf(count, more, width, height) > scaleOf(count, columns, width, height)) columns = more;
  }
  return place(count, columns, width, height);
}

/** Size of a cell as a share of the frame's, with so many columns. */
function scaleOf(count: number, columns: number, width: number, height: number): number {
  const rows = Math.ceil(count / columns);
  const across = (width - GRID_GAP * (columns + 1)) / columns / width;
  return Math.min(across, (height - GRID_GAP * (rows + 1)) / rows / height);
}

function place(count: number, columns: number, width: number, height: number): Cell[] {
  const rows = Math.ceil(count / columns);
  const scale = scaleOf(count, columns, width, height);
  const [wide, high] = [even(width * scale), even(height * scale)];
  const top = (height - rows * (high + GRID_GAP) + GRID_GAP) / 2;
  return Array.from({ length: count }, (_, index): Cell => {
    const row = Math.floor(index / columns);
    const inRow = Math.min(columns, count - row * columns);
    const left = (width - inRow * (wide + GRID_GAP) + GRID_GAP) / 2;
    return {
      left: even(left + (index - row * columns) * (wide + GRID_GAP)),
      top: even(top + row * (high + GRID_GAP)),
      width: wide,
      height: high,
    };
  });
}

function even(value: number): number {
  return Math.floor(value / 2) * 2;
}
