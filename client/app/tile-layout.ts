/** Where each tile goes: a best-fit grid, or a stage with a filmstrip. Pure geometry in CSS pixels. */

export interface Area {
  width: number;
  height: number;
}

export interface Rect extends Area {
  left: number;
  top: number;
}

/** Space between tiles. */
const GAP = 10;
/** A tile is never wider than 16:9 nor taller than this: faces are cut too much beyond. Upright screens may more. */
const WIDEST = 16 / 9;
const TALLEST_LANDSCAPE = 1.2;
const TALLEST_UPRIGHT = 0.6;
/** Below this width a tile shows too little to be worth its place. */
const LEAST_TILE_WIDTH = 132;
const LEAST_TILE_HEIGHT = 96;
/** More pictures at once than this nobody follows, and decoding them costs. */
const MAX_GRID_TILES = 25;
/** Filmstrip: thickness as a share of the area, within bounds. */
const STRIP_SHARE = 0.2;
const LEAST_STRIP = 92;
const LARGEST_STRIP = 220;
/** Below a stage, tiles are narrowed until this many fit. */
const LEAST_STRIP_TILES = 3;

/** The tiles of a grid in reading order, all of one size, the last row centred. */
export function layoutGrid(count: number, area: Area): Rect[] {
  if (count <= 0 || area.width <= 0 || area.height <= 0) return [];
  let best = fitColumns(count, 1, area);
  for (let columns = 2; columns <= count; columns++) {
    const candidate = fitColumns(count, columns, area);
    if (candidate.width * candidate.height > best.width * best.height) best = candidate;
  }
  return place(count, best, area);
}

/** How many tiles a grid can show before they become too small; at least one. */
export function gridCapacity(area: Area): number {
  const columns = Math.floor((area.width + GAP) / (LEAST_TILE_WIDTH + GAP));
  const rows = Math.floor((area.height + GAP) / (LEAST_TILE_HEIGHT + GAP));
  return Math.min(MAX_GRID_TILES, Math.max(1, columns * rows));
}

/**
 * One large tile and the others in a strip: at the right where there is width, below otherwise.
 * `strip` may be shorter than asked for when no more fit.
 */
export function layoutStage(others: number, area: Area): { stage: Rect; strip: Rect[] } {
  const whole = { left: 0, top: 0, width: area.width, height: area.height };
  if (others <= 0) return { stage: whole, strip: [] };
  const beside = area.width > area.height * 1.1;
  const thickness = bounded(
    (beside ? area.width : area.height) * STRIP_SHARE,
    LEAST_STRIP,
    Math.max(LEAST_STRIP, Math.min(LARGEST_STRIP, (beside ? area.width : area.height) / 2)),
  );
  const length = beside ? area.height : area.width;
  const tileLength = Math.floor(
    beside ? thickness / WIDEST : Math.min(thickness * 0.9, (length - 2 * GAP) / LEAST_STRIP_TILES),
  );
  const shown = Math.min(others, Math.max(1, Math.floor((length + GAP) / (tileLength + GAP))));
  const start = Math.max(0, Math.round((length - shown * (tileLength + GAP) + GAP) / 2));
  const strip = Array.from({ length: shown }, (_, index): Rect => {
    const along = start + index * (tileLength + GAP);
    return beside
      ? { left: area.width - thickness, top: along, width: thickness, height: tileLength }
      : { left: along, top: area.height - thickness, width: tileLength, height: thickness };
  });
  const stage = beside
    ? { ...whole, width: area.width - thickness - GAP }
    : { ...whole, height: area.height - thickness - GAP };
  return { stage, strip };
}

interface Fit extends Area {
  columns: number;
  rows: number;
}

function fitColumns(count: number, columns: number, area: Area): Fit {
  const rows = Math.ceil(count / columns);
  const tallest = area.height > area.width ? TALLEST_UPRIGHT : TALLEST_LANDSCAPE;
  const cellWidth = Math.max(1, (area.width - GAP * (columns - 1)) / columns);
  const cellHeight = Math.max(1, (area.height - GAP * (rows - 1)) / rows);
  return {
    columns,
    rows,
    width: Math.floor(Math.min(cellWidth, cellHeight * WIDEST)),
    height: Math.floor(Math.min(cellHeight, cellWidth / tallest)),
  };
}

function place(count: number, { columns, rows, width, height }: Fit, area: Area): Rect[] {
  const top = (area.height - rows * height - (rows - 1) * GAP) / 2;
  return Array.from({ length: count }, (_, index): Rect => {
    const row = Math.floor(index / columns);
    const inRow = row === rows - 1 ? count - row * columns : columns;
    const left = (area.width - inRow * width - (inRow - 1) * GAP) / 2;
    return {
      left: Math.round(left + (index - row * columns) * (width + GAP)),
      top: Math.round(top + row * (height + GAP)),
      width,
      height,
    };
  });
}

function bounded(value: number, least: number, most: number): number {
  return Math.round(Math.min(most, Math.max(least, value)));
}
