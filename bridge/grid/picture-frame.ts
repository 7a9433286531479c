/** A decoded picture in memory that is used again and again: I420, the plane of brightness, then two of colour at half the size. */
import type { Cell } from "./grid-layout.ts";

/** What is shown where nothing is: a dark grey, in video levels (ITU-R BT.709). */
const DARK = [32, 128, 128] as const;

/** One plane with a view of each of its rows, made once so that copying makes none. */
interface Plane {
  bytes: Uint8Array;
  stride: number;
  rows: readonly Uint8Array[];
  /** Pixels of the frame per sample, in both directions. */
  step: 1 | 2;
}

export class PictureFrame {
  readonly width: number;
  readonly height: number;
  /** All planes, without padding. */
  readonly bytes: Uint8Array;
  readonly #planes: readonly Plane[];

  /** Even width and height. */
  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    const luma = width * height;
    this.bytes = new Uint8Array(luma * 1.5);
    this.#planes = [
      plane(this.bytes.subarray(0, luma), width, height, 1),
      plane(this.bytes.subarray(luma, luma * 1.25), width / 2, height / 2, 2),
      plane(this.bytes.subarray(luma * 1.25), width / 2, height / 2, 2),
    ];
  }

  /** Makes all of it dark. */
  darken(): void {
    for (let i = 0; i < this.#planes.length; i++) this.#planes[i]!.bytes.fill(DARK[i]!);
  }

  /** Draws `picture` into a cell that lies within; of another size it is scaled, roughly, as it is for a moment after a change of layout. */
  draw(picture: PictureFrame, cell: Cell): void {
    const fits = picture.width === cell.width && picture.height === cell.height;
    for (let i = 0; i < this.#planes.length; i++) {
      const [to, from] = [this.#planes[i]!, picture.#planes[i]!];
      if (fits) copy(to, from, cell);
      else scale(to, from, cell);
    }
  }
}

function plane(bytes: Uint8Array, stride: number, height: number, step: 1 | 2): Plane {
  const rows = Array.from({ length: height }, (_, row) => bytes.subarray(row * stride, (row + 1) * stride));
  return { bytes, stride, rows, step };
}

function copy(to: Plane, from: Plane, { left, top }: Cell): void {
  let at = (top / to.step) * to.stride + left / to.step;
  for (let row = 0; row < from.rows.length; row++) {
    to.bytes.set(from.rows[row]!, at);
    at += to.stride;
  }
}

/** The nearest sample of each. */
function scale(to: Plane, from: Plane, cell: Cell): void {
  const [width, height] = [cell.width / to.step, cell.height / to.step];
  const [left, top] = [cell.left / to.step, cell.top / to.step];
  const across = from.stride / width;
  for (let y = 0; y < height; y++) {
    const source = Math.floor(((y + 0.5) * from.rows.length) / height) * from.stride;
    const target = (top + y) * to.stride + left;
    for (let x = 0; x < width; x++)
      to.bytes[target + x] = from.bytes[source + Math.floor((x + 0.5) * across)]!;
  }
}
