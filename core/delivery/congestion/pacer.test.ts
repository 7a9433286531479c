import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../../test/sim/virtual-clock.ts";
import { MAX_PACED_DATAGRAMS } from "../../wire/limits.ts";
import { Pacer } from "./pacer.ts";

function setUp(rateBps: number | undefined) {
  const clock = new VirtualClock();
  const limit = { rateBps };
  const sent: { first: number; atMs: number }[] = [];
  const startUs = clock.nowUs();
  const sink = {
    sendPaced: (datagram: Uint8Array) => {
      sent.push({ first: datagram[0]!, atMs: (clock.nowUs() - startUs) / 1_000 });
    },
  };
  const pacer = new Pacer(clock, () => limit.rateBps);
  const push = (count: number, bytes = 1_000): number => {
    let taken = 0;
    for (let i = 0; i < count; i++) if (pacer.push(new Uint8Array(bytes).fill(i), sink)) taken++;
    return taken;
  };
  return { clock, limit, sent, sink, pacer, push };
}

describe("pacer", () => {
  it("holds nothing back where no limit is known", () => {
    const { sent, push } = setUp(undefined);
    push(100);
    expect(sent).toHaveLength(100);
  });

  it("spreads a picture a little faster than the rate, in order", async () => {
    const { clock, sent, push } = setUp(1_000_000);
    push(12);
    expect(sent.length).toBeLessThan(5);
    await clock.advance(200);
    expect(sent.map(({ first }) => first)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    // 12 datagrams of 8,000 bits at 1.3 Mb/s are 74 ms, less what the pacer catches up on.
    expect(sent.at(-1)!.atMs).toBeGreaterThan(40);
    expect(sent.at(-1)!.atMs).toBeLessThan(76);
  });

  it("sends a long queue faster, so that nothing waits much longer than three tenths of a second", async () => {
    const { clock, sent, push } = setUp(100_000);
    push(100);
    await clock.advance(2_000);
    expect(sent).toHaveLength(100);
    expect(sent[50]!.atMs).toBeLessThan(350);
  });

  it("lets all go when the limit is gone", async () => {
    const { clock, limit, sent, push } = setUp(200_000);
    push(20);
    limit.rateBps = undefined;
    await clock.advance(50);
    expect(sent).toHaveLength(20);
  });

  it("refuses more than its maximum", () => {
    const { pacer, push } = setUp(100_000);
    const taken = push(MAX_PACED_DATAGRAMS + 50);
    expect(taken).toBeLessThan(MAX_PACED_DATAGRAMS + 10);
    expect(pacer.queuedBytes).toBe(MAX_PACED_DATAGRAMS * 1_000);
  });

  it("takes back what waits for a track that was muted or ended", async () => {
    const { clock, sent, sink, pacer, push } = setUp(100_000);
    push(20);
    const before = sent.length;
    pacer.cancel(sink);
    await clock.advance(5_000);
    expect(sent).toHaveLength(before);
    expect(pacer.queuedBytes).toBe(0);
    pacer.end();
  });
});
