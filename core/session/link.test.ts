import { describe, expect, it } from "vitest";
import type { Clock } from "../clock.ts";
import { DATAGRAM_FEEDBACK, DATAGRAM_MEDIA, HOP_HEADER_BYTES, MEDIA_HEADER_BYTES } from "../wire/datagram.ts";
import { MAX_LINK_OUTSTANDING_BYTES, MAX_RELIABLE_WAIT_MS } from "../wire/limits.ts";
import { Link } from "./link.ts";
import { emptyCounters, type Session } from "./session.ts";

/** A hand-driven clock and a session that records what it is given. */
function hop(firstSequence: number, headroom = 1, isReliable = false) {
  const time = { us: 1_000_000 };
  const clock: Clock = { nowUs: () => time.us, after: () => ({ cancel: () => undefined }) };
  const sent: Uint8Array[] = [];
  const session: Session = {
    id: "test",
    remoteAddress: "",
    path: "/",
    datagramHeadroom: headroom,
    maxDatagramBytes: 1200,
    keepsDatagramBuffer: false,
    isReliable,
    sendDatagram: (buffer) => {
      sent.push(buffer.slice(headroom));
      return undefined;
    },
    onDatagram: () => undefined,
    openStream: () => Promise.reject(new Error("no streams here")),
    onStream: () => undefined,
    close: () => undefined,
    closed: new Promise(() => undefined),
    counters: emptyCounters(),
  };
  const got: Uint8Array[] = [];
  const link = new Link(session, clock, firstSequence, { onMedia: (datagram) => got.push(datagram.slice()) });
  return { time, sent, session, link, got };
}

/** A media datagram with a valid header; `mark` is its payload. */
function media(mark: number, bytes = 100): Uint8Array {
  const datagram = new Uint8Array(HOP_HEADER_BYTES + MEDIA_HEADER_BYTES + bytes).fill(mark, 34);
  datagram[HOP_HEADER_BYTES + 19] = 1;
  return datagram;
}

describe.each([0, 65_530, 65_535])("two ends of a hop, first sequence %i", (first) => {
  /** Sends `count` datagrams of A to B `oneWayMs` later, losing those in `lost`, then B's report back. */
  function exchange(count: number, lost: number[], oneWayMs: number) {
    const a = hop(first);
    const b = hop(7);
    for (let i = 0; i < count; i++) {
      a.link.send(DATAGRAM_MEDIA, media(i), HOP_HEADER_BYTES, false);
      a.time.us += 2000;
    }
    b.time.us = a.time.us + oneWayMs * 1000;
    a.sent.forEach((datagram, i) => {
      if (!lost.includes(i)) b.session.onDatagram(datagram);
    });
    b.time.us += 5000;
    b.link.tick();
    const report = b.sent.find((datagram) => datagram[0] === DATAGRAM_FEEDBACK)!;
    a.time.us = b.time.us + oneWayMs * 1000;
    a.session.onDatagram(report);
    return { a, b };
  }

  it("forward the body unchanged behind a fresh hop header", () => {
    const { a, b } = exchange(20, [], 10);
    expect(b.got.map((d) => d[40])).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(b.got[3]!.subarray(HOP_HEADER_BYTES)).toEqual(media(3).subarray(HOP_HEADER_BYTES));
    expect(a.link.stats().datagramsSent).toBe(20);
  });

  it("measure RTT without the time that the report waited", () => {
    const { a } = exchange(20, [], 40);
    // The newest datagram left 2 ms before the clock stood still.
    expect(a.link.stats().rttMs).toBeCloseTo(82, 3);
  });

  it("measure loss and what is outstanding", () => {
    const { a, b } = exchange(20, [4, 5, 11], 10);
    expect(a.link.stats().datagramsLostOutbound).toBe(3);
    expect(b.link.stats().datagramsLostInbound).toBe(3);
    expect(a.link.stats().outstandingBytes).toBe(0);
    const tail = exchange(20, [18, 19], 10);
    expect(tail.a.link.stats().outstandingBytes).toBe(2 * (34 + 100));
  });
});

describe("a hop's bounds", () => {
  it("drops spare media first when nothing is reported back", () => {
    const { link } = hop(0);
    let spareRefused = 0;
    while (spareRefused === 0) {
      if (link.send(DATAGRAM_MEDIA, media(0, 900), HOP_HEADER_BYTES, true) === "link-congested")
        spareRefused++;
    }
    expect(link.stats().outstandingBytes).toBeGreaterThan(MAX_LINK_OUTSTANDING_BYTES);
    expect(link.send(DATAGRAM_MEDIA, media(0), HOP_HEADER_BYTES, false)).toBeUndefined();
    expect(link.stats().dropped["link-congested"]).toBe(1);
  });

  it("adds nothing over TCP to what is held up: pictures first, sound later, and all again once it is reported", () => {
    const { time, link, session, sent } = hop(0, 1, true);
    const other = hop(7, 1, true);
    const send = (spare: boolean) => link.send(DATAGRAM_MEDIA, media(0, 900), HOP_HEADER_BYTES, spare);
    for (let i = 0; i < 10; i++) expect(send(true)).toBeUndefined();
    time.us += (MAX_RELIABLE_WAIT_MS + 1) * 1000;
    expect(send(true)).toBe("link-congested");
    expect(send(false)).toBeUndefined();
    time.us += MAX_RELIABLE_WAIT_MS * 1000;
    expect(send(false)).toBe("link-congested");
    for (const datagram of sent) other.session.onDatagram(datagram);
    other.time.us = time.us;
    other.link.tick();
    session.onDatagram(other.sent.find(([kind]) => kind === DATAGRAM_FEEDBACK)!);
    expect(send(true)).toBeUndefined();
  });

  it("drops and names what is no datagram of ours, a duplicate, and a report about nothing sent", () => {
    const { link, session, got } = hop(0);
    const valid = media(1);
    valid[0] = DATAGRAM_MEDIA;
    session.onDatagram(valid);
    session.onDatagram(valid);
    session.onDatagram(new Uint8Array(3));
    session.onDatagram(Uint8Array.of(0x2f, 0, 0, 0, 0, 0, 0, 0));
    session.onDatagram(Uint8Array.of(0x1f, 0, 0, 1, 0, 0, 0, 0));
    expect(got.length).toBe(1);
    const other = hop(3);
    other.session.onDatagram(valid);
    other.link.tick();
    session.onDatagram(other.sent[0]!);
    expect(link.stats().receiveDropped).toEqual({
      "too-short": 1,
      oversized: 0,
      "unknown-version": 1,
      "unknown-kind": 1,
      malformed: 1,
      duplicate: 1,
      stale: 0,
    });
  });

  it("refuses a datagram over the session's limit", () => {
    const { link, sent } = hop(0);
    expect(link.send(DATAGRAM_MEDIA, media(0, 1300), HOP_HEADER_BYTES, false)).toBe("oversized");
    expect(sent.length).toBe(0);
  });

  it("sends a probe after 200 ms of silence, and reports nothing when nothing came", () => {
    const { link, sent, time } = hop(0);
    link.tick();
    time.us += 150_000;
    link.tick();
    expect(sent.length).toBe(1);
    time.us += 60_000;
    link.tick();
    expect(sent.map((d) => d[0])).toEqual([0x13, 0x13]);
  });
});

describe("a hop on which only one side sends media", () => {
  /** Ticks both ends every 50 ms; what `loses` names is lost on the way. A sends one media datagram a tick. */
  function run(seconds: number, loses: (from: "a" | "b", atMs: number) => boolean) {
    const a = hop(1);
    const b = hop(2);
    for (let atMs = 0; atMs < seconds * 1000; atMs += 50) {
      a.time.us += 50_000;
      b.time.us += 50_000;
      for (let i = 0; i < 8; i++) a.link.send(DATAGRAM_MEDIA, media(1, 1000), HOP_HEADER_BYTES, true);
      for (const datagram of a.sent.splice(0)) if (!loses("a", atMs)) b.session.onDatagram(datagram);
      a.link.tick();
      b.link.tick();
      for (const datagram of b.sent.splice(0)) if (!loses("b", atMs)) a.session.onDatagram(datagram);
      for (const datagram of a.sent.splice(0)) if (!loses("a", atMs)) b.session.onDatagram(datagram);
    }
    return { a, b };
  }

  it("keeps the other side's feedback accounted for, however long it lasts", () => {
    const { a, b } = run(1_200, () => false);
    expect(b.link.stats().datagramsSent).toBeGreaterThan(5_000);
    expect(b.link.stats().outstandingBytes).toBeLessThan(2_000);
    expect(b.link.stats().rttMs).toBeDefined();
    expect(a.link.stats().dropped["link-congested"]).toBe(0);
  });

  it("sends again after an outage that filled it", () => {
    const { a, b } = run(60, (_, atMs) => atMs > 10_000 && atMs < 30_000);
    expect(a.link.stats().dropped["link-congested"]).toBeGreaterThan(0);
    const heard = b.got.length;
    expect(heard).toBeGreaterThan(8 * 20 * 35);
    expect(a.link.stats().outstandingBytes).toBeLessThan(MAX_LINK_OUTSTANDING_BYTES / 10);
  });
});
