/**
 * Who speaks in a room: loud enough for a moment, with hysteresis so that a pause between two words changes
 * nothing. The owner asks every SPEAKERS_INTERVAL_MS and sends what is news.
 */

export const SPEAKERS_INTERVAL_MS = 200;
/** Louder than this begins to speak; quieter than STOP_LEVEL, for HOLD_US, stops. In -dBov. */
const START_LEVEL = 42;
const STOP_LEVEL = 52;
const HOLD_US = 800_000;
/** Another loudest speaker is news only when louder by this. */
const PLACE_ADVANTAGE = 6;
const MAX_SPEAKERS = 16;

export interface Speaker {
  identity: string;
  /** 0 loudest .. 127 silence. */
  level: number;
}

export class ActiveSpeakers {
  /** Speaking identities -> when they were last loud. */
  readonly #loudUs = new Map<string, number>();
  #listed: string[] = [];
  /** The list as it was news last. */
  told: readonly Speaker[] = [];

  /** `levels`: the loudest audio track of each participant. Returns the list, loudest first, when it is news. */
  update(levels: ReadonlyMap<string, number>, nowUs: number): Speaker[] | undefined {
    for (const identity of this.#loudUs.keys()) {
      if (!levels.has(identity)) this.#loudUs.delete(identity);
    }
    for (const [identity, level] of levels) this.#consider(identity, level, nowUs);
    const levelOf = (identity: string): number => levels.get(identity)!;
    const speaking = [...this.#loudUs.keys()].sort((a, b) => levelOf(a) - levelOf(b) || (a < b ? -1 : 1));
    const listed = speaking.slice(0, MAX_SPEAKERS);
    if (!this.#isNews(listed, levelOf)) return undefined;
    this.#listed = listed;
    this.told = listed.map((identity) => ({ identity, level: Math.round(levelOf(identity)) }));
    return [...this.told];
  }

  #isNews(listed: readonly string[], levelOf: (identity: string) => number): boolean {
    if (listed.length !== this.#listed.length) return true;
    if (listed.some((identity) => !this.#listed.includes(identity))) return true;
    const [loudest] = listed;
    const [before] = this.#listed;
    if (loudest === undefined || before === undefined) return false;
    return levelOf(loudest) + PLACE_ADVANTAGE < levelOf(before);
  }

  #consider(identity: string, level: number, nowUs: number): void {
    const loudUs = this.#loudUs.get(identity);
    if (level <= (loudUs === undefined ? START_LEVEL : STOP_LEVEL)) this.#loudUs.set(identity, nowUs);
    else if (loudUs !== undefined && nowUs - loudUs > HOLD_US) this.#loudUs.delete(identity);
  }
}
