/** The sinks of a programme. Each gets sound from when it is added, and pictures from the next keyframe on. */
import type { PictureUnit, ProgrammeSink, SoundBlock, Speaker } from "./programme.ts";

interface Listed {
  sink: ProgrammeSink;
  seesPicture: boolean;
}

export class SinkList {
  readonly #listed = new Set<Listed>();

  /** The returned function takes it off. */
  add(sink: ProgrammeSink): () => void {
    const entry: Listed = { sink, seesPicture: false };
    this.#listed.add(entry);
    return () => void this.#listed.delete(entry);
  }

  onSound(block: SoundBlock): void {
    for (const { sink } of [...this.#listed]) sink.onSound(block);
  }

  onPicture(unit: PictureUnit): void {
    for (const entry of [...this.#listed]) {
      if (!entry.seesPicture && !unit.keyframe) continue;
      const isFirst = !entry.seesPicture;
      entry.seesPicture = true;
      entry.sink.onPicture(isFirst && !unit.switched ? { ...unit, switched: true } : unit);
    }
  }

  onSpeakers(speakers: readonly Speaker[]): void {
    for (const { sink } of [...this.#listed]) sink.onSpeakers?.(speakers);
  }

  onPublishers(publishers: readonly Speaker[]): void {
    for (const { sink } of [...this.#listed]) sink.onPublishers?.(publishers);
  }

  onEnd(): void {
    for (const { sink } of [...this.#listed]) sink.onEnd?.();
    this.#listed.clear();
  }
}
