/** Repair sender and block receiver together, datagram by datagram; long because all cases share the two ends. */
import { describe, expect, it } from "vitest";
import {
  DATAGRAM_MEDIA,
  datagramFault,
  FLAG_BLOCK_END,
  HOP_HEADER_BYTES,
  mediaBlockOf,
  mediaFlagsOf,
  mediaSymbolOf,
  writeHopHeader,
} from "../../wire/datagram.ts";
import { MAX_HISTORY_BLOCKS } from "../../wire/limits.ts";
import { NACK_NEEDS_ALL, type Nack } from "../../wire/nack.ts";
import { Packetizer } from "../packetizer.ts";
import { BlockPool } from "../reed-solomon/block-pool.ts";
import { BlockHistory } from "./block-history.ts";
import { BlockReceiver } from "./block-receiver.ts";
import { RepairBudget } from "./repair-budget.ts";
import { RepairSender } from "./repair-sender.ts";

const TRACK = 9;
const START_US = 1_785_000_000_000_000;

class Hop {
  readonly pool = new BlockPool({ capacity: 2_000, kernel: "tables" });
  readonly sentHistory = new BlockHistory(this.pool);
  readonly receivedHistory = new BlockHistory(this.pool);
  readonly conditions = { loss: 0.01, burstMs: 0, rttMs: 40, reorderMs: 0 };
  readonly hop = { conditions: this.conditions, holesSeen: 0, isReliable: false, isSpent: false };
  readonly repairs: Uint8Array[] = [];
  readonly out: Uint8Array[] = [];
  /** Of each of them, whether its block was whole when it came out. */
  readonly wholeWhenOut: boolean[] = [];
  readonly nacks: Nack[] = [];
  nowUs = START_US;
  readonly sender = new RepairSender(
    {
      trackId: TRACK,
      rendition: 0,
      history: this.sentHistory,
      hop: this.conditions,
      budget: new RepairBudget(),
      send: (kind, body) => {
        const datagram = new Uint8Array(HOP_HEADER_BYTES + body.length);
        writeHopHeader(datagram, 0, kind, 0, 0);
        datagram.set(body, HOP_HEADER_BYTES);
        this.repairs.push(datagram);
        return true;
      },
      isPicture: false,
    },
    200,
  );
  readonly receiver: BlockReceiver;
  readonly #packetizer = new Packetizer(TRACK);

  constructor(isPicture = false) {
    this.receiver = new BlockReceiver(
      {
        trackId: TRACK,
        rendition: 0,
        history: this.receivedHistory,
        hop: this.hop,
        isPicture,
        emit: (datagram) => {
          this.out.push(datagram.slice());
          this.wholeWhenOut.push(this.receivedHistory.find(mediaBlockOf(datagram))?.isComplete === true);
        },
      },
      200,
    );
  }

  /** Sends a unit of `count` datagrams; those for which `isLost` says so do not arrive. Returns all of them. */
  unit(frameId: number, count: number, isLost: (index: number) => boolean = () => false): Uint8Array[] {
    const all: Uint8Array[] = [];
    const unit = {
      frameId,
      captureTimeUs: this.nowUs,
      keyframe: false,
      discardable: false,
      temporalLayer: 0,
      reference: 1,
      rendition: 0,
      audioLevel: 127,
      voice: false,
      encrypted: false,
      bytes: Uint8Array.from({ length: count * 900 - 7 }, (_, i) => (i * frameId + i) & 0xff),
    };
    this.#packetizer.push(unit, 934, false, (view) => {
      const datagram = view.slice();
      writeHopHeader(datagram, 0, DATAGRAM_MEDIA, 0, 0);
      const block = mediaBlockOf(datagram);
      const symbol = mediaSymbolOf(datagram);
      this.sentHistory.addSource(block, symbol, datagram, HOP_HEADER_BYTES, this.nowUs);
      if ((mediaFlagsOf(datagram) & FLAG_BLOCK_END) !== 0)
        this.sentHistory.find(block)!.setSourceCount(symbol + 1);
      this.sender.onSent(block, symbol, mediaFlagsOf(datagram), datagram.length, this.nowUs);
      all.push(datagram);
    });
    for (const [index, datagram] of all.entries()) {
      if (isLost(index)) this.hop.holesSeen++;
      else this.receiver.pushMedia(datagram, this.nowUs);
    }
    return all;
  }

  /** Lets time pass in steps of 1 ms; NACKs are collected. */
  pass(milliseconds: number): void {
    for (let n = 0; n < milliseconds; n++) {
      this.nowUs += 1_000;
      this.receiver.poll(this.nowUs, (nack) => this.nacks.push({ ...nack, held: nack.held.slice() }));
      this.sender.poll(this.nowUs);
    }
  }

  /** What has come out, hop headers aside, in the order of frames and fragments. */
  get parts(): string[] {
    return this.out
      .map((datagram) => Buffer.from(datagram.subarray(HOP_HEADER_BYTES)).toString("hex"))
      .sort();
  }
}

function hexOf(datagrams: readonly Uint8Array[]): string[] {
  return datagrams.map((d) => Buffer.from(d.subarray(HOP_HEADER_BYTES)).toString("hex")).sort();
}

describe("a probe", () => {
  it("is a repair symbol of the newest block, and brings back what was lost of it", () => {
    const hop = new Hop();
    expect(hop.sender.probe(hop.nowUs)).toBe(0);
    const sent = hop.unit(1, 8, (index) => index === 3 || index === 5);
    const bytes = [1, 2, 3, 4].map(() => hop.sender.probe(hop.nowUs));
    expect(bytes.slice(0, 3).every((count) => count > 900)).toBe(true);
    expect(bytes[3]).toBe(0);
    expect(hop.sender.counters).toMatchObject({ repairsSent: 0, bytes: 0 });
    for (const repair of hop.repairs) hop.receiver.pushRepair(repair, hop.nowUs);
    expect(hop.parts).toEqual(hexOf(sent));
  });
});

describe("a block", () => {
  it("is whole when its last datagram is passed on, so that the hops behind can protect it", () => {
    const hop = new Hop();
    hop.unit(1, 8);
    expect(hop.wholeWhenOut).toEqual([...new Array(7).fill(false), true]);
  });
});

describe("a lost datagram", () => {
  it.each([[[0]], [[3]], [[7]], [[0, 1, 7]], [[0, 1, 2, 3, 4, 5, 6]]])(
    "%j is asked for and comes out whole, once",
    (lost) => {
      const hop = new Hop();
      const first = hop.unit(1, 8);
      hop.pass(33);
      const second = hop.unit(2, 8, (index) => lost.includes(index));
      hop.pass(33);
      const third = hop.unit(3, 8);
      hop.pass(20);
      expect(hop.nacks.length).toBeGreaterThan(0);
      for (const nack of hop.nacks) hop.sender.onNack(nack, hop.nowUs);
      for (const repair of hop.repairs) {
        expect(datagramFault(repair)).toBeUndefined();
        hop.receiver.pushRepair(repair, hop.nowUs);
      }
      expect(hop.parts).toEqual(hexOf([...first, ...second, ...third]));
      for (const datagram of hop.out) expect(datagramFault(datagram)).toBeUndefined();
      expect(hop.receiver.counters.recovered).toBe(lost.length);
      // The originals come late after all.
      for (const datagram of second) hop.receiver.pushMedia(datagram, hop.nowUs);
      expect(hop.out).toHaveLength(24);
      hop.pass(300);
      expect(hop.receiver.dueUs).toBe(Number.POSITIVE_INFINITY);
    },
  );

  it("of a whole block is asked for when the next one comes, unless it was left out on purpose", () => {
    for (const leftOut of [false, true]) {
      const hop = new Hop();
      hop.unit(1, 8);
      hop.pass(33);
      hop.unit(2, 8, () => true);
      if (leftOut) hop.hop.holesSeen = 0;
      hop.pass(33);
      hop.unit(3, 8);
      hop.pass(30);
      expect(hop.nacks.length > 0).toBe(!leftOut);
    }
  });

  it("of a block in the middle of a burst is asked for, also when the one before was asked for unseen", () => {
    const hop = new Hop();
    Object.assign(hop.conditions, { loss: 0.1, burstMs: 40 });
    for (const frameId of [1, 2, 3, 4]) {
      hop.unit(frameId, 8);
      hop.pass(33);
    }
    const unseen = hop.unit(5, 8, () => true);
    hop.pass(33);
    const hidden = hop.unit(6, 8, () => true);
    hop.pass(20);
    expect(hop.nacks.map(({ block }) => block)).toContain(mediaBlockOf(unseen[0]!));
    hop.sender.onNack(hop.nacks[0]!, hop.nowUs);
    for (const repair of hop.repairs) hop.receiver.pushRepair(repair, hop.nowUs);
    hop.unit(7, 8);
    hop.pass(20);
    expect(hop.nacks.map(({ block }) => block)).toContain(mediaBlockOf(hidden[0]!));
  });

  it.each([
    // Eight times, in three copies.
    { burstMs: 60, least: 15, most: 24 },
    { burstMs: 0, least: 0, most: 0 },
  ])(
    "of a block that never began is asked for $least to $most times where bursts last $burstMs ms",
    (row) => {
      const hop = new Hop(true);
      Object.assign(hop.conditions, { loss: 0.1, burstMs: row.burstMs });
      for (const frameId of [1, 2, 3, 4]) {
        hop.unit(frameId, 8);
        hop.pass(33);
      }
      const before = hop.nacks.length;
      const lost = hop.unit(5, 8, () => true);
      hop.pass(400);
      const asked = hop.nacks.slice(before).filter(({ block }) => block === mediaBlockOf(lost[0]!));
      const generations = new Set(asked.map(({ generation }) => generation)).size;
      expect(generations).toBeGreaterThanOrEqual(row.least);
      expect(generations).toBeLessThanOrEqual(row.most);
    },
  );

  it.each([true, false])(
    "in a burst longer than all grace is asked for if it is of a picture: %s",
    (isPicture) => {
      const hop = new Hop(isPicture);
      hop.unit(1, 8);
      hop.pass(33);
      const lost = hop.unit(2, 8, () => true);
      hop.pass(600);
      hop.unit(3, 8);
      hop.pass(600);
      const times = hop.nacks.filter(({ block }) => block === mediaBlockOf(lost[0]!)).length;
      expect(times > 0).toBe(isPicture);
      expect(times).toBeLessThan(10);
    },
  );

  it("is not asked for when no answer can come in time", () => {
    const hop = new Hop();
    hop.receiver.playoutDelayMs = 30;
    hop.unit(1, 8);
    hop.pass(33);
    hop.unit(2, 8, (index) => index === 2);
    hop.pass(300);
    expect(hop.nacks).toEqual([]);
    expect(hop.receiver.counters.givenUp).toBe(1);
  });

  it("is asked for a bounded number of times", () => {
    const hop = new Hop();
    hop.unit(1, 8);
    hop.pass(33);
    hop.unit(2, 8, (index) => index === 2);
    hop.pass(2_000);
    expect(hop.nacks.length).toBeLessThan(20);
    expect(Math.max(...hop.nacks.map((nack) => nack.withinMs))).toBeLessThanOrEqual(200);
  });
});

describe("answers", () => {
  it("are given once for copies of a NACK, and fresh for the next generation", () => {
    const hop = new Hop();
    hop.unit(1, 8, (index) => index === 2);
    hop.pass(40);
    const [nack] = hop.nacks;
    hop.sender.onNack(nack!, hop.nowUs);
    const first = hop.repairs.length;
    hop.sender.onNack(nack!, hop.nowUs);
    expect(hop.repairs).toHaveLength(first);
    hop.pass(60);
    hop.sender.onNack({ ...nack!, generation: 50, withinMs: 90 }, hop.nowUs);
    const indexes = hop.repairs.map((repair) => repair[HOP_HEADER_BYTES + 7]!);
    expect(indexes.length).toBeGreaterThan(first);
    expect(new Set(indexes).size).toBe(indexes.length);
    expect(Math.min(...indexes)).toBe(8);
  });

  it("are nothing for what was not sent, is forgotten, or is too late", () => {
    const hop = new Hop();
    hop.unit(1, 8, (index) => index === 2);
    hop.pass(40);
    const nack = hop.nacks[0]!;
    hop.sender.onNack({ ...nack, block: 77 }, hop.nowUs);
    hop.sender.onNack({ ...nack, withinMs: 39 }, hop.nowUs);
    expect(hop.repairs).toEqual([]);
    expect(hop.sender.counters.dropped).toMatchObject({ "unknown-block": 1, "too-late": 1 });
    hop.sentHistory.clear();
    hop.sender.onNack({ ...nack, generation: 9 }, hop.nowUs);
    expect(hop.repairs).toEqual([]);
  });
});

describe("what waits in the network's queue", () => {
  it.each([0, 200])(
    "of %i ms is not taken for lost, in answer to a receiver that does not see it",
    (queueMs) => {
      const hop = new Hop();
      Object.assign(hop.conditions, { queueMs });
      const sent = hop.unit(1, 8, () => true);
      hop.pass(100);
      const held = new Uint8Array(0);
      const block = mediaBlockOf(sent[0]!);
      const nack = {
        trackId: TRACK,
        rendition: 0,
        block,
        generation: 1,
        needed: NACK_NEEDS_ALL,
        withinMs: 150,
        held,
      };
      hop.sender.onNack(nack, hop.nowUs);
      expect(hop.repairs.length > 0).toBe(queueMs === 0);
    },
  );
});

describe("memory", () => {
  it("holds a bounded number of blocks, and gives all back", () => {
    const hop = new Hop();
    const free = hop.pool.freeSymbols;
    for (let frame = 1; frame < 400; frame++) {
      hop.unit(frame, 6);
      hop.nowUs += 1_000;
      expect(free - hop.pool.freeSymbols).toBeLessThanOrEqual(2 * 6 * MAX_HISTORY_BLOCKS);
    }
    hop.sentHistory.clear();
    hop.receivedHistory.clear();
    expect(hop.pool.freeSymbols).toBe(free);
  });

  it("of a full pool is found at the cost of the oldest blocks", () => {
    const pool = new BlockPool({ capacity: 20, kernel: "tables" });
    const history = new BlockHistory(pool);
    for (let block = 0; block < 30; block++) {
      for (let index = 0; index < 4; index++) {
        expect(history.addSource(block, index, new Uint8Array(50), 8, START_US)).toBeUndefined();
      }
    }
    expect(history.find(29)!.heldSources).toBe(4);
    expect(history.find(20)).toBeUndefined();
  });
});

describe("a datagram that comes again", () => {
  it.each(["memory was short", "it was kept too long"])(
    "is known when its block was let go of: %s",
    (why) => {
      const hop = new Hop();
      const first = hop.unit(1, 8, (index) => index === 2);
      hop.nowUs += 20_000;
      hop.unit(2, 8);
      if (why === "memory was short") hop.receivedHistory.makeRoom(1, hop.pool.freeSymbols + 1);
      else hop.nowUs += 1_600_000;
      hop.unit(3, 8);
      const before = hop.out.length;
      hop.receiver.pushMedia(first[5]!, hop.nowUs);
      expect(hop.out).toHaveLength(before);
      expect(hop.receiver.counters.dropped.duplicate).toBe(1);
      // What has not come yet is as good as ever.
      hop.receiver.pushMedia(first[2]!, hop.nowUs);
      expect(hop.out).toHaveLength(before + 1);
    },
  );
});

describe("hostile input", () => {
  it("neither throws nor keeps memory", () => {
    let state = 3;
    const random = (limit: number): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return (state >>> 7) % limit;
    };
    const hop = new Hop();
    for (let n = 0; n < 20_000; n++) {
      hop.nowUs += random(3_000);
      const datagram = new Uint8Array(60 + random(3) * 10);
      for (let i = 8; i < datagram.length; i++) datagram[i] = random(4);
      datagram[0] = random(3) === 0 ? 0x11 : 0x10;
      datagram[HOP_HEADER_BYTES + 16] = 0;
      datagram[HOP_HEADER_BYTES + 18] = 1;
      if (random(50) === 0) datagram[HOP_HEADER_BYTES + (datagram[0] === 0x11 ? 4 : 20)] = random(256);
      if (datagramFault(datagram) !== undefined) continue;
      hop.hop.holesSeen += random(2);
      if (datagram[0] === 0x11) hop.receiver.pushRepair(datagram, hop.nowUs);
      else hop.receiver.pushMedia(datagram, hop.nowUs);
      hop.receiver.poll(hop.nowUs, (nack) => {
        expect(nack.held.length).toBeLessThanOrEqual(8);
        expect(nack.needed).toBeGreaterThan(0);
        hop.sender.onNack(nack, hop.nowUs);
      });
    }
    hop.receivedHistory.clear();
    expect(hop.pool.freeSymbols).toBe(2_000);
  });
});
