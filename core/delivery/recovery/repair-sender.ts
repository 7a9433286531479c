/**
 * The sending side of recovery for one track rendition on one hop: what repair goes out, and when. Repair symbols come from a
 * block history that other hops may share. No timers: `poll` says when it wants to be called again.
 * docs/wire.md, "Recovery".
 */
import {
  DATAGRAM_MEDIA,
  DATAGRAM_REPAIR,
  FLAG_BLOCK_END,
  FLAG_DISCARDABLE,
  FLAG_KEYFRAME,
} from "../../wire/datagram.ts";
import {
  MAX_BLOCK_SYMBOLS,
  MAX_HISTORY_BLOCKS,
  MAX_PENDING_REPAIRS,
  MAX_SOURCE_SYMBOLS,
} from "../../wire/limits.ts";
import { NACK_NEEDS_ALL, type Nack } from "../../wire/nack.ts";
import type { SymbolBlock } from "../reed-solomon/symbol-block.ts";
import type { BlockHistory } from "./block-history.ts";
import {
  type Answer,
  aimedDelayMs,
  graceMs,
  type HopConditions,
  type Importance,
  planAnswer,
  proactiveCount,
  roundsBefore,
  roundWaitMs,
} from "./protection-policy.ts";
import { RepairBody } from "./repair-body.ts";
import type { RepairBudget } from "./repair-budget.ts";
import { SentBlock } from "./sent-block.ts";
import { SymbolMask } from "./symbol-mask.ts";

/** Why repair that was asked for, or planned, was not sent. */
export type RepairDrop = "unknown-block" | "too-late" | "over-budget" | "queue-full" | "not-taken";

export interface RepairCounters {
  /** Repair datagrams, and source datagrams sent again. */
  repairsSent: number;
  retransmitted: number;
  bytes: number;
  nacks: number;
  dropped: Record<RepairDrop, number>;
}

/** What leads out: sends a body behind a hop header. Returns false when the link did not take it. */
export type SendBody = (kind: number, body: Uint8Array, spare: boolean) => boolean;

/** A datagram of either kind that is on its way is not asked for again before this has passed beyond the round trip. */
const IN_FLIGHT_MARGIN_US = 2_000;

/** More repair symbols than this of one block are hardly of use, also as probes. */
const MAX_PROBES_PER_BLOCK = 3;

interface Pending {
  block: SentBlock;
  number: number;
  dueUs: number;
  untilUs: number;
  count: number;
  generation: number;
  /** Missing sources, in case repair symbols cannot be made. */
  missing: SymbolMask;
}

export interface RepairSenderOptions {
  trackId: number;
  rendition: number;
  history: BlockHistory;
  /** Kept up to date by the owner. */
  hop: HopConditions;
  budget: RepairBudget;
  send: SendBody;
  /** Pictures are repaired unasked too; sound carries copies of its own. See also `aimedDelayMs` and `graceMs`. */
  isPicture: boolean;
}

const missing = new SymbolMask();
const answer: Answer = { symbols: 0, parts: 0, gapMs: 0 };

export class RepairSender {
  readonly counters: RepairCounters = {
    repairsSent: 0,
    retransmitted: 0,
    bytes: 0,
    nacks: 0,
    dropped: { "unknown-block": 0, "too-late": 0, "over-budget": 0, "queue-full": 0, "not-taken": 0 },
  };
  /** Time from the undelayed arrival of a datagram at the other end to the end of its use there. */
  playoutDelayMs: number;
  readonly #options: RepairSenderOptions;
  readonly #blocks: (SentBlock | undefined)[] = new Array(MAX_HISTORY_BLOCKS).fill(undefined);
  readonly #pending: Pending[] = [];
  readonly #idle: Pending[] = [];
  readonly #body: RepairBody;
  #dueUs = Number.POSITIVE_INFINITY;
  #newestEnded: SentBlock | undefined;

  constructor(options: RepairSenderOptions, playoutDelayMs: number) {
    this.#options = options;
    this.playoutDelayMs = playoutDelayMs;
    this.#body = new RepairBody(options.trackId, options.rendition);
  }

  get isPicture(): boolean {
    return this.#options.isPicture;
  }

  /** When `poll` should be called. */
  get dueUs(): number {
    return this.#dueUs;
  }

  /** Notes a media datagram that was just given to the link. */
  onSent(number: number, index: number, flags: number, bytes: number, nowUs: number): void {
    this.#options.budget.earn(bytes);
    if (index >= MAX_SOURCE_SYMBOLS) return;
    const block = this.#blockOf(number, nowUs);
    if (index < block.sent.highest && !block.sent.has(index)) {
      block.late.add(index);
      block.lateUs = nowUs;
    } else {
      block.lastUs = nowUs;
    }
    block.sent.add(index);
    if ((flags & FLAG_KEYFRAME) !== 0) block.importance = "key";
    else if (block.importance === "discardable" && (flags & FLAG_DISCARDABLE) === 0)
      block.importance = "normal";
    if ((flags & FLAG_BLOCK_END) !== 0) {
      block.ended = true;
      this.#newestEnded = block;
    }
    if (block.ended && !block.proactiveDone && this.#options.isPicture) this.#protect(block, nowUs);
  }

  #blockOf(number: number, nowUs: number): SentBlock {
    const slot = number % MAX_HISTORY_BLOCKS;
    this.#blocks[slot] ??= new SentBlock();
    const block = this.#blocks[slot]!;
    if (block.number !== number) block.begin(number, nowUs);
    return block;
  }

  #protect(block: SentBlock, nowUs: number): void {
    const symbols = this.#options.history.find(block.number);
    if (symbols === undefined || !symbols.isComplete) return;
    block.proactiveDone = true;
    const { hop, isPicture, budget } = this.#options;
    const aimedMs = aimedDelayMs(this.playoutDelayMs, isPicture, hop);
    const leftMs = aimedMs + graceMs(isPicture, hop) - (nowUs - block.firstUs) / 1000;
    if (leftMs <= 0) return;
    // Not what is left now: where time is short, the receiver asks before the block has ended.
    const rounds = roundsBefore(aimedMs, hop);
    // What little may be spent on a congested hop is for what is known to be lost.
    const waitMs = budget.congested ? 0 : roundWaitMs(this.playoutDelayMs, hop);
    const count = proactiveCount(symbols.sourceCount, rounds, block.importance, hop, waitMs);
    if (count === 0) return;
    missing.clear();
    this.#enqueue(block, count, nowUs, nowUs + leftMs * 1000, 0);
    this.poll(nowUs);
  }

  /** Answers a NACK, now or spread over the next `poll`s. */
  onNack(nack: Nack, nowUs: number): void {
    this.counters.nacks++;
    const block = this.#blocks[nack.block % MAX_HISTORY_BLOCKS];
    if (block === undefined || block.number !== nack.block) return this.#drop("unknown-block");
    // Copies of one NACK are answered once.
    const ahead = ((nack.generation - block.generation) << 24) >> 24;
    if (ahead <= 0 && block.generation !== 0) return;
    const { hop } = this.#options;
    missing.set(block.sent);
    missing.removeHeld(nack.held);
    // The NACK left half a round trip ago, and does not know of what was sent after half a round trip before that.
    const onTheWayMs = hop.rttMs + hop.reorderMs + (hop.queueMs ?? 0);
    const unknownSinceUs = nowUs - onTheWayMs * 1000 - IN_FLIGHT_MARGIN_US;
    let needed = nack.needed;
    if (needed === NACK_NEEDS_ALL) block.removeNewer(missing, unknownSinceUs);
    needed = Math.min(needed, missing.count);
    if (needed === 0) return;
    // An answer to less is on its way; a copy that comes later may find that it has failed.
    if (needed <= block.plannedFor && block.plannedUs > unknownSinceUs) return;
    const windowMs = nack.withinMs - hop.rttMs - 1;
    if (windowMs < 0) return this.#drop("too-late");
    block.generation = nack.generation;
    block.plannedFor = needed;
    block.plannedUs = nowUs;
    planAnswer(needed, windowMs, block.importance, hop, answer);
    // Repair that the NACK does not know of counts as sent in answer to it.
    let inFlight = block.repairsSince(unknownSinceUs);
    if (block.lateUs > unknownSinceUs) {
      inFlight += missing.countWith(block.late);
      missing.removeAll(block.late);
    }
    this.#cancel(block);
    for (let part = 0; part < answer.parts; part++) {
      const count = answer.symbols - inFlight;
      inFlight = Math.max(0, -count);
      const dueUs = nowUs + part * answer.gapMs * 1000;
      if (count > 0) this.#enqueue(block, count, dueUs, nowUs + windowMs * 1000, nack.generation);
    }
    this.poll(nowUs);
  }

  /** Takes back what waits for the block: a newer answer is for all that is missing. */
  #cancel(block: SentBlock): void {
    let kept = 0;
    for (let i = 0; i < this.#pending.length; i++) {
      const pending = this.#pending[i]!;
      if (pending.block === block && pending.generation !== 0) this.#idle.push(pending);
      else this.#pending[kept++] = pending;
    }
    this.#pending.length = kept;
  }

  #enqueue(block: SentBlock, count: number, dueUs: number, untilUs: number, generation: number): void {
    if (this.#pending.length >= MAX_PENDING_REPAIRS) return this.#drop("queue-full");
    const pending = this.#idle.pop() ?? {
      block,
      number: 0,
      dueUs: 0,
      untilUs: 0,
      count: 0,
      generation: 0,
      missing: new SymbolMask(),
    };
    pending.block = block;
    pending.number = block.number;
    pending.dueUs = dueUs;
    pending.untilUs = untilUs;
    pending.count = count;
    pending.generation = generation;
    pending.missing.set(missing);
    this.#pending.push(pending);
    if (dueUs < this.#dueUs) this.#dueUs = dueUs;
  }

  /** Sends what is due. */
  poll(nowUs: number): void {
    if (nowUs < this.#dueUs) return;
    let next = Number.POSITIVE_INFINITY;
    let kept = 0;
    for (let i = 0; i < this.#pending.length; i++) {
      const pending = this.#pending[i]!;
      if (pending.dueUs > nowUs) {
        this.#pending[kept++] = pending;
        if (pending.dueUs < next) next = pending.dueUs;
        continue;
      }
      if (pending.untilUs + 1000 < nowUs) this.#drop("too-late");
      else if (pending.block.number === pending.number) this.#sendNow(pending, nowUs);
      else this.#drop("unknown-block");
      this.#idle.push(pending);
    }
    this.#pending.length = kept;
    this.#dueUs = next;
  }

  #sendNow(pending: Pending, nowUs: number): void {
    const symbols = this.#options.history.find(pending.number);
    if (symbols === undefined) return this.#drop("unknown-block");
    if (symbols.isComplete) this.#sendRepairs(pending, symbols, nowUs);
    else this.#sendSources(pending, symbols, nowUs);
  }

  #sendRepairs(pending: Pending, symbols: SymbolBlock, nowUs: number): void {
    const { block, count, generation } = pending;
    const first = symbols.sourceCount + block.repairsMade;
    const many = Math.min(count, MAX_BLOCK_SYMBOLS - first);
    if (many <= 0) return this.#drop("queue-full");
    this.#options.history.makeRoom(block.number, many);
    if (symbols.makeRepairs(first, many) !== undefined) return this.#drop("unknown-block");
    block.noteRepairs(many, nowUs);
    for (let index = first; index < first + many; index++) {
      const body = this.#body.write(block.number, symbols, index, generation);
      if (!this.#send(DATAGRAM_REPAIR, body, block.importance)) return;
      block.repairsMade++;
      this.counters.repairsSent++;
    }
  }

  /**
   * Sends one more repair symbol of the newest block, to find out whether the hop carries more: outside of the budget and its counters.
   * Returns its bytes; 0 when there is no block that could have use for one.
   */
  probe(nowUs: number): number {
    const block = this.#newestEnded;
    if (block === undefined || block.repairsMade >= MAX_PROBES_PER_BLOCK) return 0;
    const symbols = this.#options.history.find(block.number);
    if (symbols === undefined || !symbols.isComplete) return 0;
    const index = symbols.sourceCount + block.repairsMade;
    if (index >= MAX_BLOCK_SYMBOLS) return 0;
    this.#options.history.makeRoom(block.number, 1);
    if (symbols.makeRepairs(index, 1) !== undefined) return 0;
    const body = this.#body.write(block.number, symbols, index, 0);
    if (!this.#options.send(DATAGRAM_REPAIR, body, true)) return 0;
    block.noteRepairs(1, nowUs);
    block.repairsMade++;
    return body.length;
  }

  /** The block is not whole here yet, so what is missing goes out once more as it is, as often as symbols were planned. */
  #sendSources({ block, count, missing: wanted }: Pending, symbols: SymbolBlock, nowUs: number): void {
    let left = count;
    for (let turn = 0; turn < count && left > 0; turn++) {
      let sent = false;
      for (let index = wanted.next(0); index >= 0 && left > 0; index = wanted.next(index + 1)) {
        if (!symbols.holds(index)) continue;
        if (!this.#send(DATAGRAM_MEDIA, symbols.payload(index), block.importance)) return;
        sent = true;
        left--;
        block.late.add(index);
        block.lateUs = nowUs;
        this.counters.retransmitted++;
      }
      if (!sent) return;
    }
  }

  #send(kind: number, body: Uint8Array, importance: Importance): boolean {
    const { budget, send } = this.#options;
    if (!budget.take(body.length, importance !== "discardable")) {
      this.#drop("over-budget");
      return false;
    }
    if (!send(kind, body, true)) {
      this.#drop("not-taken");
      return false;
    }
    this.counters.bytes += body.length;
    return true;
  }

  #drop(reason: RepairDrop): void {
    this.counters.dropped[reason]++;
  }
}
