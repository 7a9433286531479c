/** Decoding pictures into frames and encoding frames into pictures, as the grid needs it. Implementations: bridge/node/ffmpeg-picture-decoder.ts and ffmpeg-picture-encoder.ts. */
import type { FrameQueue } from "./frame-queue.ts";
import type { PictureFrame } from "./picture-frame.ts";

export interface PictureDecoderOptions {
  /** Where frames go, scaled to its size with their shape kept, dark bars beside them. */
  frames: FrameQueue;
  /** It does not work or has failed, and says nothing more; once at most, never after `close`, nor before the decoder was returned. */
  onFailure(error: PictureCodecError): void;
}

export interface PictureDecoder {
  /**
   * Takes an H.264 access unit, Annex B, in decode order, the first a keyframe; `timeUs`: when it is shown. False: so much waits already
   * (MAX_DECODER_BACKLOG_BYTES) that it is stuck.
   */
  push(bytes: Uint8Array, timeUs: number): boolean;
  /** Ends it at once; nothing comes out any more. */
  close(): void;
}

export interface PictureEncoderOptions {
  width: number;
  height: number;
  /**
   * The n-th call has the n-th frame, H.264 in Annex B, SPS and PPS in front of each keyframe, nothing reordered. The first is a keyframe.
   */
  onUnit(bytes: Uint8Array, keyframe: boolean): void;
  /** As a decoder's. */
  onFailure(error: PictureCodecError): void;
}

export interface PictureEncoder {
  /** Takes the next frame, which must not change before `onTaken`; `keyframe`: it is to be one. */
  push(frame: PictureFrame, keyframe: boolean, onTaken: () => void): void;
  /** Ends it at once; nothing comes out any more, and frames are free. */
  close(): void;
}

/** Begins; what goes wrong is said by `onFailure`, later. */
export interface PictureCodecs {
  openDecoder(options: PictureDecoderOptions): PictureDecoder;
  openEncoder(options: PictureEncoderOptions): PictureEncoder;
}

/** `missing`: there is nothing to run. `failed`: it has ended by itself. `message` is a sentence for people. */
export class PictureCodecError extends Error {
  override readonly name = "PictureCodecError";
  readonly reason: "missing" | "failed";
  constructor(reason: "missing" | "failed", message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
