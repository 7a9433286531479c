/** A programme that a test plays: it hands over what it is told, in the order of time. */
import {
  BLOCK_SAMPLES,
  BLOCK_US,
  type PictureUnit,
  type Programme,
  type ProgrammeSink,
} from "../../bridge/programme/programme.ts";

export class PlayedProgramme implements Programme {
  readonly room = "played";
  readonly participants = [];
  hasPicture = true;
  delayMs = 100;
  keyframeLeadMs = 100;
  readonly problem = "";
  keyframeRequests = 0;
  /** Value of a sample of both channels, by its number since the first block; a tone of 440 Hz unless set. */
  wave: (sample: number) => number = (sample) => Math.sin((sample * 2 * Math.PI * 440) / 48_000) * 0.3;
  readonly #sinks = new Set<ProgrammeSink>();
  #blocks = 0;

  add(sink: ProgrammeSink): () => void {
    this.#sinks.add(sink);
    return () => void this.#sinks.delete(sink);
  }

  requestKeyframe(): void {
    this.keyframeRequests += 1;
  }

  sound(timeUs: number): void {
    const samples = new Float32Array(BLOCK_SAMPLES);
    for (let i = 0; i < BLOCK_SAMPLES; i++) samples[i] = this.wave(this.#blocks * BLOCK_SAMPLES + i);
    this.#blocks += 1;
    for (const sink of this.#sinks) sink.onSound({ timeUs, left: samples, right: samples });
  }

  picture(unit: PictureUnit): void {
    for (const sink of this.#sinks) sink.onPicture(unit);
  }

  /** Pictures and as much sound, from `startUs` on; `untilUs` where there is sound behind the pictures. Waits often enough for an encoder. */
  async play(pictures: readonly PictureUnit[], startUs: number, durationUs: number): Promise<void> {
    let next = 0;
    for (let atUs = 0; atUs < durationUs; atUs += BLOCK_US) {
      for (; next < pictures.length && pictures[next]!.decodeTimeUs < atUs + BLOCK_US; next++) {
        const unit = pictures[next]!;
        this.picture({
          ...unit,
          timeUs: unit.timeUs + startUs,
          decodeTimeUs: unit.decodeTimeUs + startUs,
        });
      }
      this.sound(startUs + atUs);
      await new Promise((resolve) => setTimeout(resolve, (atUs / BLOCK_US) % 8 === 0 ? 2 : 0));
    }
  }

  end(): void {
    for (const sink of [...this.#sinks]) sink.onEnd?.();
  }
}
