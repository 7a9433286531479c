/**
 * A black picture in H.264, made without an encoder (ITU-T H.264, constrained baseline): outputs whose players need a picture at all times
 * show it while nobody's is there. The keyframe has one macroblock of plain samples; all others repeat their neighbours. Pictures after it
 * skip every macroblock: a few bytes each.
 */
import { BitWriter } from "./bit-writer.ts";

const NAL_SPS = 0x67;
const NAL_PPS = 0x68;
const NAL_IDR = 0x65;
const NAL_SLICE = 0x61;
const BLACK_LUMA = 16;
const NO_CHROMA = 128;
/** frame_num has four bits. */
const FRAME_NUMBERS = 16;
/** Table A-1: level_idc, and macroblocks of a picture at most. */
const LEVELS: readonly (readonly [number, number])[] = [
  [13, 396],
  [30, 1_620],
  [31, 3_600],
  [40, 8_192],
  [51, 36_864],
  [60, 139_264],
];

export class BlackPicture {
  readonly #columns: number;
  readonly #rows: number;
  readonly #keyframes: readonly [Uint8Array, Uint8Array];
  #frame = 0;
  #odd = false;

  /** Even width and height. */
  constructor(width: number, height: number) {
    this.#columns = Math.ceil(width / 16);
    this.#rows = Math.ceil(height / 16);
    const sets = [this.#sequence(width, height), pictureParameters()];
    // Keyframes that follow each other must have different ids (7.4.3).
    this.#keyframes = [join([...sets, this.#keyframe(0)]), join([...sets, this.#keyframe(1)])];
  }

  /** SPS, PPS and an IDR picture, Annex B. Not to be changed. */
  keyframe(): Uint8Array {
    this.#frame = 0;
    this.#odd = !this.#odd;
    return this.#keyframes[this.#odd ? 0 : 1];
  }

  /** The same again, as a picture that refers to the one before. */
  repeat(): Uint8Array {
    this.#frame = (this.#frame + 1) % FRAME_NUMBERS;
    const w = new BitWriter();
    // P slice of the whole picture (7.3.3).
    w.unsigned(0);
    w.unsigned(5);
    w.unsigned(0);
    w.bits(this.#frame, 4);
    // No other number of references, no other order, no marking.
    w.bits(0, 3);
    w.signed(0);
    w.unsigned(1);
    // mb_skip_run (7.3.4)
    w.unsigned(this.#columns * this.#rows);
    return w.nalUnit(NAL_SLICE);
  }

  /** 7.3.2.1 */
  #sequence(width: number, height: number): Uint8Array {
    const blocks = this.#columns * this.#rows;
    const level = LEVELS.find(([, most]) => blocks <= most)?.[0] ?? 62;
    const w = new BitWriter();
    w.bits(66, 8);
    w.bits(0xc0, 8);
    w.bits(level, 8);
    w.unsigned(0);
    w.unsigned(0);
    // Picture order is decode order; one reference; no gaps.
    w.unsigned(2);
    w.unsigned(1);
    w.bits(0, 1);
    w.unsigned(this.#columns - 1);
    w.unsigned(this.#rows - 1);
    // Whole frames, direct_8x8_inference.
    w.bits(3, 2);
    const [right, bottom] = [(this.#columns * 16 - width) >> 1, (this.#rows * 16 - height) >> 1];
    w.bits(right + bottom > 0 ? 1 : 0, 1);
    if (right + bottom > 0) for (const edge of [0, right, 0, bottom]) w.unsigned(edge);
    w.bits(0, 1);
    return w.nalUnit(NAL_SPS);
  }

  /** 7.3.3, 7.3.5 */
  #keyframe(id: number): Uint8Array {
    const w = new BitWriter();
    w.unsigned(0);
    w.unsigned(7);
    w.unsigned(0);
    w.bits(0, 4);
    w.unsigned(id);
    w.bits(0, 2);
    w.signed(0);
    // No deblocking.
    w.unsigned(1);
    w.unsigned(25);
    w.align();
    for (let i = 0; i < 256; i++) w.bits(BLACK_LUMA, 8);
    for (let i = 0; i < 128; i++) w.bits(NO_CHROMA, 8);
    for (let block = 1; block < this.#columns * this.#rows; block++) {
      // Intra 16x16 predicted by the mean of its neighbours, without coefficients.
      w.unsigned(3);
      w.unsigned(0);
      w.signed(0);
      // coeff_token of none depends on how many the neighbours have (9.2.1): plain samples count as 16.
      const besidePlain = block === 1 || block === this.#columns;
      if (besidePlain) w.bits(0b000011, 6);
      else w.bits(1, 1);
    }
    return w.nalUnit(NAL_IDR);
  }
}

/** 7.3.2.2: CAVLC, deblocking said by each slice. */
function pictureParameters(): Uint8Array {
  const w = new BitWriter();
  w.unsigned(0);
  w.unsigned(0);
  w.bits(0, 2);
  w.unsigned(0);
  w.unsigned(0);
  w.unsigned(0);
  w.bits(0, 3);
  for (let i = 0; i < 3; i++) w.signed(0);
  w.bits(0b100, 3);
  return w.nalUnit(NAL_PPS);
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
