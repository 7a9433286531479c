/** Compares a picture that a page shows with the clip's frame of the same number. */
import type { PictureLayout, SeenPicture } from "./page-probe.ts";
import {
  CLIP_HEIGHT,
  CLIP_WIDTH,
  CODE_CELLS,
  CODE_ROWS,
  COLOUR_TOP,
  COLOURS,
  clipLuma,
  readCode,
} from "./test-clip.ts";

export const LAYOUT: PictureLayout = {
  width: CLIP_WIDTH,
  height: CLIP_HEIGHT,
  codeRows: CODE_ROWS,
  codeCells: CODE_CELLS,
  colourTop: COLOUR_TOP,
  colourCount: COLOURS.length,
};

export interface PictureVerdict {
  frame: number;
  /** Of the grey part, decibels. */
  psnrDb: number;
  /** Largest difference of a colour patch's channel, 0 to 255. */
  colourError: number;
}

/** Undefined when the frame's number cannot be read (nothing shown yet). */
export function judge(picture: SeenPicture | undefined): PictureVerdict | undefined {
  if (picture === undefined) return undefined;
  const frame = readCode(picture.cells);
  if (frame === undefined) return undefined;
  const differences = picture.colours.flatMap((colour, i) =>
    colour.map((value, channel) => Math.abs(value - (COLOURS[i]?.[channel] ?? 0))),
  );
  return {
    frame,
    psnrDb: psnrDb(frame, Buffer.from(picture.grey, "base64")),
    colourError: Math.max(...differences),
  };
}

function psnrDb(frame: number, shown: Uint8Array): number {
  const luma = clipLuma(frame);
  const [from, to] = [CODE_ROWS * CLIP_WIDTH, COLOUR_TOP * CLIP_WIDTH];
  let squares = 0;
  for (let i = from; i < to; i++) {
    const expected = (((luma[i] as number) - 16) * 255) / 219;
    squares += ((shown[i] as number) - expected) ** 2;
  }
  return 10 * Math.log10(255 ** 2 / (squares / (to - from)));
}
