/** Sound that others have encoded, decoded: bytes of a format in, 48 kHz stereo out, in order. Implementation: bridge/node/ffmpeg-sound-decoder.ts. */

/**
 * Where the sound lies that comes out, in samples of 48 kHz:
 * - `aac-adts`: access unit n of 1024 samples (ISO/IEC 14496-3) comes out as [1024 n, 1024 (n+1)) x 48000 / its rate. Priming that the
 *   encoder put in front (1024 or 2112 samples) is not taken off: an RTMP timestamp is that of what its unit decodes to.
 *   A unit that does not decode comes out as silence of its length.
 * - `mp3`: frame n comes out at [1152 n, 1152 (n+1)) likewise, 529 samples later than its encoder meant (ISO/IEC 11172-3's filter bank).
 * - `ogg` (Opus, Vorbis): pre-skip is taken off (RFC 7845, 4.2): the first sample out is the first that was meant.
 */
export type ForeignFormat = "aac-adts" | "mp3" | "ogg";

export interface SoundDecoderOptions {
  format: ForeignFormat;
  /**
   * Next samples, as many in `left` as in `right`, of any number, -1..1 and beyond where the encoder clipped. Both are the receiver's to keep.
   * `firstSample` counts the samples that came before.
   */
  onSound(left: Float32Array, right: Float32Array, firstSample: number): void;
  /** It does not work or has failed, and says nothing more; once at most, never after `close`, nor before the decoder was returned. */
  onFailure(error: SoundDecoderError): void;
}

export interface SoundDecoder {
  /** Bytes that were pushed and not taken yet. */
  readonly queuedBytes: number;
  /** Bytes that were left out because MAX_DECODER_BACKLOG_BYTES waited. */
  readonly droppedBytes: number;
  /**
   * Takes the next bytes, cut anywhere; they must not change afterwards. False: too much waits, and they are left out and counted.
   * Nothing happens after an end or a failure.
   */
  push(bytes: Uint8Array): boolean;
  /**
   * Lets no more sound come out, but for what is out already (some 200 ms), until `resume`: then bytes wait too, and `ready` with them. Few bytes
   * can hold hours of silence, so whoever keeps sound needs this.
   */
  pause(): void;
  resume(): void;
  /** Resolves when more is welcome: at once while little waits, and when it has ended. For senders that can be made to wait. */
  ready(): Promise<void>;
  /** Nothing more is pushed; resolves when all sound has come out, or when it has failed. */
  end(): Promise<void>;
  /** Ends it at once; nothing comes out any more. */
  close(): void;
}

/** Begins to decode. What goes wrong is said by `onFailure`, later. */
export type OpenSoundDecoder = (options: SoundDecoderOptions) => SoundDecoder;

/** `missing`: there is no decoder to run. `failed`: it has ended by itself. `message` is a sentence that says what to do. */
export class SoundDecoderError extends Error {
  override readonly name = "SoundDecoderError";
  readonly reason: "missing" | "failed";
  constructor(reason: "missing" | "failed", message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
