/**
 * A programme as FLV tags, made once for all targets: sound and pictures in the order of their decode times, on one timeline
 * that begins at 0. Where nobody's picture is shown a still stands in, so that every target gets sound and picture throughout.
 */
import { formatOf } from "../fmp4/picture-format.ts";
import type { PictureUnit } from "../programme/programme.ts";
import { avcConfigOfAnnexB, avccOfAnnexB } from "../rtmp/avc-config.ts";
import { makeAacTag } from "../rtmp/flv-audio.ts";
import { makeAvcConfigTag, makeAvcFrameTag } from "../rtmp/flv-video.ts";
import type { FlvTag } from "./flv-tag.ts";
import { Interleaver } from "./interleaver.ts";
import { MAX_PICTURE_WAIT_US } from "./limits.ts";
import { STILL_PERIOD_US, stillPictures } from "./still-picture.ts";

interface Waiting {
  kind: "sound" | "picture";
  decodeUs: number;
  /** When it is shown or heard. */
  timeUs: number;
  keyframe: boolean;
  /** Annex B, or a raw AAC access unit. */
  bytes: Uint8Array;
  header: Uint8Array;
}

/** A sound frame as encoders give it: capture time of its first sample, and a raw AAC access unit. */
interface EncodedSound {
  timeUs: number;
  bytes: Uint8Array;
}

export class FlvOutput {
  readonly #onTag: (tag: FlvTag) => void;
  readonly #interleaver = new Interleaver<Waiting>((waiting) => this.#emit(waiting));
  readonly #still = stillPictures();
  /** Which picture of the still comes next, and when; undefined while somebody's picture is shown. */
  #stillNext: { index: number; atUs: number } | undefined;
  #firstTickUs: number | undefined;
  #startUs: number | undefined;
  readonly #lastMs = { sound: -1, picture: -1 };
  #lastDecodeUs = Number.NEGATIVE_INFINITY;
  #pictureConfig: Uint8Array | undefined;
  #pictureHeader: Uint8Array | undefined;
  #soundConfig: Uint8Array | undefined;
  #soundHeader: Uint8Array | undefined;
  #pictureSize: { width: number; height: number } | undefined;
  #skipped = 0;
  #lastKeyframeUs = Number.NEGATIVE_INFINITY;

  constructor(onTag: (tag: FlvTag) => void) {
    this.#onTag = onTag;
  }

  /** When the newest keyframe is shown, microseconds since the Unix epoch; -Infinity before the first. */
  get lastKeyframeUs(): number {
    return this.#lastKeyframeUs;
  }

  /** Of the newest picture, in samples; undefined before the first, and where its SPS does not say it. */
  get pictureSize(): { width: number; height: number } | undefined {
    return this.#pictureSize;
  }

  /** The still is what is shown. */
  get showsStill(): boolean {
    return this.#stillNext !== undefined;
  }

  /** Pictures that came without a keyframe to begin with, or without its SPS and PPS. */
  get skipped(): number {
    return this.#skipped;
  }

  /** A keyframe of the still, if that is what is shown, is the next picture. */
  restartStill(): void {
    if (this.#stillNext !== undefined) this.#stillNext.index = 0;
  }

  /** Time passes: each sound block says how far it is. `hasPicture`: somebody's picture is being shown. */
  tick(timeUs: number, hasPicture: boolean): void {
    this.#firstTickUs ??= timeUs;
    if (hasPicture && this.#stillNext === undefined) {
      const isMissed = this.#pictureHeader === undefined && timeUs - this.#firstTickUs >= MAX_PICTURE_WAIT_US;
      if (!isMissed) return;
    }
    // Once begun the still goes on until somebody's first keyframe: that may take a while.
    this.#stillNext ??= { index: 0, atUs: timeUs };
    const next = this.#stillNext;
    // Sound need not wait for a still.
    if (timeUs < next.atUs) return this.#interleaver.advance("picture", timeUs);
    const decodeUs = Math.max(timeUs, this.#lastDecodeUs + 1);
    this.#pushPicture({
      timeUs: decodeUs,
      decodeTimeUs: decodeUs,
      keyframe: next.index === 0,
      switched: false,
      bytes: this.#still[next.index]!,
    });
    next.index = (next.index + 1) % this.#still.length;
    next.atUs = Math.max(next.atUs + STILL_PERIOD_US, timeUs);
  }

  /** `config`: AudioSpecificConfig of the encoder. */
  pushSound(frame: EncodedSound, config: Uint8Array): void {
    if (this.#soundHeader === undefined || !isSame(config, this.#soundConfig)) {
      this.#soundConfig = config;
      this.#soundHeader = makeAacTag("config", config);
    }
    this.#interleaver.push({
      kind: "sound",
      decodeUs: frame.timeUs,
      timeUs: frame.timeUs,
      keyframe: false,
      bytes: frame.bytes,
      header: this.#soundHeader,
    });
  }

  pushPicture(unit: PictureUnit): void {
    const mayBegin = unit.keyframe && avcConfigOfAnnexB(unit.bytes) !== undefined;
    const mustBegin = this.#stillNext !== undefined || this.#pictureHeader === undefined || unit.switched;
    if (mustBegin && !mayBegin) {
      this.#skipped++;
      return;
    }
    this.#stillNext = undefined;
    this.#pushPicture(unit);
  }

  /** Nothing comes any more. */
  end(): void {
    this.#interleaver.flush();
  }

  #pushPicture(unit: PictureUnit): void {
    if (unit.keyframe) {
      this.#useParameterSets(unit);
      this.#lastKeyframeUs = unit.timeUs;
    }
    // Behind a still that ran ahead a picture may seem late: it goes on at once.
    const decodeUs = Math.max(unit.decodeTimeUs, this.#lastDecodeUs + 1);
    this.#lastDecodeUs = decodeUs;
    this.#interleaver.push({
      kind: "picture",
      decodeUs,
      timeUs: Math.max(unit.timeUs, decodeUs),
      keyframe: unit.keyframe,
      bytes: unit.bytes,
      header: this.#pictureHeader!,
    });
  }

  #useParameterSets(unit: PictureUnit): void {
    const config = avcConfigOfAnnexB(unit.bytes);
    if (config === undefined || (!unit.switched && isSame(config, this.#pictureConfig))) return;
    this.#pictureConfig = config;
    this.#pictureHeader = makeAvcConfigTag(config);
    this.#pictureSize = formatOf(unit.bytes);
  }

  #emit({ kind, decodeUs, timeUs, keyframe, bytes, header }: Waiting): void {
    this.#startUs ??= decodeUs;
    const startUs = this.#startUs;
    const sinceStartMs = (us: number): number => Math.round((us - startUs) / 1000);
    const timestampMs = Math.max(0, this.#lastMs[kind], sinceStartMs(decodeUs));
    this.#lastMs[kind] = timestampMs;
    const body =
      kind === "sound"
        ? makeAacTag("frame", bytes)
        : makeAvcFrameTag(keyframe, Math.max(0, sinceStartMs(timeUs) - timestampMs), avccOfAnnexB(bytes));
    this.#onTag({ kind, timestampMs, keyframe, body, header, captureUs: timeUs });
  }
}

function isSame(a: Uint8Array, b: Uint8Array | undefined): boolean {
  return b !== undefined && a.length === b.length && a.every((byte, at) => byte === b[at]);
}
