/**
 * One video track over one or more lossy hops, with the delivery code of participants and relays: packetizer, block
 * history, repair sender, link, block receiver, depacketizer. What arrives too late counts as lost.
 */
import { every, type Random } from "../../core/clock.ts";
import type { AccessUnit } from "../../core/delivery/access-unit.ts";
import { Depacketizer } from "../../core/delivery/depacketizer.ts";
import { Packetizer } from "../../core/delivery/packetizer.ts";
import { BlockHistory } from "../../core/delivery/recovery/block-history.ts";
import type { RepairSender } from "../../core/delivery/recovery/repair-sender.ts";
import { BlockPool } from "../../core/delivery/reed-solomon/block-pool.ts";
import { DecodeOrder } from "../../core/media/decode-order.ts";
import { HopRecovery } from "../../core/session/hop-recovery.ts";
import { Link } from "../../core/session/link.ts";
import { createMemorySessionPair, type MemorySessionPair } from "../../core/session/memory.ts";
import type { NetworkOptions } from "../../core/session/network-path.ts";
import {
  DATAGRAM_MEDIA,
  emptyMediaHeader,
  FLAG_BLOCK_END,
  HOP_HEADER_BYTES,
  MEDIA_HEADER_BYTES,
  readMediaHeader,
} from "../../core/wire/datagram.ts";
import { REPORT_INTERVAL_MS } from "../../core/wire/limits.ts";
import { seededRandom } from "./seeded-random.ts";
import { VirtualClock } from "./virtual-clock.ts";

export interface LossyRun {
  seed: number;
  /** Measured time, after `warmUpSeconds`. */
  seconds: number;
  warmUpSeconds: number;
  hops: number;
  /** Of each hop. */
  rttMs: number;
  /** From sending to playout, over all hops. */
  budgetMs: number;
  datagramsPerSecond: number;
  /** Access units a second; as many as datagrams = each datagram a unit, evenly spaced. */
  picturesPerSecond: number;
  /** Both directions of every hop. */
  network: Partial<NetworkOptions>;
  /** Changes of the network in the middle, seconds after the beginning of the measured time (before it when negative). */
  steps: readonly { atSeconds: number; network: Partial<NetworkOptions> }[];
}

export interface LossyResult {
  datagrams: number;
  /** Share of source datagrams not delivered within the budget. */
  residual: number;
  /** Repair and NACK bytes relative to media bytes, on the hop where they are most. */
  overhead: number;
  /** All that goes against the stream, relative to media bytes, on the hop where it is most. */
  feedback: number;
  /** From sending to the depacketizer, of what came in time. */
  delaysMs: number[];
  /** Datagrams that came out of recovery twice, or differed from what was sent; must be 0. */
  wrong: number;
  recovered: number;
  unitsSent: number;
  unitsComplete: number;
  /** From capture to the last datagram of a unit, of the complete ones. */
  unitDelaysMs: number[];
}

/** What came of it when the network was whole again, and when nothing was published any more. */
export interface Settlement {
  /** Units sent over the whole network that did not arrive. */
  missingUnits: number;
  /** Units that came out of the decode order behind a later one. */
  disordered: number;
  /** NACKs and repair datagrams of the last second of silence, which came after two others. */
  restless: number;
  /** Symbols that the pools of all nodes hold at the end. */
  heldSymbols: number;
}

const WHOLE_NETWORK = { loss: 0, jitterMs: 0, reorder: 0, duplicate: 0, rateBps: 0, down: false };

const TRACK_ID = 7;
const DATAGRAM_BYTES = 1000;
const PAYLOAD_BYTES = DATAGRAM_BYTES - HOP_HEADER_BYTES - MEDIA_HEADER_BYTES;
/** Time for the next hop's round, kept free by the hop before it. */
const HOP_RESERVE_MS = 12;
const KEYS = 1 << 20;
const POOL_SYMBOLS = 2_000;
/** A unit that holds up others is given up after this. */
const GIVE_UP_US = 400_000;
/** A keyframe comes this often, so that decoding goes on after a loss. */
const KEYFRAME_SECONDS = 3;

interface Hop {
  wires: MemorySessionPair;
  /** Of the end that sends media, and of the one that receives it. */
  near: { link: Link; recovery: HopRecovery };
  far: { link: Link; recovery: HopRecovery };
  sender: RepairSender;
}

const header = emptyMediaHeader();

export class LossyHops {
  readonly #run: LossyRun;
  readonly #clock = new VirtualClock();
  readonly #random: Random;
  readonly #hops: Hop[] = [];
  readonly #history: BlockHistory;
  readonly #depacketizer = new Depacketizer();
  readonly #order = new DecodeOrder();
  readonly #pools: BlockPool[] = [];
  readonly #sentUs = new Float64Array(KEYS);
  readonly #checks = new Uint32Array(KEYS);
  readonly #state = new Uint8Array(KEYS);
  readonly #delaysMs: number[] = [];
  #measuring = false;
  #measured = 0;
  #sent = 0;
  #inTime = 0;
  #wrong = 0;
  #unitsSent = 0;
  #unitsComplete = 0;
  readonly #unitDelaysMs: number[] = [];
  #isPublishing = true;
  /** Units from this one on are counted in #arrivedSince. */
  #countFrom = Number.POSITIVE_INFINITY;
  #arrivedSince = 0;
  #decodedUpTo = -1;
  #disordered = 0;

  constructor(run: LossyRun) {
    this.#run = run;
    this.#random = seededRandom(run.seed);
    const histories: BlockHistory[] = [];
    for (let node = 0; node <= run.hops; node++) {
      const pool = new BlockPool({ capacity: POOL_SYMBOLS });
      this.#pools.push(pool);
      histories.push(new BlockHistory(pool));
    }
    for (let hop = 0; hop < run.hops; hop++) this.#addHop(hop, histories);
    this.#history = histories[0]!;
  }

  #addHop(index: number, histories: readonly BlockHistory[]): void {
    const run = this.#run;
    const network = { delayMs: run.rttMs / 2, ...run.network };
    const clock = this.#clock;
    const wires = createMemorySessionPair({ clock, random: this.#random, up: network, down: network });
    const near = this.#end(wires.dialled);
    const far = this.#end(wires.accepted);
    const hopsAfter = run.hops - 1 - index;
    const delayMs = run.budgetMs - (run.hops * run.rttMs) / 2 - hopsAfter * (run.rttMs + HOP_RESERVE_MS);
    const sender = near.recovery.addSender(TRACK_ID, 0, histories[index]!, delayMs, true);
    far.recovery.addReceiver(TRACK_ID, 0, histories[index + 1]!, delayMs, true, (datagram, nowUs) =>
      this.#onRestored(index, datagram, nowUs),
    );
    this.#hops.push({ wires, near, far, sender });
  }

  #end(session: MemorySessionPair["dialled"]): { link: Link; recovery: HopRecovery } {
    const link: Link = new Link(session, this.#clock, Math.floor(this.#random() * 0x10000), {
      onMedia: (datagram, kind, nowUs) => void recovery.push(datagram, kind, nowUs),
      onNack: (bytes, offset, length, nowUs) => void recovery.onNack(bytes, offset, length, nowUs),
      onReport: (report, nowUs) => recovery.onReport(report, nowUs),
      onOther: (datagram, nowUs) => recovery.noteArrival(datagram, nowUs),
    });
    const recovery = new HopRecovery(link, this.#clock);
    every(this.#clock, REPORT_INTERVAL_MS, () => link.tick());
    return { link, recovery };
  }

  #sendOn(hop: Hop, datagram: Uint8Array, nowUs: number): void {
    if (hop.near.link.send(DATAGRAM_MEDIA, datagram, HOP_HEADER_BYTES, true) !== undefined) return;
    readMediaHeader(datagram, HOP_HEADER_BYTES, header);
    hop.sender.onSent(header.block, header.symbolIndex, header.flags, datagram.length, nowUs);
  }

  #onRestored(index: number, datagram: Uint8Array, nowUs: number): void {
    const next = this.#hops[index + 1];
    if (next !== undefined) return this.#sendOn(next, datagram, nowUs);
    readMediaHeader(datagram, HOP_HEADER_BYTES, header);
    const key = keyOf(header.block, header.symbolIndex);
    if (this.#state[key] === STATE_DELIVERED || this.#checks[key] !== checksum(datagram)) {
      this.#wrong++;
      return;
    }
    const delayMs = (nowUs - this.#sentUs[key]!) / 1000;
    if (this.#state[key] === STATE_MEASURED && delayMs <= this.#run.budgetMs) {
      this.#inTime++;
      this.#delaysMs.push(delayMs);
    }
    this.#state[key] = STATE_DELIVERED;
    this.#depacketizer.push(datagram, (unit) => {
      this.#unitsComplete++;
      if (unit.frameId >= this.#countFrom) this.#arrivedSince++;
      this.#decode(unit, nowUs);
      if (this.#measuring) this.#unitDelaysMs.push((nowUs - unit.captureTimeUs) / 1000);
    });
  }

  async run(): Promise<LossyResult> {
    const { warmUpSeconds, seconds, steps, budgetMs, hops, rttMs } = this.#run;
    for (const step of steps) {
      this.#clock.after((warmUpSeconds + step.atSeconds) * 1000, () => this.#change(step.network));
    }
    this.#publish();
    await this.#clock.advance(warmUpSeconds * 1000);
    this.#measuring = true;
    const before = this.#hops.map(trafficOf);
    const sentBefore = this.#sent;
    await this.#clock.advance(seconds * 1000);
    this.#measuring = false;
    const traffic = this.#hops.map(trafficOf);
    await this.#clock.advance(budgetMs + 2 * hops * rttMs);
    const mediaBytes = (this.#sent - sentBefore) * DATAGRAM_BYTES;
    const shareOf = (name: "overhead" | "feedback"): number =>
      Math.max(...traffic.map((after, i) => (after[name] - before[i]![name]) / mediaBytes));
    return {
      datagrams: this.#measured,
      residual: (this.#measured - this.#inTime) / this.#measured,
      overhead: shareOf("overhead"),
      feedback: shareOf("feedback"),
      delaysMs: this.#delaysMs,
      wrong: this.#wrong,
      recovered: this.#hops.at(-1)!.far.recovery.receiver(TRACK_ID, 0)!.counters.recovered,
      unitsSent: this.#unitsSent,
      unitsComplete: this.#unitsComplete,
      unitDelaysMs: this.#unitDelaysMs,
    };
  }

  #decode(unit: AccessUnit, nowUs: number): void {
    const emit = ({ frameId }: AccessUnit): void => {
      if (frameId <= this.#decodedUpTo) this.#disordered++;
      this.#decodedUpTo = frameId;
    };
    this.#order.push(unit, nowUs, emit);
    if (nowUs - (this.#order.blockedSinceUs ?? nowUs) > GIVE_UP_US) this.#order.giveUp(nowUs, emit);
  }

  /** After `run`: the network is whole for 5 s, then the publisher falls silent for 3 s. */
  async settle(): Promise<Settlement> {
    this.#change(WHOLE_NETWORK);
    await this.#clock.advance(3_000);
    this.#countFrom = this.#unitsSent;
    await this.#clock.advance(2_000);
    this.#isPublishing = false;
    await this.#clock.advance(2_000);
    const before = this.#recoveryDatagrams();
    await this.#clock.advance(1_000);
    return {
      missingUnits: this.#unitsSent - this.#countFrom - this.#arrivedSince,
      disordered: this.#disordered,
      restless: this.#recoveryDatagrams() - before,
      heldSymbols: this.#pools.reduce((sum, pool) => sum + POOL_SYMBOLS - pool.freeSymbols, 0),
    };
  }

  #recoveryDatagrams(): number {
    const count = ({ near, far }: Hop): number =>
      near.recovery.totals().repairsSent + far.recovery.totals().nacksSent;
    return this.#hops.reduce((sum, hop) => sum + count(hop), 0);
  }

  #change(network: Partial<NetworkOptions>): void {
    for (const { wires } of this.#hops) {
      Object.assign(wires.up.options, network);
      Object.assign(wires.down.options, network);
    }
  }

  #publish(): void {
    const { picturesPerSecond, datagramsPerSecond } = this.#run;
    const packetizer = new Packetizer(TRACK_ID);
    const perUnit = datagramsPerSecond / picturesPerSecond;
    const startUs = this.#clock.nowUs();
    let frameId = 0;
    let owed = 0;
    const sendUnit = (): void => {
      if (!this.#isPublishing) return;
      owed += perUnit;
      const count = Math.max(1, Math.floor(owed + 1e-9));
      owed -= count;
      const bytes = new Uint8Array(count * PAYLOAD_BYTES);
      for (let i = 0; i < bytes.length; i += 97) bytes[i] = this.#random() * 256;
      const isKeyframe = frameId % (KEYFRAME_SECONDS * picturesPerSecond) === 0;
      const unit = {
        frameId,
        captureTimeUs: Math.round(this.#clock.nowUs()),
        keyframe: isKeyframe,
        discardable: false,
        temporalLayer: 0,
        reference: isKeyframe ? 0 : 1,
        rendition: 0,
        audioLevel: 127,
        voice: false,
        encrypted: false,
        bytes,
      };
      packetizer.push(unit, DATAGRAM_BYTES, false, (datagram) => this.#sendFirst(datagram));
      frameId = (frameId + 1) >>> 0;
      this.#unitsSent++;
      const nextUs = startUs + (this.#unitsSent * 1_000_000) / picturesPerSecond;
      this.#clock.after((nextUs - this.#clock.nowUs()) / 1000, sendUnit);
    };
    sendUnit();
  }

  #sendFirst(datagram: Uint8Array): void {
    const nowUs = this.#clock.nowUs();
    readMediaHeader(datagram, HOP_HEADER_BYTES, header);
    const { block, symbolIndex } = header;
    const key = keyOf(block, symbolIndex);
    this.#sentUs[key] = nowUs;
    this.#checks[key] = checksum(datagram);
    this.#state[key] = this.#measuring ? STATE_MEASURED : STATE_SENT;
    if (this.#measuring) this.#measured++;
    this.#sent++;
    this.#history.addSource(block, symbolIndex, datagram, HOP_HEADER_BYTES, nowUs);
    if ((header.flags & FLAG_BLOCK_END) !== 0) this.#history.find(block)?.setSourceCount(symbolIndex + 1);
    this.#sendOn(this.#hops[0]!, datagram, nowUs);
  }
}

const STATE_SENT = 1;
const STATE_MEASURED = 2;
const STATE_DELIVERED = 3;

/** Blocks and symbols of the last minutes differ in this. */
function keyOf(block: number, symbol: number): number {
  return ((block << 6) | symbol) & (KEYS - 1);
}

/** Of the media part. */
function checksum(datagram: Uint8Array): number {
  let sum = 0;
  for (let i = HOP_HEADER_BYTES; i < datagram.length; i++) sum = (Math.imul(sum, 31) + datagram[i]!) >>> 0;
  return sum;
}

function trafficOf(hop: Hop): { overhead: number; feedback: number } {
  const { counters } = hop.sender;
  const repairBytes = counters.bytes + HOP_HEADER_BYTES * (counters.repairsSent + counters.retransmitted);
  return {
    overhead: repairBytes + hop.far.recovery.nackBytes,
    feedback: hop.wires.accepted.counters.datagramBytesSent,
  };
}
