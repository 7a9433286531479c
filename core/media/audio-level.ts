/** How loud a frame of audio is, as the media header carries it (RFC 6464), and whether it sounds like speech. */
import { AUDIO_LEVEL_SILENT } from "../wire/datagram.ts";

/** Level of samples in [-1, 1]: 0 = full scale .. 127 = silence, in -dBov. */
export function audioLevelOf(samples: Float32Array): number {
  let energy = 0;
  for (let i = 0; i < samples.length; i++) energy += samples[i]! * samples[i]!;
  if (samples.length === 0 || energy === 0) return AUDIO_LEVEL_SILENT;
  const level = Math.round(-10 * Math.log10(energy / samples.length));
  return Math.min(AUDIO_LEVEL_SILENT, Math.max(0, level));
}

/** This much above the noise floor counts as speech. */
const ABOVE_FLOOR_DB = 12;
/** Nothing quieter is speech, whatever the floor. */
const QUIETEST_SPEECH = 55;
/** Frames that stay "voice" after the last loud one, so that word gaps do not flicker. */
const HANGOVER_FRAMES = 15;
/** How fast the floor rises, dB a frame; it falls at once. */
const FLOOR_RISE_DB = 0.05;

/** Follows the noise floor and says of each frame whether somebody speaks. */
export class VoiceDetector {
  #floor = AUDIO_LEVEL_SILENT;
  #hangover = 0;

  push(level: number): boolean {
    // Levels count downwards: a larger number is quieter.
    this.#floor = level > this.#floor ? level : Math.max(level, this.#floor - FLOOR_RISE_DB);
    const loud = level <= QUIETEST_SPEECH && this.#floor - level >= ABOVE_FLOOR_DB;
    if (loud) this.#hangover = HANGOVER_FRAMES;
    else if (this.#hangover > 0) this.#hangover--;
    return this.#hangover > 0;
  }
}
