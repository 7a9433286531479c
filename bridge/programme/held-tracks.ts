/** Tracks that the programmes of one room subscribe to, each once however many of them want it. */
import type { Participant } from "../../core/participant/participant-api.ts";

export interface HeldTracksOptions {
  /** Undefined while we are out of the room. */
  participant(): Participant | undefined;
  playoutDelayMs: number;
  onRefused(trackId: number, error: unknown): void;
}

export class HeldTracks {
  readonly #options: HeldTracksOptions;
  readonly #holders = new Map<number, number>();

  constructor(options: HeldTracksOptions) {
    this.#options = options;
  }

  /** `rendition`: of a picture, 0 = the largest; the first holder's counts. */
  hold(trackId: number, rendition: number): void {
    const holders = this.#holders.get(trackId) ?? 0;
    this.#holders.set(trackId, holders + 1);
    if (holders === 0) this.change(trackId, rendition);
  }

  /** Another rendition of a track that is held by one alone. */
  change(trackId: number, rendition: number): void {
    const { participant, playoutDelayMs, onRefused } = this.#options;
    participant()
      ?.subscribe(trackId, { rendition, playoutDelayMs })
      .catch((error: unknown) => onRefused(trackId, error));
  }

  release(trackId: number): void {
    const holders = this.#holders.get(trackId);
    if (holders === undefined) return;
    if (holders > 1) {
      this.#holders.set(trackId, holders - 1);
      return;
    }
    this.#holders.delete(trackId);
    // One that is gone cannot be unsubscribed from, and need not.
    void this.#options
      .participant()
      ?.unsubscribe(trackId)
      .catch(() => undefined);
  }

  /** The room was left and entered anew: all tracks are others. */
  reset(): void {
    this.#holders.clear();
  }
}
