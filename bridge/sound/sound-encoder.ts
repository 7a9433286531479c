/** Encoded sound, and what encodes it: AAC (aac-encoder.ts) or Opus (opus-encoder.ts). */
import type { SoundBlock } from "../programme/programme.ts";

/** One encoded frame of sound. */
export interface SoundFrame {
  /** Capture time of the first sample that a decoder puts out for it, microseconds since the Unix epoch. */
  timeUs: number;
  /** A raw access unit, without ADTS; nobody else keeps it. */
  bytes: Uint8Array;
}

export interface SoundEncoder {
  /** Decoder configuration: AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1) of AAC, OpusHead (RFC 7845, 5.1) of Opus. */
  readonly config: Uint8Array;
  /** Samples of one frame. */
  readonly frameSamples: number;
  /** Blocks that were left out because the encoder was too slow. */
  readonly droppedBlocks: number;
  /** Takes a block and copies it; the frames come by `onFrame`, soon after. */
  push(block: SoundBlock): void;
  /** Takes nothing more; resolves when all of it has come out, the last frame filled with silence. */
  finish(): Promise<void>;
  /** Ends the worker; nothing comes out any more. */
  close(): void;
}

export interface SoundEncoderOptions {
  bitrateBps: number;
  onFrame(frame: SoundFrame): void;
  /** The encoder has failed and says nothing more: open another one. */
  onFailure(error: Error): void;
}
