/**
 * A room as one programme: one sound, mixed from everybody's, and one picture at a time, chosen from everybody's, on one
 * timeline. Every output is a sink of a programme. Times are microseconds since the Unix epoch on the room clock, when the thing was captured.
 */

/** Samples a second of everything that bridges mix, encode and decode. */
export const SAMPLE_RATE_HZ = 48_000;
/** Samples of one sound block: 20 ms. */
export const BLOCK_SAMPLES = 960;
export const BLOCK_US = 20_000;

/** 20 ms of the mix. Each begins where the one before ended; silence is sent like anything else. */
export interface SoundBlock {
  timeUs: number;
  /** BLOCK_SAMPLES each, -1..1. The sink must not keep or change them. */
  left: Float32Array;
  right: Float32Array;
}

/** One encoded picture. They come in decode order; the first is a keyframe. */
export interface PictureUnit {
  /** When it is shown. */
  timeUs: number;
  /** Grows with each unit and is never after `timeUs`; the same as that where pictures are not reordered (no B-frames). */
  decodeTimeUs: number;
  keyframe: boolean;
  /**
   * The first unit of another source (speaker changed) or of another format: SPS and PPS may be others than before. Always a keyframe.
   */
  switched: boolean;
  /** H.264, Annex B, SPS and PPS in front of each keyframe. The sink must not change it. */
  bytes: Uint8Array;
}

/** Who is heard now, loudest first. */
export interface Speaker {
  identity: string;
  name: string;
}

/**
 * An output, as the programme sees it. Calls are synchronous, must return soon and must not throw; what takes time is queued by the sink,
 * within a named maximum. Sound and picture come interleaved, at most some 100 ms apart.
 */
export interface ProgrammeSink {
  onSound(block: SoundBlock): void;
  onPicture(unit: PictureUnit): void;
  /** Whoever speaks has changed. */
  onSpeakers?(speakers: readonly Speaker[]): void;
  /** Who publishes a microphone or a camera has changed. Of programmes of a whole room. */
  onPublishers?(publishers: readonly Speaker[]): void;
  /** The room is over, or the programme cannot go on; nothing comes after it. */
  onEnd?(): void;
}

/** What outputs hold. */
export interface Programme {
  readonly room: string;
  /** Somebody's picture is being shown now; false: sound only. May change at any time. */
  readonly hasPicture: boolean;
  /** Everybody who was in the room since the programme began. */
  readonly participants: readonly Speaker[];
  /** From capture to the sinks, milliseconds: by how much the programme lies behind. */
  readonly delayMs: number;
  /** A keyframe that is asked for now comes so many milliseconds of the programme later, where nothing is in its way. */
  readonly keyframeLeadMs: number;
  /** What is wrong with it and what to do, for people; empty while nothing is. */
  readonly problem: string;
  /** Gives everything from now on to `sink`, the picture from the next keyframe on, which is asked for. The returned function ends it. */
  add(sink: ProgrammeSink): () => void;
  /** Asks whose picture is shown for a keyframe soon; more often than each 500 ms does nothing. */
  requestKeyframe(): void;
}

/** A programme that is held until `release`, which may be called twice. */
export interface HeldProgramme<Held extends Programme = Programme> {
  programme: Held;
  release(): void;
}

/** A programme of a whole room, of which single participants can be had as well. */
export interface WholeProgramme extends Programme {
  /**
   * The programme of one participant's microphone and camera alone, on the same timeline: silence while it says nothing, publishes nothing or is
   * away, no picture while there is none. All who hold it share one.
   */
  holdParticipant(identity: string): HeldProgramme;
}
