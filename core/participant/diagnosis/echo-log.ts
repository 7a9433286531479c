/** Echoes that were asked for and came back: round trips, and their course over time for a picture. */

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

  timeline(): EchoMoment[] {
    const moments = new Map<number, number[]>();
    const asked = new Map<number, number>();
    for (const [id, askedUs] of this.#askedUs.entries()) {
      const moment = Math.floor((askedUs - this.#startUs) / 1000 / MOMENT_MS);
      const rttUs = this.#rttUs[id];
      asked.set(moment, (asked.get(moment) ?? 0) + 1);
      const rtts = moments.get(moment) ?? [];
      if (rttUs !== undefined) rtts.push(rttUs / 1000);
      moments.set(moment, rtts);
    }
    return [...moments].map(([moment, rttsMs]) => {
      const count = asked.get(moment) ?? 0;
      const middle = rttsMs.sort((a, b) => a - b)[rttsMs.length >> 1];
      return { atMs: moment * MOMENT_MS, rttMs: middle, asked: count, lost: count - rttsMs.length };
    });
  }
}
