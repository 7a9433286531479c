/**
 * The receiving side of recovery for one track rendition on one hop: passes media on at once, and restores what is missing.
 * What it restores comes out whole, once, as if it had arrived. No timers: `poll` says when.
 * docs/wire.md, "Recovery".
 */
import {
  DATAGRAM_MEDIA,
  datagramFault,
  emptyMediaHeader,
  FLAG_BLOCK_END,
  HOP_HEADER_BYTES,
  MEDIA_HEADER_BYTES,
  REPAIR_HEADER_BYTES,
  readMediaHeader,
  readRepairHeader,
} from "../../wire/datagram.ts";
import {
  MAX_DATAGRAM_BYTES,
  MAX_HISTORY_BLOCKS,
  MAX_LOST_BLOCKS,
  MAX_SOURCE_SYMBOLS,
} from "../../wire/limits.ts";
import type { Nack } from "../../wire/nack.ts";
import type { SymbolBlock } from "../reed-solomon/symbol-block.ts";
import { type BlockHistory, blocksAhead } from "./block-history.ts";
import { NackSchedule } from "./nack-schedule.ts";
import { PlayoutDeadline } from "./playout-deadline.ts";
import { type InboundHop, isBursty } from "./protection-policy.ts";
import { StreamPace } from "./stream-pace.ts";
import { SymbolMask } from "./symbol-mask.ts";
import { WantedBlock } from "./wanted-block.ts";

/** Why a datagram was of no use, or a loss was not made good. */
export type RecoveryDrop =
  /** Held already, or restored before. */
  | "duplicate"
  /** Of a block that has been let go of. */
  | "stale"
  /** A repair symbol that does not fit its block, or a restored datagram that is none. */
  | "inconsistent"
  /** A repair symbol of a block that needs none. */
  | "needless";

export interface ReceiveCounters {
  /** Missing datagrams that came after all, through repair symbols or sent again. */
  recovered: number;
  nacks: number;
  /** Missing datagrams that were given up, because no answer could come in time. */
  givenUp: number;
  dropped: Readonly<Record<RecoveryDrop, number>>;
}

export interface BlockReceiverOptions {
  trackId: number;
  rendition: number;
  history: BlockHistory;
  hop: InboundHop;
  /** See `aimedDelayMs`. */
  isPicture: boolean;
  /** A media datagram, hop header included (a blank one when restored); valid until the call returns. */
  emit(datagram: Uint8Array, nowUs: number): void;
}

const header = emptyMediaHeader();
const lost = new SymbolMask();

export class BlockReceiver {
  readonly #options: BlockReceiverOptions;
  readonly #wanted: WantedBlock[] = Array.from({ length: MAX_HISTORY_BLOCKS }, () => new WantedBlock());
  readonly #deadline = new PlayoutDeadline();
  readonly #pace = new StreamPace();
  readonly #schedule: NackSchedule;
  readonly #restored = new Uint8Array(MAX_DATAGRAM_BYTES);
  readonly #dropped: Record<RecoveryDrop, number> = { duplicate: 0, stale: 0, inconsistent: 0, needless: 0 };
  #recovered = 0;
  #newest = -1;
  #holesBefore = 0;
  /** The sender leaves blocks out of late. */
  #leavesOut = false;

  /** `playoutDelayMs`: from undelayed arrival to the end of use; what would come later is not asked for. */
  constructor(options: BlockReceiverOptions, playoutDelayMs: number) {
    this.#options = options;
    const { trackId, rendition, history, hop, isPicture } = options;
    this.#schedule = new NackSchedule({
      trackId,
      rendition,
      history,
      isPicture,
      hop,
      deadline: this.#deadline,
      pace: this.#pace,
    });
    this.playoutDelayMs = playoutDelayMs;
  }

  get playoutDelayMs(): number {
    return this.#schedule.playoutDelayMs;
  }

  set playoutDelayMs(delayMs: number) {
    this.#schedule.playoutDelayMs = delayMs;
  }

  /** Asks for nothing that is missing so far. */
  forget(): void {
    for (const wanted of this.#wanted) wanted.begin(-1, 0);
    this.#newest = -1;
  }

  /** When `poll` should be called. */
  get dueUs(): number {
    return this.#schedule.dueUs;
  }

  get counters(): ReceiveCounters {
    const { nacks, givenUp } = this.#schedule;
    return { recovered: this.#recovered, nacks, givenUp, dropped: this.#dropped };
  }

  /**
   * Takes a media datagram of this track rendition, checked by `datagramFault`. What the history has from another hop that it is
   * shared with does not come out again; that it has come says as much of this hop as ever.
   */
  pushMedia(datagram: Uint8Array, nowUs: number): void {
    readMediaHeader(datagram, HOP_HEADER_BYTES, header);
    const { block: number, symbolIndex: index, flags, captureTimeUs } = header;
    const { history, emit } = this.#options;
    if (this.#wanted[number % MAX_HISTORY_BLOCKS]!.hasEmitted(number, index)) return this.#drop("duplicate");
    const fault = history.addSource(number, index, datagram, HOP_HEADER_BYTES, nowUs);
    if (fault === "stale") return this.#drop("stale");
    const isNew = fault !== "duplicate-symbol";
    this.#deadline.push(captureTimeUs, nowUs);
    const precedingUs = this.#pace.captureUs || captureTimeUs;
    this.#pace.push(header.frameId, captureTimeUs, header.fragmentIndex, header.fragmentCount, nowUs);
    const slot = this.#wanted[number % MAX_HISTORY_BLOCKS]!;
    const mayBeAnswer = slot.number === number && slot.generation > 0;
    const wanted = this.#arrive(number, precedingUs, captureTimeUs, !mayBeAnswer, nowUs);
    if (isNew && wanted.generation > 0 && (wanted.passed || index <= wanted.askedTo)) this.#recovered++;
    if (index > wanted.highest + 1) wanted.noteHole(nowUs);
    wanted.highest = Math.max(wanted.highest, index);
    wanted.noteEmitted(index);
    const symbols = history.find(number);
    // Before it is passed on: the hops behind this one protect a block once it is whole.
    if ((flags & FLAG_BLOCK_END) !== 0) symbols?.setSourceCount(index + 1);
    if (isNew) emit(datagram, nowUs);
    else this.#drop("duplicate");
    if (symbols === undefined) {
      if (history.isClosed(number)) wanted.done = true;
      return;
    }
    if (isNew && fault !== undefined) {
      // What cannot be kept cannot be told from what is lost: the block takes care of itself.
      wanted.done = true;
      return;
    }
    this.#advance(wanted, symbols, nowUs);
  }

  /** Takes a repair datagram of this track rendition, checked by `datagramFault`. */
  pushRepair(datagram: Uint8Array, nowUs: number): void {
    const { block: number, sourceCount, symbolIndex } = readRepairHeader(datagram, HOP_HEADER_BYTES);
    const { history } = this.#options;
    if (sourceCount > MAX_SOURCE_SYMBOLS) return this.#drop("inconsistent");
    if (history.isClosed(number)) return this.#drop("needless");
    const symbols = history.open(number, nowUs);
    if (symbols === undefined) return this.#drop("stale");
    if (symbols.isComplete) return this.#drop("needless");
    history.makeRoom(number, 1);
    const fault = symbols.addRepair(
      symbolIndex,
      sourceCount,
      datagram,
      HOP_HEADER_BYTES + REPAIR_HEADER_BYTES,
    );
    if (fault === "duplicate-symbol") return this.#drop("duplicate");
    if (fault !== undefined) return this.#drop("inconsistent");
    const wanted = this.#arrive(number, this.#pace.captureUs, this.#pace.captureUs, false, nowUs);
    // The sender makes repair when it has sent the block, so what is not here now is lost, or overtaken.
    wanted.passed = true;
    if (symbols.heldSources < sourceCount) wanted.noteHole(nowUs);
    this.#advance(wanted, symbols, nowUs);
  }

  /** Keeps account of the newest block and of blocks that were skipped. The history has taken the block. */
  #arrive(
    number: number,
    precedingUs: number,
    captureUs: number,
    isInTurn: boolean,
    nowUs: number,
  ): WantedBlock {
    const { holesSeen } = this.#options.hop;
    const ahead = this.#newest < 0 ? 1 : blocksAhead(number, this.#newest);
    const lostSomething = holesSeen !== this.#holesBefore;
    // What comes again, or for older blocks, says nothing about what was lost behind the newest.
    if (ahead >= 0 && isInTurn) this.#holesBefore = holesSeen;
    // So far behind can only be a numbering that began anew.
    if (ahead > 0 || ahead <= -MAX_HISTORY_BLOCKS) {
      if (this.#newest >= 0 && ahead > 0) this.#passTo(ahead, precedingUs, captureUs, lostSomething, nowUs);
      this.#newest = number;
    }
    const wanted = this.#wanted[number % MAX_HISTORY_BLOCKS]!;
    if (wanted.number !== number) wanted.begin(number, precedingUs);
    return wanted;
  }

  /** The stream goes on `ahead` blocks further: what the newest lacks is lost, and so are the blocks between. */
  #passTo(
    ahead: number,
    precedingUs: number,
    captureUs: number,
    lostSomething: boolean,
    nowUs: number,
  ): void {
    const before = this.#wanted[this.#newest % MAX_HISTORY_BLOCKS]!;
    const symbols = this.#options.history.find(this.#newest);
    if (before.number === this.#newest && !before.done && symbols !== undefined) {
      before.passed = true;
      if (!symbols.isComplete) before.noteHole(nowUs);
      this.#schedule.plan(before, symbols, nowUs);
    }
    // Without a gap in the hop's own numbering the sender left them out on purpose.
    if (!lostSomething) {
      this.#leavesOut = ahead > 1;
      return;
    }
    for (let step = Math.max(1, ahead - MAX_LOST_BLOCKS); step < ahead; step++) {
      const number = (this.#newest + step) & 0xffff;
      if (this.#options.history.isClosed(number)) continue;
      const skipped = this.#wanted[number % MAX_HISTORY_BLOCKS]!;
      if (skipped.number !== number) {
        skipped.begin(number, precedingUs + ((captureUs - precedingUs) * step) / (ahead + 1));
      }
      skipped.passed = true;
      skipped.noteHole(nowUs);
      this.#schedule.plan(skipped, this.#options.history.find(number), nowUs);
    }
  }

  #advance(wanted: WantedBlock, symbols: SymbolBlock, nowUs: number): void {
    if (!symbols.isComplete && symbols.isRestorable) this.#restore(wanted, symbols, nowUs);
    if (symbols.isComplete) {
      wanted.done = true;
      wanted.nextNackUs = Number.POSITIVE_INFINITY;
      this.#options.history.close(wanted.number);
      this.#expectNext(wanted, nowUs);
    } else {
      this.#schedule.plan(wanted, symbols, nowUs);
    }
  }

  /** On a bursty hop the whole next block may be lost: when it does not begin in time, it is asked for unseen. */
  #expectNext(wanted: WantedBlock, nowUs: number): void {
    // Where some are left out on purpose, nobody knows which is next.
    if (wanted.number !== this.#newest || this.#leavesOut) return;
    if (!isBursty(this.#options.hop.conditions)) return;
    const number = (wanted.number + 1) & 0xffff;
    const next = this.#wanted[number % MAX_HISTORY_BLOCKS]!;
    if (next.number !== number) next.begin(number, this.#pace.captureUs + this.#pace.intervalUs);
    this.#schedule.plan(next, undefined, nowUs);
  }

  #restore(wanted: WantedBlock, symbols: SymbolBlock, nowUs: number): void {
    const { history, emit } = this.#options;
    const count = symbols.sourceCount;
    history.makeRoom(wanted.number, count - symbols.heldSources);
    lost.clear();
    for (let index = 0; index < count; index++) {
      if (!symbols.holds(index) && !wanted.hasEmitted(wanted.number, index)) lost.add(index);
    }
    if (symbols.restore() !== undefined) {
      this.#drop("inconsistent");
      wanted.done = true;
      return;
    }
    for (let index = lost.next(0); index >= 0; index = lost.next(index + 1)) {
      const datagram = this.#rebuild(symbols.payload(index), wanted.number, index);
      if (datagram === undefined) this.#drop("inconsistent");
      else {
        this.#recovered++;
        wanted.noteEmitted(index);
        emit(datagram, nowUs);
      }
    }
  }

  /** A restored media part behind a blank hop header, or undefined when it is not what the block says. */
  #rebuild(part: Uint8Array, number: number, index: number): Uint8Array | undefined {
    const length = HOP_HEADER_BYTES + part.length;
    if (part.length < MEDIA_HEADER_BYTES || length > MAX_DATAGRAM_BYTES) return undefined;
    const datagram = this.#restored.subarray(0, length);
    datagram.fill(0, 0, HOP_HEADER_BYTES);
    datagram[0] = DATAGRAM_MEDIA;
    datagram.set(part, HOP_HEADER_BYTES);
    if (datagramFault(datagram) !== undefined) return undefined;
    readMediaHeader(datagram, HOP_HEADER_BYTES, header);
    const { trackId, rendition } = this.#options;
    const fits = header.trackId === trackId && header.rendition === rendition;
    return fits && header.block === number && header.symbolIndex === index ? datagram : undefined;
  }

  /** Emits the NACKs that are due; each is valid until `emitNack` returns. */
  poll(nowUs: number, emitNack: (nack: Nack) => void): void {
    const schedule = this.#schedule;
    if (nowUs < schedule.dueUs) return;
    let next = Number.POSITIVE_INFINITY;
    for (const wanted of this.#wanted) {
      if (wanted.nextNackUs <= nowUs) schedule.ask(wanted, nowUs, emitNack);
      if (wanted.nextNackUs < next) next = wanted.nextNackUs;
    }
    schedule.dueUs = next;
  }

  #drop(reason: RecoveryDrop): void {
    this.#dropped[reason]++;
  }
}
