/**
 * A programme as CMAF parts of 200 ms in segments of 2 s (bridge/fmp4/media-part.ts), for LL-HLS and recordings together: sound encoded
 * once, pictures as they are.
 */
import { type PictureUnit, type Programme, SAMPLE_RATE_HZ, type SoundBlock } from "../programme/programme.ts";
import type { SoundEncoder, SoundEncoderOptions } from "../sound/sound-encoder.ts";
import type { SoundFormat } from "./init-segment.ts";
import { MAX_PART_SINKS } from "./limits.ts";
import type { InitSegment, MediaPart, MediaPartSink } from "./media-part.ts";
import { PartCutter } from "./part-cutter.ts";
import { PartWriter } from "./part-writer.ts";
import { PictureFilling } from "./picture-filling.ts";
import type { PictureFormat } from "./picture-format.ts";

/** How long a keyframe takes from being asked for to being made, beside the programme's own delay, microseconds. */
const KEYFRAME_LEAD_US = 150_000;

export interface ProgrammePartsOptions {
  programme: Programme;
  /** Opens the encoder, for instance `openAacEncoder`; another one is opened when it fails. */
  openEncoder(options: SoundEncoderOptions): Promise<SoundEncoder>;
  codec: SoundFormat["codec"];
  bitrateBps: number;
  /** What there is while the programme has no picture: a black one, or sound alone with another init segment. Players need a picture all the time. */
  withoutPicture: "black" | "sound";
  /** An encoder has failed, or another one could not be opened; the parts have no sound from then on. */
  onProblem(error: Error): void;
}

/** A running writer of parts. */
export interface ProgrammeParts {
  /** Gives `sink` the init segment in force and everything from the next segment on. The returned function ends it. Throws RangeError at MAX_PART_SINKS. */
  add(sink: MediaPartSink): () => void;
  /** What was left out so far, by reason. */
  readonly dropped: { pictures: number; sound: number; blocks: number };
  /** Ends the sinks once all that was captured has reached them. */
  close(): Promise<void>;
}

interface Member {
  sink: MediaPartSink;
  /** It has had the first part of a segment. */
  begun: boolean;
}

/** Opens the encoder and adds itself to the programme. Rejects when the encoder does not start. */
export async function openProgrammeParts(options: ProgrammePartsOptions): Promise<ProgrammeParts> {
  const parts = new LiveParts(options);
  await parts.start();
  return parts;
}

class LiveParts implements ProgrammeParts {
  readonly #options: ProgrammePartsOptions;
  readonly #members = new Set<Member>();
  #encoder: SoundEncoder | undefined;
  #cutter: PartCutter | undefined;
  #filling: PictureFilling | undefined;
  #writer: PartWriter | undefined;
  #init: InitSegment | undefined;
  #leave: (() => void) | undefined;
  #closing: Promise<void> | undefined;
  #ended = false;

  constructor(options: ProgrammePartsOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { programme, codec, bitrateBps } = this.#options;
    const encoder = await this.#openEncoder();
    this.#encoder = encoder;
    this.#writer = new PartWriter({ codec, config: encoder.config, bitrateBps }, encoder.frameSamples);
    const fills = this.#options.withoutPicture === "black";
    if (fills) {
      this.#filling = new PictureFilling({
        hasPicture: () => programme.hasPicture,
        requestKeyframe: () => programme.requestKeyframe(),
        onPicture: (unit) => this.#cutter!.pushPicture(unit),
      });
    }
    this.#cutter = new PartCutter({
      frameUs: (encoder.frameSamples * 1e6) / SAMPLE_RATE_HZ,
      hasPicture: () => fills || programme.hasPicture,
      keyframeLeadUs: () => programme.keyframeLeadMs * 1000 + KEYFRAME_LEAD_US,
      requestKeyframe: () => (this.#filling ?? programme).requestKeyframe(),
      onFormat: (format) => this.#onFormat(format),
      onPart: (cut) => this.#onPart(this.#writer!.part(cut)),
    });
    this.#leave = programme.add({
      onSound: (block: SoundBlock) => {
        this.#filling?.onSound(block.timeUs);
        this.#encoder?.push(block);
      },
      onPicture: (unit: PictureUnit) => {
        if (this.#filling !== undefined) this.#filling.onPicture(unit);
        else this.#cutter!.pushPicture(unit);
      },
      onEnd: () => void this.close(),
    });
  }

  get dropped(): { pictures: number; sound: number; blocks: number } {
    const { pictures, sound } = this.#cutter?.dropped ?? { pictures: 0, sound: 0 };
    const filling = this.#filling?.dropped ?? 0;
    return { pictures: pictures + filling, sound, blocks: this.#encoder?.droppedBlocks ?? 0 };
  }

  add(sink: MediaPartSink): () => void {
    if (this.#members.size >= MAX_PART_SINKS) {
      throw new RangeError(`A programme's parts go to ${MAX_PART_SINKS} outputs at most: end one of them.`);
    }
    const member: Member = { sink, begun: false };
    this.#members.add(member);
    return () => void this.#members.delete(member);
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  #openEncoder(): Promise<SoundEncoder> {
    return this.#options.openEncoder({
      bitrateBps: this.#options.bitrateBps,
      onFrame: (frame) => {
        if (!this.#ended) this.#cutter?.pushSound(frame);
      },
      onFailure: (error) => void this.#replaceEncoder(error),
    });
  }

  async #replaceEncoder(error: Error): Promise<void> {
    this.#options.onProblem(error);
    this.#encoder = undefined;
    try {
      const encoder = await this.#openEncoder();
      if (this.#closing === undefined) this.#encoder = encoder;
      else encoder.close();
    } catch (cause) {
      this.#options.onProblem(
        new Error("The sound of an output cannot be encoded any more: start the output anew.", { cause }),
      );
    }
  }

  async #end(): Promise<void> {
    this.#leave?.();
    try {
      await this.#encoder?.finish();
    } catch (cause) {
      this.#options.onProblem(
        new Error("The last sound of an output is lost: its encoder failed.", { cause }),
      );
    }
    this.#cutter?.end();
    this.#ended = true;
    this.#encoder?.close();
    for (const { sink } of this.#members) sink.onEnd?.();
    this.#members.clear();
  }

  #onFormat(format: PictureFormat | undefined): void {
    this.#init = this.#writer!.init(format);
    for (const member of this.#members) if (member.begun) member.sink.onInit(this.#init);
  }

  #onPart(made: MediaPart): void {
    const shows = ({ sink, begun }: Member): boolean =>
      sink.isPublic === true && (begun || made.segmentStart);
    const part = { ...made, shown: [...this.#members].some(shows) };
    for (const member of this.#members) {
      if (!member.begun) {
        if (!part.segmentStart) continue;
        member.begun = true;
        member.sink.onInit(this.#init!);
      }
      member.sink.onPart(part);
    }
  }
}
