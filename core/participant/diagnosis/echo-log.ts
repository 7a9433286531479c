/** Echoes that were asked for and came back: round trips, and their course over time for a picture. */
import { quantile } from "./quantile.ts";

/** One point of the picture is the echoes of this time. */
const MOMENT_MS = 100;

export interface EchoMoment {
  /** Since the measurement began. */
  atMs: number;
  /** Median of those that came back; undefined when none did. */
  rttMs: number | undefined;
  asked: number;
  lost: number;
}

export class EchoLog {
  readonly #startUs: number;
  readonly #latestUs: number;
  /** By id. */
  readonly #askedUs: number[] = [];
  readonly #rttUs: (number | undefined)[] = [];
  #received = 0;

  /** Answers later than `latestMs` count as lost. */
  constructor(startUs: number, latestMs: number) {
    this.#startUs = startUs;
    this.#latestUs = latestMs * 1000;
  }

  get sent(): number {
    return this.#askedUs.length;
  }

  get received(): number {
    return this.#received;
  }

  /** Returns the id of a new one. */
  ask(nowUs: number): number {
    return this.#askedUs.push(nowUs) - 1;
  }

  answer(id: number, nowUs: number): void {
    const askedUs = this.#askedUs[id];
    if (askedUs === undefined || this.#rttUs[id] !== undefined) return;
    if (nowUs - askedUs > this.#latestUs) return;
    this.#rttUs[id] = nowUs - askedUs;
    this.#received++;
  }

  get rttsMs(): number[] {
    return this.#rttUs.flatMap((rttUs) => (rttUs === undefined ? [] : [rttUs / 1000]));
  }

  /** Moments that have ended; who has not answered within the last one's time may still do so. */
  timeline(nowUs: number): EchoMoment[] {
    const moments: { rttsMs: number[]; asked: number }[] = [];
    const settledUs =
      nowUs - Math.min(this.#latestUs, 1000 * 2 * (quantile(this.rttsMs, 0.95) ?? 0) + MOMENT_MS * 1000);
    for (const [id, askedUs] of this.#askedUs.entries()) {
      const rttUs = this.#rttUs[id];
      if (rttUs === undefined && askedUs > settledUs) continue;
      const index = Math.floor((askedUs - this.#startUs) / 1000 / MOMENT_MS);
      moments[index] ??= { rttsMs: [], asked: 0 };
      const moment = moments[index];
      moment.asked++;
      if (rttUs !== undefined) moment.rttsMs.push(rttUs / 1000);
    }
    return moments.flatMap(({ rttsMs, asked }, index) => [
      { atMs: index * MOMENT_MS, rttMs: quantile(rttsMs, 0.5), asked, lost: asked - rttsMs.length },
    ]);
  }
}
