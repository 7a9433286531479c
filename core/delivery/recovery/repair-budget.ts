/**
 * Repair bytes that a link may send: earned by the media bytes that it sends, so that repair can never be more than a share of
 * them, with a reserve that only the important may touch. On a congested hop repair fills the queue further: the share is small then.
 */

/** Repair at most this share of media. */
const FULL_SHARE = 0.6;
const CONGESTED_SHARE = 0.1;
/** Media of a few pictures: what may be sent in answer to one long burst. */
const BURST_BYTES = 96 * 1024;
/** The same while the hop is congested: what a growing queue holds up seems lost, and is not. */
const CONGESTED_BURST_BYTES = 8 * 1024;
/** The last part of it is for keyframes, base layers and audio. */
const RESERVE_SHARE = 0.3;

export class RepairBudget {
  #bytes = BURST_BYTES;
  /** Kept up to date by the owner. */
  congested = false;

  get #mostBytes(): number {
    return this.congested ? CONGESTED_BURST_BYTES : BURST_BYTES;
  }

  earn(mediaBytes: number): void {
    const share = this.congested ? CONGESTED_SHARE : FULL_SHARE;
    this.#bytes = Math.min(this.#mostBytes, this.#bytes + mediaBytes * share);
  }

  /** Takes so many bytes, or nothing and returns false. */
  take(bytes: number, important: boolean): boolean {
    const floor = important ? 0 : this.#mostBytes * RESERVE_SHARE;
    if (this.#bytes - bytes < floor) return false;
    this.#bytes -= bytes;
    return true;
  }
}
