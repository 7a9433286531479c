/**
 * When a receiver asks for what, and gives up: as late as costs no round where losses are single, so that one answer serves a
 * whole block, and at once where they come in bursts. docs/wire.md, "Recovery".
 */
import { MAX_NACK_GENERATIONS, MAX_SOURCE_SYMBOLS } from "../../wire/limits.ts";
import { NACK_NEEDS_ALL, type Nack } from "../../wire/nack.ts";
import type { SymbolBlock } from "../reed-solomon/symbol-block.ts";
import type { BlockHistory } from "./block-history.ts";
import type { PlayoutDeadline } from "./playout-deadline.ts";
import {
  aimedDelayMs,
  graceMs,
  type HopConditions,
  type InboundHop,
  isBursty,
  lastResortMs,
  nackCopies,
  roundMs,
  roundsWithin,
} from "./protection-policy.ts";
import type { StreamPace } from "./stream-pace.ts";
import type { WantedBlock } from "./wanted-block.ts";

/** Unasked repair follows its block within this. */
const PROACTIVE_WAIT_US = 3_000;
/** Copies of a NACK leave so far apart, if there is time, so that one burst does not take all. */
const COPY_SPACING_MS = 16;
/** Share of the time to spare that is spent waiting for the rest of a block before asking. */
const PATIENCE = 0.9;
/** Silence is no shorter than this. */
const MIN_IDLE_US = 6_000;
const SPENT_WAIT_US = 10_000;
/** Times that the rest of a block is asked for when nothing shows that there is a rest. */
const MAX_IDLE_ASKS = 2;
/** On a bursty hop silence may be a burst that lasts: asked for again and again, an answer may be on its way when it ends. */
const MAX_BURST_ASKS = 8;
const BURST_ASKS_A_ROUND = 2.5;
const NEVER = Number.POSITIVE_INFINITY;

export interface NackScheduleOptions {
  trackId: number;
  rendition: number;
  history: BlockHistory;
  hop: InboundHop;
  deadline: PlayoutDeadline;
  pace: StreamPace;
  /** See `aimedDelayMs` and `graceMs`. */
  isPicture: boolean;
}

const heldBitmap = new Uint8Array(MAX_SOURCE_SYMBOLS / 8);

export class NackSchedule {
  /** NACKs sent, and datagrams given up because no answer could come in time. */
  nacks = 0;
  givenUp = 0;
  playoutDelayMs = 0;
  dueUs = NEVER;
  readonly #options: NackScheduleOptions;
  readonly #nack: Nack;

  constructor(options: NackScheduleOptions) {
    this.#options = options;
    const { trackId, rendition } = options;
    this.#nack = { trackId, rendition, block: 0, generation: 0, needed: 0, withinMs: 0, held: heldBitmap };
  }

  /** Decides when to ask for what is missing of a block, after something about it has changed. */
  plan(wanted: WantedBlock, symbols: SymbolBlock | undefined, nowUs: number): void {
    const { pace, hop } = this.#options;
    if (wanted.done || hop.isReliable) return;
    const { conditions } = hop;
    const reorderUs = conditions.reorderMs * 1000;
    const ends = wanted.endsKnown(symbols);
    if (!ends && !wanted.hasHole) {
      if (wanted.idleAsks >= maxIdleAsks(conditions)) return;
      const idleUs = Math.max(MIN_IDLE_US, pace.patienceUs) + reorderUs;
      wanted.isIdlePlan = true;
      wanted.suspectedUs = Math.min(wanted.suspectedUs, nowUs + idleUs);
      this.#askAt(wanted, nowUs + Math.max(idleUs, this.#waitUs(wanted, symbols, nowUs)));
      return;
    }
    if (wanted.generation > 0 && !wanted.isIdlePlan && !wanted.hasNews(symbols)) return;
    let atUs: number;
    if (ends) {
      if (wanted.knownUs === NEVER) wanted.knownUs = nowUs;
      const holeUs = wanted.hasHole ? wanted.holeUs : wanted.knownUs;
      atUs = Math.max(nowUs, holeUs + reorderUs, wanted.knownUs + PROACTIVE_WAIT_US);
    } else {
      atUs = Math.max(wanted.holeUs + reorderUs, nowUs + this.#waitUs(wanted, symbols, nowUs));
      // While the block goes on, what was decided at first sight of the hole stands.
      if (!wanted.isIdlePlan) atUs = Math.min(atUs, wanted.nextNackUs);
    }
    wanted.isIdlePlan = false;
    wanted.copiesLeft = 0;
    this.#askAt(wanted, atUs);
  }

  #askAt(wanted: WantedBlock, atUs: number): void {
    wanted.nextNackUs = atUs;
    if (atUs < this.dueUs) this.dueUs = atUs;
  }

  /** How long waiting for the rest of the block costs no round. */
  #waitUs(wanted: WantedBlock, symbols: SymbolBlock | undefined, nowUs: number): number {
    const { isPicture, hop } = this.#options;
    const { conditions } = hop;
    if (isBursty(conditions)) return 0;
    const leftMs = this.#leftMs(wanted, symbols, nowUs);
    const rounds = roundsWithin(leftMs, conditions);
    if (rounds === 0) return 0;
    // Only what the playout gives is to spare: a picture that is waited for beyond it keeps everybody waiting.
    const addedMs = aimedDelayMs(this.playoutDelayMs, isPicture, conditions) - this.playoutDelayMs;
    return Math.max(0, leftMs - addedMs - rounds * roundMs(conditions)) * 1000 * PATIENCE;
  }

  /**
   * Milliseconds that are left for the first missing datagram that an answer can still save, or for the last one of the
   * block if none can be: what comes for an earlier one may save a later one.
   */
  #leftMs(wanted: WantedBlock, symbols: SymbolBlock | undefined, nowUs: number): number {
    const { rttMs } = this.#options.hop.conditions;
    let index = wanted.nextMissing(symbols, 0);
    let leftMs = this.#leftFor(wanted, symbols, index, nowUs);
    if (symbols === undefined) return leftMs;
    const end = wanted.knownEnd(symbols);
    while (leftMs < rttMs + 1) {
      index = wanted.nextMissing(symbols, index + 1);
      if (index >= end) break;
      leftMs = this.#leftFor(wanted, symbols, index, nowUs);
    }
    return leftMs;
  }

  /** Until the aim, while an answer can still come by then; after that, until the end of grace. */
  #leftFor(wanted: WantedBlock, symbols: SymbolBlock | undefined, index: number, nowUs: number): number {
    const { deadline, isPicture, hop } = this.#options;
    const { conditions } = hop;
    const aimedMs = aimedDelayMs(this.playoutDelayMs, isPicture, conditions);
    const captureUs = wanted.captureOfMissing(symbols, index);
    const leftMs = (deadline.of(captureUs, aimedMs) - nowUs) / 1000;
    return leftMs < conditions.rttMs + 1 ? leftMs + graceMs(isPicture, conditions) : leftMs;
  }

  /** The end of grace may have come before a burst is over: then what is left is counted from when the loss was seen. */
  #lastResortMs(wanted: WantedBlock, nowUs: number): number {
    const { isPicture, hop } = this.#options;
    const seenUs = Math.min(wanted.hasHole ? wanted.holeUs : NEVER, wanted.knownUs, wanted.suspectedUs);
    return seenUs === NEVER ? 0 : (seenUs - nowUs) / 1000 + lastResortMs(isPicture, hop.conditions);
  }

  /** Asks for a block whose time has come; the NACK is valid until `emitNack` returns. */
  ask(wanted: WantedBlock, nowUs: number, emitNack: (nack: Nack) => void): void {
    wanted.nextNackUs = NEVER;
    const { history, hop } = this.#options;
    const symbols = history.find(wanted.number);
    if (wanted.done || (symbols === undefined && !wanted.passed && !wanted.isIdlePlan)) return;
    // Another hop that shares the history may have made it whole.
    if (history.isClosed(wanted.number)) return;
    const { conditions } = hop;
    // Bursts go on while we ask: what the sender finds missing of an unfinished block may be more than what we know.
    const isGrowing = wanted.isIdlePlan || (isBursty(conditions) && !wanted.endsKnown(symbols));
    const needed = isGrowing ? NACK_NEEDS_ALL : wanted.needed(symbols);
    if (needed <= 0) return;
    const plannedMs = this.#leftMs(wanted, symbols, nowUs);
    const isPlanned = plannedMs >= conditions.rttMs + 1;
    const leftMs = isPlanned ? plannedMs : this.#lastResortMs(wanted, nowUs);
    if (leftMs < conditions.rttMs + 1 || wanted.generation >= MAX_NACK_GENERATIONS) {
      wanted.copiesLeft = 0;
      if (!wanted.isIdlePlan) this.givenUp += needed === NACK_NEEDS_ALL ? 1 : needed;
      return;
    }
    if (hop.isSpent && wanted.generation > 0) {
      // No copies, and no further round until there is something to spend again.
      const atUs = wanted.copiesLeft > 0 ? wanted.roundEndsUs : nowUs + SPENT_WAIT_US;
      wanted.copiesLeft = 0;
      wanted.nextNackUs = Math.max(nowUs + 1, atUs);
      return;
    }
    if (wanted.copiesLeft > 0) wanted.copiesLeft--;
    else this.#beginRound(wanted, symbols, leftMs, isPlanned, isGrowing, nowUs);
    // A copy that may mean more than the one before is a NACK of its own.
    if (isGrowing) wanted.generation++;
    const nack = this.#nack;
    nack.block = wanted.number;
    nack.generation = wanted.generation;
    nack.needed = needed;
    nack.withinMs = Math.min(0xffff, Math.floor(leftMs));
    nack.held = bitmapOf(symbols, wanted.highest);
    this.nacks++;
    emitNack(nack);
    const nextUs = wanted.copiesLeft > 0 ? nowUs + wanted.copySpacingUs : wanted.roundEndsUs;
    wanted.nextNackUs = Math.max(nowUs + 1, nextUs);
  }

  #beginRound(
    wanted: WantedBlock,
    symbols: SymbolBlock | undefined,
    leftMs: number,
    isPlanned: boolean,
    isGrowing: boolean,
    nowUs: number,
  ): void {
    const { isPicture, hop } = this.#options;
    const { conditions } = hop;
    const round = roundMs(conditions);
    // Within grace what is left counts it already: a round more is then taken for possible, and found too late if it is not.
    const untilMs = leftMs - conditions.rttMs + (isPlanned ? graceMs(isPicture, conditions) : 0);
    const isLast = roundsWithin(untilMs, conditions) === 0;
    const spareMs = isLast ? leftMs - conditions.rttMs - 2 : round;
    const copies = nackCopies(isLast, conditions);
    if (!isGrowing) wanted.generation++;
    wanted.copiesLeft = copies - 1;
    wanted.copySpacingUs = 1000 * Math.min(COPY_SPACING_MS, Math.max(1, spareMs / copies));
    // A later datagram of the block may have time for one more when this answer has failed the first.
    let endsUs = nowUs + 1000 * (isLast ? Math.max(round, leftMs + 1) : round);
    if (wanted.isIdlePlan && isBursty(conditions)) endsUs = nowUs + (1000 * round) / BURST_ASKS_A_ROUND;
    // The answer of a round that news cut short comes by itself, and is looked at when it is due.
    wanted.roundEndsUs = wanted.roundEndsUs > nowUs ? Math.min(wanted.roundEndsUs, endsUs) : endsUs;
    if (wanted.isIdlePlan) {
      wanted.askedTo = wanted.highest;
      if (++wanted.idleAsks >= maxIdleAsks(conditions)) wanted.roundEndsUs = NEVER;
    } else {
      wanted.askedTo = wanted.endsKnown(symbols) ? MAX_SOURCE_SYMBOLS : wanted.highest;
    }
  }
}

function maxIdleAsks(hop: HopConditions): number {
  return isBursty(hop) ? MAX_BURST_ASKS : MAX_IDLE_ASKS;
}

function bitmapOf(symbols: SymbolBlock | undefined, highest: number): Uint8Array {
  if (symbols === undefined) return heldBitmap.subarray(0, 0);
  heldBitmap.fill(0);
  for (let index = 0; index <= highest; index++) {
    if (symbols.holds(index)) heldBitmap[index >> 3]! |= 1 << (index & 7);
  }
  return heldBitmap.subarray(0, (highest + 8) >> 3);
}
