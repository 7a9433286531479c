/** What a sender has sent of one block on its hop, and what it has answered; the symbols are in the block history. */
import type { Importance } from "./protection-policy.ts";
import { SymbolMask } from "./symbol-mask.ts";

export class SentBlock {
  number = -1;
  /** Sources sent. */
  readonly sent = new SymbolMask();
  /** Those sent late or again, and when. */
  readonly late = new SymbolMask();
  lateUs = 0;
  firstUs = 0;
  /** When the one with the highest index was sent. */
  lastUs = 0;
  importance: Importance = "normal";
  ended = false;
  proactiveDone = false;
  repairsMade = 0;
  generation = 0;
  /** The deficit that the last answer was for, and when that was. */
  plannedFor = 0;
  plannedUs = 0;
  /** Repair symbols of the last two occasions, and when that was: they may still be on their way. */
  newerUs = 0;
  newerCount = 0;
  olderUs = 0;
  olderCount = 0;

  begin(number: number, nowUs: number): void {
    this.number = number;
    this.sent.clear();
    this.late.clear();
    this.lateUs = 0;
    this.firstUs = nowUs;
    this.lastUs = nowUs;
    this.importance = "discardable";
    this.ended = false;
    this.proactiveDone = false;
    this.repairsMade = 0;
    this.generation = 0;
    this.plannedFor = 0;
    this.plannedUs = Number.NEGATIVE_INFINITY;
    this.newerUs = Number.NEGATIVE_INFINITY;
    this.newerCount = 0;
    this.olderUs = Number.NEGATIVE_INFINITY;
    this.olderCount = 0;
  }

  /** Takes out of `mask` the sources sent after `sinceUs`, as if they had been evenly spaced. */
  removeNewer(mask: SymbolMask, sinceUs: number): void {
    const highest = this.sent.highest;
    for (let index = highest; index >= 0; index--) {
      const share = highest === 0 ? 1 : index / highest;
      if (this.firstUs + (this.lastUs - this.firstUs) * share <= sinceUs) return;
      mask.remove(index);
    }
  }

  noteRepairs(count: number, nowUs: number): void {
    if (nowUs !== this.newerUs) {
      this.olderUs = this.newerUs;
      this.olderCount = this.newerCount;
      this.newerUs = nowUs;
      this.newerCount = 0;
    }
    this.newerCount += count;
  }

  repairsSince(sinceUs: number): number {
    return (this.newerUs > sinceUs ? this.newerCount : 0) + (this.olderUs > sinceUs ? this.olderCount : 0);
  }
}
