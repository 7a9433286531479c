/**
 * Media parts of programmes: HLS and recording of one programme share the sound's encoder and the parts, for as long as one of them is
 * there. Parts with Opus are others than those with AAC.
 */
import type { PictureChoice } from "../../core/wire/bridge-jobs.ts";
import {
  openProgrammeParts,
  type ProgrammeParts,
  type ProgrammePartsOptions,
} from "../fmp4/programme-to-parts.ts";
import type { Programme } from "../programme/programme.ts";
import { openOpusEncoder } from "../sound/opus-encoder.ts";
import type { SoundEncoder, SoundEncoderOptions } from "../sound/sound-encoder.ts";

type WithoutPicture = ProgrammePartsOptions["withoutPicture"];

/** Opus of 96 kb/s is no worse than AAC of 128. */
const SOUND = {
  aac: { codec: "mp4a.40.2", bitrateBps: 128_000 },
  opus: { codec: "opus", bitrateBps: 96_000 },
} as const;
type SoundName = keyof typeof SOUND;

/** Parts that are held until `release`, which may be called twice. */
export interface HeldParts {
  parts: ProgrammeParts;
  release(): Promise<void>;
}

export interface SharedPartsOptions {
  openAac(options: SoundEncoderOptions): Promise<SoundEncoder>;
  log(line: string): void;
}

interface Shared {
  opened: Promise<ProgrammeParts>;
  holders: number;
}

export class SharedParts {
  readonly #options: SharedPartsOptions;
  readonly #shared = { aac: new Map<Programme, Shared>(), opus: new Map<Programme, Shared>() };

  constructor(options: SharedPartsOptions) {
    this.#options = options;
  }

  /** Rejects when the sound's encoder does not start. */
  async hold(programme: Programme, withoutPicture: WithoutPicture, sound: SoundName): Promise<HeldParts> {
    const shared = this.#shared[sound].get(programme) ?? this.#open(programme, withoutPicture, sound);
    shared.holders++;
    let isHeld = true;
    const release = async (): Promise<void> => {
      if (!isHeld) return;
      isHeld = false;
      if (--shared.holders > 0) return;
      this.#shared[sound].delete(programme);
      const parts = await shared.opened.catch(() => undefined);
      await parts?.close();
    };
    try {
      return { parts: await shared.opened, release };
    } catch (error) {
      await release();
      throw error;
    }
  }

  #open(programme: Programme, withoutPicture: WithoutPicture, sound: SoundName): Shared {
    const { openAac, log } = this.#options;
    const opened = openProgrammeParts({
      programme,
      openEncoder: sound === "opus" ? openOpusEncoder : openAac,
      ...SOUND[sound],
      withoutPicture,
      onProblem: (error) => log(`the sound of ${programme.room} is not encoded: ${error.message}`),
    });
    const shared: Shared = { opened, holders: 0 };
    this.#shared[sound].set(programme, shared);
    return shared;
  }
}

/** What players get of a programme of this choice while there is no picture. */
export function withoutPicture({ mode }: PictureChoice): WithoutPicture {
  return mode === "none" ? "sound" : "black";
}
