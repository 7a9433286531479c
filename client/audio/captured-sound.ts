/** Captured sound as the encoder takes it: one channel, wherever it was read. */
export interface CapturedSound {
  /** Of the first sample, on a clock of the source's own. */
  timestampUs: number;
  rateHz: number;
  samples: Float32Array<ArrayBuffer>;
}

/** Capture worklet -> worker. */
export type SoundMessage = CapturedSound | "end";
