/** Media parts of programmes: HLS and recording of one programme share the sound's encoder and the parts, for as long as one of them is there. */
import type { PictureChoice } from "../../core/wire/bridge-jobs.ts";
import {
  openProgrammeParts,
  type ProgrammeParts,
  type ProgrammePartsOptions,
} from "../fmp4/programme-to-parts.ts";
import type { Programme } from "../programme/programme.ts";
import type { SoundEncoder, SoundEncoderOptions } from "../sound/sound-encoder.ts";

type WithoutPicture = ProgrammePartsOptions["withoutPicture"];

const BITRATE_BPS = 128_000;

/** Parts that are held until `release`, which may be called twice. */
export interface HeldParts {
  parts: ProgrammeParts;
  release(): Promise<void>;
}

export interface SharedPartsOptions {
  openEncoder(options: SoundEncoderOptions): Promise<SoundEncoder>;
  log(line: string): void;
}

interface Shared {
  opened: Promise<ProgrammeParts>;
  holders: number;
}

export class SharedParts {
  readonly #options: SharedPartsOptions;
  readonly #shared = new Map<Programme, Shared>();

  constructor(options: SharedPartsOptions) {
    this.#options = options;
  }

  /** Rejects when the sound's encoder does not start. */
  async hold(programme: Programme, withoutPicture: WithoutPicture): Promise<HeldParts> {
    const shared = this.#shared.get(programme) ?? this.#open(programme, withoutPicture);
    shared.holders++;
    let isHeld = true;
    const release = async (): Promise<void> => {
      if (!isHeld) return;
      isHeld = false;
      if (--shared.holders > 0) return;
      this.#shared.delete(programme);
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

  #open(programme: Programme, withoutPicture: WithoutPicture): Shared {
    const { openEncoder, log } = this.#options;
    const opened = openProgrammeParts({
      programme,
      openEncoder,
      codec: "mp4a.40.2",
      bitrateBps: BITRATE_BPS,
      withoutPicture,
      onProblem: (error) => log(`the sound of ${programme.room} is not encoded: ${error.message}`),
    });
    const shared: Shared = { opened, holders: 0 };
    this.#shared.set(programme, shared);
    return shared;
  }
}

/** What players get of a programme of this choice while there is no picture. */
export function withoutPicture({ mode }: PictureChoice): WithoutPicture {
  return mode === "none" ? "sound" : "black";
}
