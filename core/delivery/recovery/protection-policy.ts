/**
 * How much repair is worth sending. Pure functions of what is known of the hop: a lost source symbol has a price, a repair
 * symbol costs 1, and each decision is the cheapest in expectation, rounds of repair that still fit included.
 * docs/wire.md, "Recovery".
 */
import { MAX_SOURCE_SYMBOLS } from "../../wire/limits.ts";

/** What a hop is like, as far as repair is concerned. */
export interface HopConditions {
  /** Upper estimate of the share of datagrams lost, 0..1. */
  loss: number;
  /** How long losses last, 0 = each datagram is lost by itself. */
  burstMs: number;
  rttMs: number;
  /** How much later than its successors a datagram may arrive. */
  reorderMs: number;
  /** What the newest datagrams waited in the network's queue, beyond the round trip; absent where that is not known. */
  queueMs?: number;
}

/** What is known of the hop at this end. */
export interface InboundHop {
  readonly conditions: HopConditions;
  /** Hop sequences that were skipped when a later one arrived, ever. */
  holesSeen: number;
  /** Datagrams travel in order over TCP: none is lost on the way, so none is asked for. */
  readonly isReliable: boolean;
  /** NACKs have taken their share of the way back: each block is asked for once, without copies. */
  readonly isSpent: boolean;
}

/** How many datagrams of repair one source symbol that arrives in time is worth. */
const SYMBOL_PRICE = 130;
/** The same of a millisecond that a picture need not wait for a round which is not waited for anyway. */
const WAIT_PRICE_A_MS = 0.25;
/** That price is rounded to steps of so much, of which there are so many. */
const WAIT_PRICE_STEP = 4;
const MAX_WAIT_STEPS = 20;
/** Price of a keyframe's symbol and of one that nothing refers to, relative to that. */
const PRICE_FACTORS = { key: 3, normal: 1, discardable: 0.4 } as const;
export type Importance = keyof typeof PRICE_FACTORS;

/** A round takes the round trip and this, for timers and the receiver's own work. */
const ROUND_MARGIN_MS = 4;
/** Losses that last longer than this are escaped by waiting, not by more symbols at once. */
const BURSTY_MS = 4;
/** An answer is spread over at most so many bursts, in at most so many parts. */
const SPREAD_BURSTS = 4;
const MAX_PARTS = 4;
/** Parts of an answer that lie closer than this share their fate. */
const MIN_SPREAD_MS = 10;
/** Unless it is the last answer, it must have come when the receiver looks whether it has failed. */
const MAX_EARLY_SPREAD_MS = 24;
const MAX_ROUNDS = 4;
/** A receiver needs about so long to notice a loss: the next few datagrams must arrive. */
const NOTICE_MS = 16;
/** Noticing a loss takes up to two pictures, since blocks go on over several small ones. */
const PICTURE_NOTICE_MS = 80;
/** For a round more than the aim allows, and a loss of its NACK. */
const PICTURE_GRACE_MS = 140;
const LAST_RESORT_ROUNDS = 2;
const MAX_DEFICIT = 24;
/** Proactive repair is at most this share of the block. */
const MAX_PROACTIVE_SHARE = 0.5;
/** Estimates are rounded up to steps of this ratio, so that few tables serve all. */
const LOSS_STEP = 1.15;
const MIN_LOSS = 0.0005;

/** Time of one round of NACK and answer. */
export function roundMs(hop: HopConditions): number {
  return hop.rttMs + ROUND_MARGIN_MS + hop.reorderMs;
}

/** Rounds that fit into `leftMs`, counted from the moment the first NACK leaves. */
export function roundsWithin(leftMs: number, hop: HopConditions): number {
  return Math.max(0, Math.min(MAX_ROUNDS, Math.floor((leftMs - 2) / roundMs(hop))));
}

/** Rounds that fit before a block's datagrams are due so long after they were sent, the time to notice a loss included. */
export function roundsBefore(delayMs: number, hop: HopConditions): number {
  return roundsWithin(delayMs - hop.reorderMs - NOTICE_MS, hop);
}

/** What a picture waits beyond its playout when something of it must be asked for: nothing where the playout gives the time for that. */
export function roundWaitMs(playoutDelayMs: number, hop: HopConditions): number {
  return roundsBefore(playoutDelayMs, hop) === 0 ? roundMs(hop) : 0;
}

/** The delay that repair is planned for: a picture waits for one round in any case. */
export function aimedDelayMs(playoutDelayMs: number, isPicture: boolean, hop: HopConditions): number {
  return isPicture ? Math.max(playoutDelayMs, hop.rttMs + PICTURE_NOTICE_MS) : playoutDelayMs;
}

/** How long after that repair goes on: a picture that is late is still what the next ones refer to. */
export function graceMs(isPicture: boolean, hop: HopConditions): number {
  return isPicture ? hop.rttMs + hop.reorderMs + PICTURE_GRACE_MS : 0;
}

/**
 * How long after a loss was seen repair goes on, however old the picture is by then: the only other help is a keyframe, which
 * would come no sooner.
 */
export function lastResortMs(isPicture: boolean, hop: HopConditions): number {
  return isPicture ? LAST_RESORT_ROUNDS * roundMs(hop) + PICTURE_NOTICE_MS : 0;
}

export function isBursty(hop: HopConditions): boolean {
  return hop.burstMs > BURSTY_MS;
}

/** An answer to a NACK: `parts` times `symbols` repair symbols, `gapMs` apart. */
export interface Answer {
  symbols: number;
  parts: number;
  gapMs: number;
}

/**
 * What to send for a deficit of `needed` symbols when the last of it may leave within `windowMs`.
 * @param into filled and reused by the caller
 */
export function planAnswer(
  needed: number,
  windowMs: number,
  importance: Importance,
  hop: HopConditions,
  into: Answer,
): void {
  const roundsAfter = roundsWithin(windowMs, hop);
  if (isBursty(hop)) {
    planSpread(needed, windowMs, roundsAfter, importance, hop, into);
    return;
  }
  const table = tableOf(hop.loss, importance);
  const most = Math.min(needed, MAX_DEFICIT);
  const count = table.answers[roundsAfter + 1]![most]!;
  into.symbols = needed <= MAX_DEFICIT ? count : Math.ceil((count * needed) / MAX_DEFICIT);
  into.parts = 1;
  into.gapMs = 0;
}

/** In a burst all that is sent at one time is lost together: more of it does not help, some of it later does. */
function planSpread(
  needed: number,
  windowMs: number,
  roundsAfter: number,
  importance: Importance,
  hop: HopConditions,
  into: Answer,
): void {
  const later = costOfFailure(windowMs, roundsAfter, importance, hop);
  const most = roundsAfter > 0 ? MAX_EARLY_SPREAD_MS : windowMs - 1;
  const spreadMs = Math.min(most, SPREAD_BURSTS * hop.burstMs);
  let best = 1 + hop.loss * later;
  into.symbols = needed;
  into.parts = 1;
  into.gapMs = 0;
  for (let parts = 2; parts <= MAX_PARTS; parts++) {
    const gapMs = spreadMs / (parts - 1);
    if (gapMs < Math.min(MIN_SPREAD_MS, hop.burstMs)) break;
    const cost = parts + hop.loss * stillLost(gapMs, hop) ** (parts - 1) * later;
    if (cost >= best) break;
    best = cost;
    into.parts = parts;
    into.gapMs = gapMs;
  }
}

/** What a symbol costs that an answer fails to bring, when so many rounds can follow that do their best. */
function costOfFailure(
  windowMs: number,
  roundsAfter: number,
  importance: Importance,
  hop: HopConditions,
): number {
  let cost = SYMBOL_PRICE * PRICE_FACTORS[importance];
  const spareMs = Math.max(0, windowMs - roundsAfter * roundMs(hop));
  for (let round = 0; round < roundsAfter; round++) {
    // NACK or answer may fail; in the last round both have the spare time to escape a burst.
    const again = stillLost(round === 0 ? spareMs / 2 : MAX_EARLY_SPREAD_MS, hop);
    const failure = round === 0 ? 2 * hop.loss * again : hop.loss * (1 + again);
    cost = Math.min(cost, (round === 0 ? 2 : 1) + failure * cost);
  }
  return cost;
}

/** Chance that what is sent `gapMs` after a loss is lost too. */
function stillLost(gapMs: number, hop: HopConditions): number {
  return hop.loss + (1 - hop.loss) * Math.exp(-gapMs / hop.burstMs);
}

/**
 * Repair symbols to send unasked with a block of `sourceCount`, when `rounds` of NACK and answer can follow; `waitMs`: see `roundWaitMs`.
 */
export function proactiveCount(
  sourceCount: number,
  rounds: number,
  importance: Importance,
  hop: HopConditions,
  waitMs = 0,
): number {
  if (hop.loss < MIN_LOSS || (rounds > 0 && isBursty(hop))) return 0;
  const table = tableOf(hop.loss, importance);
  const wait = Math.min(MAX_WAIT_STEPS, Math.round((waitMs * WAIT_PRICE_A_MS) / WAIT_PRICE_STEP));
  const sources = Math.min(sourceCount, MAX_SOURCE_SYMBOLS);
  const key = (wait * (MAX_ROUNDS + 1) + rounds) * (MAX_SOURCE_SYMBOLS + 1) + sources;
  let count = table.proactive[key]!;
  if (count === NOT_COMPUTED) {
    const waitPrice = wait * WAIT_PRICE_STEP * PRICE_FACTORS[importance];
    count = cheapestProactive(table, sources, rounds, waitPrice);
    table.proactive[key] = count;
  }
  return count;
}

const NOT_COMPUTED = 0xff;

interface Table {
  loss: number;
  /** [rounds, this one included][deficit]: symbols to send, and expected cost of it and all that follows. */
  answers: Uint8Array[];
  costs: Float64Array[];
  proactive: Uint8Array;
}

const tables = new Map<number, Table>();

function tableOf(loss: number, importance: Importance): Table {
  const step = Math.ceil(Math.log(Math.min(0.6, Math.max(loss, MIN_LOSS)) / MIN_LOSS) / Math.log(LOSS_STEP));
  const factor = PRICE_FACTORS[importance];
  const key = step * 1000 + factor * 10;
  let table = tables.get(key);
  if (table === undefined) {
    // The middle of the step, not its end: the estimate is an upper one already.
    table = makeTable(Math.min(0.6, MIN_LOSS * LOSS_STEP ** (step - 0.5)), SYMBOL_PRICE * factor);
    tables.set(key, table);
  }
  return table;
}

function makeTable(loss: number, price: number): Table {
  const answers = [new Uint8Array(MAX_DEFICIT + 1)];
  const costs = [Float64Array.from({ length: MAX_DEFICIT + 1 }, (_, deficit) => deficit * price)];
  const lostOf = Array.from({ length: 3 * MAX_DEFICIT + 13 }, (_, count) => lossDistribution(count, loss));
  for (let round = 1; round <= MAX_ROUNDS + 1; round++) {
    const answer = new Uint8Array(MAX_DEFICIT + 1);
    const cost = new Float64Array(MAX_DEFICIT + 1);
    const after = costs[round - 1]!;
    for (let deficit = 1; deficit <= MAX_DEFICIT; deficit++) {
      let best = Number.POSITIVE_INFINITY;
      for (let count = deficit; count <= 3 * deficit + 12; count++) {
        let expected = count;
        for (let lost = count - deficit + 1; lost <= count; lost++) {
          expected += lostOf[count]![lost]! * after[deficit - count + lost]!;
        }
        if (expected >= best) break;
        best = expected;
        answer[deficit] = count;
      }
      // The NACK itself may be lost, all its copies too.
      cost[deficit] = best + loss ** 3 * (after[deficit]! - best);
    }
    answers.push(answer);
    costs.push(cost);
  }
  return {
    loss,
    answers,
    costs,
    proactive: new Uint8Array((MAX_WAIT_STEPS + 1) * (MAX_ROUNDS + 1) * (MAX_SOURCE_SYMBOLS + 1)).fill(
      NOT_COMPUTED,
    ),
  };
}

/** `waitPrice`: what it costs that anything must be asked for. */
function cheapestProactive(table: Table, sourceCount: number, rounds: number, waitPrice: number): number {
  const after = table.costs[rounds]!;
  let best = Number.POSITIVE_INFINITY;
  let found = 0;
  const most = Math.ceil(sourceCount * MAX_PROACTIVE_SHARE);
  for (let count = 0; count <= most; count++) {
    const lostOf = lossDistribution(sourceCount + count, table.loss);
    let expected = count;
    for (let lost = count + 1; lost <= sourceCount + count; lost++) {
      const deficit = lost - count;
      // Without a further round all missing sources are gone, not only as many as symbols are short.
      const gone = rounds === 0 ? (lost * sourceCount) / ((sourceCount + count) * deficit) : 1;
      const scale = deficit <= MAX_DEFICIT ? 1 : deficit / MAX_DEFICIT;
      expected += lostOf[lost]! * (waitPrice + after[Math.min(deficit, MAX_DEFICIT)]! * scale * gone);
    }
    if (expected >= best) continue;
    best = expected;
    found = count;
  }
  return found;
}

/** Chance of each number of losses among `count` datagrams. */
function lossDistribution(count: number, loss: number): Float64Array {
  const chances = new Float64Array(count + 1);
  chances[0] = 1;
  for (let n = 1; n <= count; n++) {
    for (let lost = n; lost > 0; lost--) {
      chances[lost] = chances[lost]! * (1 - loss) + chances[lost - 1]! * loss;
    }
    chances[0]! *= 1 - loss;
  }
  return chances;
}

/**
 * Copies of a NACK, to be spread over the time to spare: one costs a fortieth of what it asks for. In the last round of a bursty
 * hop they go on as long as an answer can come.
 */
export function nackCopies(isLastRound: boolean, hop: HopConditions): number {
  if (hop.loss < 0.002) return isLastRound ? 2 : 1;
  if (isLastRound && isBursty(hop)) return 6;
  const copies = hop.loss < 0.06 ? 2 : 3;
  return isLastRound && hop.loss >= 0.02 ? copies + 1 : copies;
}
