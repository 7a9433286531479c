/** How loud an audio track is, smoothed from the levels in its datagrams' headers (RFC 6464 values). */
import { AUDIO_LEVEL_SILENT } from "../core/wire/datagram.ts";

/** Weight of a new level when it is louder and when it is quieter: up within two frames, down within half a second. */
const ATTACK = 0.5;
const DECAY = 0.06;
/** A track that sends nothing for this long is silent. */
const SILENT_AFTER_US = 400_000;

export class AudioActivity {
  #level = AUDIO_LEVEL_SILENT;
  #heardUs = 0;

  push(level: number, nowUs: number): void {
    this.#level += (level - this.#level) * (level < this.#level ? ATTACK : DECAY);
    this.#heardUs = nowUs;
  }

  /** 0 loudest .. 127 silence. */
  level(nowUs: number): number {
    return nowUs - this.#heardUs > SILENT_AFTER_US ? AUDIO_LEVEL_SILENT : this.#level;
  }

  reset(): void {
    this.#level = AUDIO_LEVEL_SILENT;
  }
}
