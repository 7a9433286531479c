/** What a receiver knows of one block beside its symbols: what came out of it, what is missing, and what was asked for. */
import { emptyMediaHeader, readMediaHeader } from "../../wire/datagram.ts";
import { MAX_SOURCE_SYMBOLS } from "../../wire/limits.ts";
import { NACK_NEEDS_ALL } from "../../wire/nack.ts";
import type { SymbolBlock } from "../reed-solomon/symbol-block.ts";
import { SymbolMask } from "./symbol-mask.ts";

const NEVER = Number.POSITIVE_INFINITY;

export class WantedBlock {
  number = -1;
  /** Source symbols that have come out. Known for longer than the block is kept: memory may be short, repair late. */
  readonly #emitted = new SymbolMask();
  highest = -1;
  /** A later block or a repair symbol has come, so there will be no more of this one by itself. */
  passed = false;
  /** Whole, or given up. */
  done = false;
  hasHole = false;
  holeUs = 0;
  /** When it became known that the block has ended. */
  knownUs = NEVER;
  /** When silence first suggested it. */
  suspectedUs = NEVER;
  /** Capture time of what came before it. */
  precedingUs = 0;
  /** NACKs of this block so far, copies not counted. */
  generation = 0;
  copiesLeft = 0;
  copySpacingUs = 0;
  roundEndsUs = NEVER;
  nextNackUs = NEVER;
  /** Highest index that the last NACK spoke of. */
  askedTo = -1;
  idleAsks = 0;
  /** The next NACK asks for what silence alone suggests. */
  isIdlePlan = false;

  begin(number: number, precedingUs: number): void {
    this.number = number;
    this.#emitted.clear();
    this.highest = -1;
    this.passed = false;
    this.done = false;
    this.hasHole = false;
    this.holeUs = 0;
    this.knownUs = NEVER;
    this.suspectedUs = NEVER;
    this.precedingUs = precedingUs;
    this.generation = 0;
    this.copiesLeft = 0;
    this.copySpacingUs = 0;
    this.roundEndsUs = NEVER;
    this.nextNackUs = NEVER;
    this.askedTo = -1;
    this.idleAsks = 0;
    this.isIdlePlan = false;
  }

  noteEmitted(index: number): void {
    if (index < MAX_SOURCE_SYMBOLS) this.#emitted.add(index);
  }

  /** Whether a source symbol has come out of block `number`, as far as that is remembered. */
  hasEmitted(number: number, index: number): boolean {
    return this.number === number && index < MAX_SOURCE_SYMBOLS && this.#emitted.has(index);
  }

  noteHole(nowUs: number): void {
    if (this.hasHole) return;
    this.hasHole = true;
    this.holeUs = nowUs;
  }

  /** No more of this block will come unasked. */
  endsKnown(symbols: SymbolBlock | undefined): boolean {
    return this.passed || (symbols !== undefined && symbols.sourceCount > 0);
  }

  /** One behind the last index that is known to exist. */
  knownEnd(symbols: SymbolBlock | undefined): number {
    return symbols !== undefined && symbols.sourceCount > 0 ? symbols.sourceCount : this.highest + 1;
  }

  /** Symbols needed to restore it, or NACK_NEEDS_ALL while its length is not known. */
  needed(symbols: SymbolBlock | undefined): number {
    if (symbols === undefined) return NACK_NEEDS_ALL;
    if (symbols.sourceCount > 0) return symbols.sourceCount - symbols.heldSources - symbols.heldRepairs;
    if (this.passed) return NACK_NEEDS_ALL;
    return this.highest + 1 - symbols.heldSources;
  }

  /** Whether more is missing than the last NACK spoke of. */
  hasNews(symbols: SymbolBlock | undefined): boolean {
    if (symbols === undefined || this.askedTo >= MAX_SOURCE_SYMBOLS) return false;
    if (this.nextMissing(symbols, this.askedTo + 1) < this.knownEnd(symbols)) return true;
    return this.passed && symbols.sourceCount === 0;
  }

  /** The first index at or above `from` that is not held; one behind the known end when all are. */
  nextMissing(symbols: SymbolBlock | undefined, from: number): number {
    if (symbols === undefined) return from;
    const end = this.knownEnd(symbols);
    let index = from;
    while (index < end && symbols.holds(index)) index++;
    return index;
  }

  /** Capture time of a missing datagram, guessed from those around it; rather too early than too late. */
  captureOfMissing(symbols: SymbolBlock | undefined, index: number): number {
    if (symbols === undefined) return this.precedingUs;
    let below = index - 1;
    while (below >= 0 && !symbols.holds(below)) below--;
    const belowUs = below < 0 ? this.precedingUs : captureOf(symbols.payload(below));
    let above = index + 1;
    while (above <= this.highest && !symbols.holds(above)) above++;
    if (above > this.highest) return belowUs;
    const aboveUs = captureOf(symbols.payload(above));
    return belowUs + ((aboveUs - belowUs) * (index - below)) / (above - below);
  }
}

const header = emptyMediaHeader();

function captureOf(mediaPart: Uint8Array): number {
  readMediaHeader(mediaPart, 0, header);
  return header.captureTimeUs;
}
