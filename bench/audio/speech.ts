/**
 * Sound with the structure of speech, made up so that nothing need be downloaded: a glottal pulse train with moving
 * pitch through moving formants, hissed consonants, and pauses with a quiet room behind. Same seed, same sound.
 */
import { seededRandom } from "../../test/sim/seeded-random.ts";

export const SPEECH_RATE_HZ = 48_000;
/** First three formants of five vowels, Hz (Peterson and Barney, rounded). */
const VOWELS = [
  [730, 1_090, 2_440],
  [530, 1_840, 2_480],
  [270, 2_290, 3_010],
  [570, 840, 2_410],
  [300, 870, 2_240],
] as const;
const BANDWIDTHS_HZ = [80, 100, 140] as const;
const ROOM_LEVEL = 0.0008;
const SMOOTHING = 1 / 1_200;

/** A two-pole resonator whose frequency may move. */
class Resonator {
  #a = 0;
  #b = 0;
  #gain = 0;
  #last = 0;
  #before = 0;

  tune(frequencyHz: number, bandwidthHz: number): void {
    const radius = Math.exp((-Math.PI * bandwidthHz) / SPEECH_RATE_HZ);
    this.#a = 2 * radius * Math.cos((2 * Math.PI * frequencyHz) / SPEECH_RATE_HZ);
    this.#b = -radius * radius;
    this.#gain = 1 - this.#a - this.#b;
  }

  push(input: number): number {
    const output = this.#gain * input + this.#a * this.#last + this.#b * this.#before;
    this.#before = this.#last;
    this.#last = output;
    return output;
  }
}

interface Sounding {
  samples: number;
  /** 0..1 each. */
  voiced: number;
  hissed: number;
  vowel: readonly number[];
  pitchHz: number;
}

/** `seconds` of it as mono samples at 48 kHz, peak about 0.5. */
export function synthesiseSpeech(seconds: number, seed: number): Float32Array {
  const random = seededRandom(seed);
  const out = new Float32Array(Math.round(seconds * SPEECH_RATE_HZ));
  const formants = BANDWIDTHS_HZ.map(() => new Resonator());
  const hiss = new Resonator();
  hiss.tune(4_500, 2_000);
  const speakerHz = 95 + random() * 110;
  const frequencies = [500, 1_500, 2_500];
  let phase = 0;
  let pitchHz = speakerHz;
  let voiced = 0;
  let hissed = 0;
  let at = 0;
  while (at < out.length) {
    const part = nextSounding(random, speakerHz);
    for (let i = 0; i < part.samples && at < out.length; i++, at++) {
      voiced += (part.voiced - voiced) * SMOOTHING;
      hissed += (part.hissed - hissed) * SMOOTHING;
      pitchHz += (part.pitchHz - pitchHz) * SMOOTHING * 0.2;
      if (at % 48 === 0) {
        formants.forEach((formant, n) => {
          frequencies[n]! += (part.vowel[n]! - frequencies[n]!) * 0.03;
          formant.tune(frequencies[n]!, BANDWIDTHS_HZ[n]!);
        });
      }
      phase = (phase + pitchHz / SPEECH_RATE_HZ) % 1;
      // Opening slowly, closing fast (after Rosenberg), with a little breath.
      const glottis =
        phase < 0.4
          ? 3 * (phase / 0.4) ** 2 - 2 * (phase / 0.4) ** 3
          : phase < 0.56
            ? 1 - ((phase - 0.4) / 0.16) ** 2
            : 0;
      const source = voiced * (glottis - 0.35 + 0.03 * (random() - 0.5));
      let throat = 0;
      for (const formant of formants) throat += formant.push(source);
      out[at] = 0.22 * throat + 0.5 * hiss.push(hissed * (random() - 0.5)) + ROOM_LEVEL * (random() - 0.5);
    }
  }
  return out;
}

function nextSounding(random: () => number, speakerHz: number): Sounding {
  const kind = random();
  const vowel = VOWELS[Math.floor(random() * VOWELS.length)]!;
  const pitchHz = speakerHz * (0.85 + 0.35 * random());
  const lasting = (leastMs: number, mostMs: number) =>
    Math.round((leastMs + random() * (mostMs - leastMs)) * 48);
  if (kind < 0.12) return { samples: lasting(200, 700), voiced: 0, hissed: 0, vowel, pitchHz };
  if (kind < 0.35) return { samples: lasting(50, 130), voiced: 0, hissed: 0.5, vowel, pitchHz };
  if (kind < 0.45) return { samples: lasting(30, 70), voiced: 0.05, hissed: 0, vowel, pitchHz };
  return { samples: lasting(80, 260), voiced: 0.6 + 0.4 * random(), hissed: 0.02, vowel, pitchHz };
}
