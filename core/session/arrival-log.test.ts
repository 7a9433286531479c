import { describe, expect, it } from "vitest";
import { emptyReceiverReport, NOT_ARRIVED } from "../wire/receiver-report.ts";
import { ArrivalLog } from "./arrival-log.ts";

describe.each([0, 1, 2047, 32_767, 65_530, 65_535])("arrivals from hop sequence %i on", (first) => {
  const at = (i: number): number => (first + i) & 0xffff;

  it("counts loss, and takes a late datagram back out of it", () => {
    const log = new ArrivalLog();
    for (const i of [0, 1, 3, 4, 6]) log.push(at(i), i * 1000, 100, 1_000_000 + i * 1000);
    expect(log.lost).toBe(2);
    log.push(at(2), 2000, 100, 1_010_000);
    expect(log.lost).toBe(1);
    expect(log.received).toBe(6);
    expect(log.receivedBytes).toBe(600);
  });

  it("knows a duplicate", () => {
    const log = new ArrivalLog();
    expect(log.push(at(0), 0, 100, 1)).toBeUndefined();
    expect(log.push(at(0), 0, 100, 2)).toBe("duplicate");
    expect(log.received).toBe(1);
  });

  it("ignores what is too old to be told from a duplicate", () => {
    const log = new ArrivalLog();
    for (let i = 0; i < 5000; i++) log.push(at(i), 0, 100, 1);
    expect(log.push(at(10), 0, 100, 2)).toBe("stale");
    expect(log.received).toBe(5000);
  });

  it("lists each sequence once over successive reports", () => {
    const log = new ArrivalLog();
    const report = emptyReceiverReport();
    for (const i of [0, 2]) log.push(at(i), i * 1000, 100, 5_000_000 + i * 6400);
    expect(log.report(5_020_000, report)).toBe(true);
    expect(report.highestSequence).toBe(at(2));
    expect([...report.arrivals.subarray(0, report.arrivalCount)]).toEqual([0, NOT_ARRIVED, 200]);
    expect(report.echoSendTimeUs).toBe(2000);
    expect(report.echoDelayUs).toBe(20_000 - 12_800);
    log.push(at(3), 3000, 100, 5_030_000);
    log.report(5_040_000, report);
    expect([...report.arrivals.subarray(0, report.arrivalCount)]).toEqual([0]);
  });

  it("measures jitter as RFC 3550 does", () => {
    const log = new ArrivalLog();
    for (let i = 0; i < 500; i++) log.push(at(i), i * 10_000, 100, 1_000_000 + i * 10_000 + (i % 2) * 4000);
    expect(log.jitterMs).toBeGreaterThan(3.5);
    expect(log.jitterMs).toBeLessThan(4.5);
  });
});

it("reports nothing before anything arrived", () => {
  expect(new ArrivalLog().report(0, emptyReceiverReport())).toBe(false);
});
