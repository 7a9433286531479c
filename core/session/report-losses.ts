/**
 * What receiver reports tell of one direction of a hop, as its sender sees it: share lost, length of bursts, reordering.
 * Feeds the protection policy. docs/wire.md, "Feedback".
 */
import { LossEstimator } from "../delivery/recovery/loss-estimator.ts";
import { ARRIVAL_UNIT_US, NOT_ARRIVED, type ReceiverReport } from "../wire/receiver-report.ts";

/** How much of an earlier reordering is believed after the next report. */
const REORDER_DECAY = 0.97;
const MAX_REORDER_MS = 60;

export class ReportLosses {
  readonly estimator = new LossEstimator();
  reorderMs = 0;
  #highest = -1;
  #received = 0;

  /** `sentAtUs` tells when the datagram with a hop sequence was sent. */
  push(report: ReceiverReport, sentAtUs: (hopSequence: number) => number, nowUs: number): void {
    if (this.#highest < 0) {
      this.#highest = report.highestSequence;
      this.#received = report.receivedTotal;
      return;
    }
    const sent = ((report.highestSequence - this.#highest) << 16) >> 16;
    // Overtaken by a newer report.
    if (sent <= 0) return;
    const received = (report.receivedTotal - this.#received) | 0;
    this.#highest = report.highestSequence;
    this.#received = report.receivedTotal;
    this.estimator.count(sent - received, sent, nowUs);
    this.#measureReordering(report);
    this.#sample(report, sentAtUs);
  }

  #measureReordering({ arrivals, arrivalCount }: ReceiverReport): void {
    let earliestLater = NOT_ARRIVED;
    let latestMs = 0;
    for (let i = arrivalCount - 1; i >= 0; i--) {
      const arrival = arrivals[i]!;
      if (arrival === NOT_ARRIVED) continue;
      latestMs = Math.max(latestMs, ((arrival - earliestLater) * ARRIVAL_UNIT_US) / 1000);
      earliestLater = Math.min(earliestLater, arrival);
    }
    this.reorderMs = Math.min(MAX_REORDER_MS, Math.max(this.reorderMs * REORDER_DECAY, latestMs));
  }

  /** Those at the end of the list may still be under way when others have overtaken them. */
  #sample(report: ReceiverReport, sentAtUs: (hopSequence: number) => number): void {
    const { arrivals, arrivalCount, highestSequence } = report;
    const untilUs = sentAtUs(highestSequence) - this.reorderMs * 1000;
    for (let i = 0; i < arrivalCount; i++) {
      const sequence = (highestSequence - arrivalCount + 1 + i) & 0xffff;
      const sentUs = sentAtUs(sequence);
      if (sentUs <= untilUs) this.estimator.sample(arrivals[i] === NOT_ARRIVED, sentUs);
    }
  }
}
