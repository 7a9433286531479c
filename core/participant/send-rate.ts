/**
 * What the link may carry as what the video encoders of this participant may make: sound comes first, and repair takes its part.
 * Says only what is news.
 */

/** Looked at this often. */
const INTERVAL_US = 250_000;
/** Smaller changes are no news, larger ones of an encoder cost quality. */
const NEWS_SHARE = 0.04;
/** Weight of a new measurement of sound and repair. */
const SMOOTHING = 1 / 4;
/** Headers, feedback and what encoders make too much. */
const RESERVE = 0.05;
const MIN_VIDEO_BPS = 30_000;

/** Bytes sent so far, datagram headers included. */
export interface SentBytes {
  audio: number;
  video: number;
  repair: number;
}

export class SendRate {
  #audioBps = 0;
  #repairShare = 0;
  #last: (SentBytes & { atUs: number }) | undefined;
  #toldBps: number | undefined;

  /**
   * Video bits a second when that is news, else undefined.
   * @param rateBps of the link; undefined while no limit is known
   */
  update(rateBps: number | undefined, sent: SentBytes, nowUs: number): number | undefined {
    const last = this.#last;
    if (last !== undefined && nowUs - last.atUs < INTERVAL_US) return undefined;
    this.#last = { ...sent, atUs: nowUs };
    if (last === undefined) return undefined;
    const seconds = (nowUs - last.atUs) / 1_000_000;
    // Tracks that end take their bytes with them.
    const audioBps = (Math.max(0, sent.audio - last.audio) * 8) / seconds;
    const media = Math.max(1, sent.audio - last.audio + sent.video - last.video);
    const share = Math.min(1, Math.max(0, sent.repair - last.repair) / media);
    this.#audioBps += (audioBps - this.#audioBps) * SMOOTHING;
    this.#repairShare += (share - this.#repairShare) * SMOOTHING;
    if (rateBps === undefined) return undefined;
    const mediaBps = (rateBps * (1 - RESERVE)) / (1 + this.#repairShare);
    const videoBps = Math.max(MIN_VIDEO_BPS, mediaBps - this.#audioBps);
    const told = this.#toldBps;
    if (told !== undefined && Math.abs(videoBps - told) < told * NEWS_SHARE) return undefined;
    this.#toldBps = videoBps;
    return Math.round(videoBps);
  }
}
