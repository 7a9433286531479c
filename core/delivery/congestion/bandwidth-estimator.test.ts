import { describe, expect, it } from "vitest";
import { ARRIVAL_UNIT_US, emptyReceiverReport, NOT_ARRIVED } from "../../wire/receiver-report.ts";
import { BandwidthEstimator } from "./bandwidth-estimator.ts";

const REPORT_MS = 50;
const PER_REPORT = 5;
const BYTES = 1_000;
/** What is sent: 5 datagrams of 1000 B each 50 ms. */
const SENT_BPS = (PER_REPORT * BYTES * 8 * 1_000) / REPORT_MS;
/** Receiver's clock minus the sender's, so that a wrap of 2^32 us lies within the run. */
const SKEW_US = 0x1_0000_0000 - 3_000_000;

interface Road {
  queueMs: number;
  /** Datagrams of this report; PER_REPORT if it does not say. */
  sent?: number;
  /** Of each report's datagrams, the first so many are lost. */
  lost?: number;
}

/** Reports of a stream whose road is what `roadAt` says; `first` is the first hop sequence. */
function run(
  estimator: BandwidthEstimator,
  reports: number,
  first: number,
  roadAt: (report: number) => Road,
): void {
  const report = emptyReceiverReport();
  let received = 0;
  let highest = first - 1;
  for (let number = 0; number < reports; number++) {
    const { queueMs, lost = 0, sent = PER_REPORT } = roadAt(number);
    const nowUs = (number + 1) * REPORT_MS * 1_000;
    report.arrivalCount = sent;
    highest += sent;
    report.highestSequence = highest & 0xffff;
    const sentUs = (hopSequence: number): number =>
      nowUs - 40_000 + 1_000 * (((hopSequence - report.highestSequence) << 16) >> 16);
    const baseUs = nowUs - 60_000 + queueMs * 1_000 + SKEW_US;
    report.arrivalBaseUs = baseUs % 0x1_0000_0000;
    for (let i = 0; i < sent; i++) {
      const atUs = sentUs(report.highestSequence - sent + 1 + i) + 20_000 + queueMs * 1_000 + SKEW_US;
      report.arrivals[i] = i < lost ? NOT_ARRIVED : Math.round((atUs - baseUs) / ARRIVAL_UNIT_US);
    }
    received += sent - lost;
    report.receivedTotal = received;
    report.receivedBytesTotal = received * BYTES;
    estimator.push(report, sentUs, 40, nowUs);
  }
}

describe.each([0, 0x7ff0, 0xfff0])("bandwidth estimator from hop sequence %i", (first) => {
  it("knows no limit while nothing waits", () => {
    const estimator = new BandwidthEstimator();
    run(estimator, 100, first, () => ({ queueMs: 0 }));
    expect(estimator.rateBps).toBeUndefined();
    expect(estimator.state).toBe("free");
    expect(estimator.receivedBps).toBeCloseTo(SENT_BPS, -3);
  });

  it("goes below what comes through when a queue stands", () => {
    const estimator = new BandwidthEstimator();
    run(estimator, 60, first, (report) => ({ queueMs: report < 20 ? 0 : 100 }));
    expect(estimator.state).toBe("congested");
    expect(estimator.rateBps).toBeLessThan(SENT_BPS * 0.9);
    expect(estimator.queueMs).toBeCloseTo(100, 0);
  });

  it("takes a road that became longer for what it is, and goes on as before", () => {
    const estimator = new BandwidthEstimator();
    const obeying = (): number =>
      Math.round((Math.min(SENT_BPS, estimator.rateBps ?? SENT_BPS) / SENT_BPS) * PER_REPORT * 4) / 4;
    let owed = 0;
    let least = Number.POSITIVE_INFINITY;
    run(estimator, 160, first, (report) => {
      owed += obeying();
      const sent = Math.floor(owed);
      owed -= sent;
      least = Math.min(least, estimator.rateBps ?? SENT_BPS);
      return { queueMs: report < 60 ? 0 : 40, sent };
    });
    expect(least).toBeLessThan(SENT_BPS);
    expect(least).toBeGreaterThan(SENT_BPS * 0.5);
    expect(estimator.state).toBe("free");
    // Not undefined again: whoever was told to send less hears that it is over.
    expect(estimator.rateBps).toBeGreaterThanOrEqual(SENT_BPS);
  });

  it("does not take a queue that others fill for one, while as much comes through", () => {
    const estimator = new BandwidthEstimator();
    run(estimator, 160, first, (report) => ({ queueMs: report < 60 ? 0 : 200 }));
    expect(estimator.state).toBe("congested");
    expect(estimator.rateBps).toBeLessThan(SENT_BPS * 0.9);
  });

  it("takes a peak for no queue", () => {
    const estimator = new BandwidthEstimator();
    run(estimator, 100, first, (report) => ({ queueMs: report % 4 === 0 ? 200 : 0 }));
    expect(estimator.decreases).toBe(0);
  });

  it("grows again, past the old limit, when the queue is gone", () => {
    const estimator = new BandwidthEstimator();
    run(estimator, 600, first, (report) => ({ queueMs: report >= 20 && report < 30 ? 100 : 0 }));
    expect(estimator.decreases).toBeGreaterThan(0);
    expect(estimator.rateBps).toBeGreaterThan(SENT_BPS * 1.3);
  });

  it("finds out that a lower rate does not help against loss by chance", () => {
    const estimator = new BandwidthEstimator();
    run(estimator, 400, first, () => ({ queueMs: 0, lost: 2 }));
    expect(estimator.decreases).toBe(1);
    expect(estimator.rateBps).toBeGreaterThan(SENT_BPS * 10);
  });

  it("keeps the lower rate when it took the loss away", () => {
    const estimator = new BandwidthEstimator();
    run(estimator, 120, first, () => ({ queueMs: 0, lost: estimator.decreases > 0 ? 0 : 2 }));
    expect(estimator.decreases).toBe(1);
    expect(estimator.rateBps).toBeLessThan(SENT_BPS * 1.6);
  });
});
