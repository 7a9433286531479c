/** Datagrams of one track rendition that its own numbering shows missing after recovery. */
import { mediaBlockOf, mediaSymbolOf } from "../wire/datagram.ts";

export class BlockCount {
  #block = -1;
  #received = 0;
  #highest = -1;
  #lost = 0;

  get lost(): number {
    return this.#lost;
  }

  /**
   * Whole blocks skipped count once, holes in a block one by one; what comes late is taken out again.
   * @param holes gaps in the hop's sequence since the last call: without one, blocks were left out by the sender
   */
  push(datagram: Uint8Array, holes: number): void {
    const block = mediaBlockOf(datagram);
    const ahead = this.#block < 0 ? 1 : ((block - this.#block) << 16) >> 16;
    if (ahead < 0) {
      this.#lost = Math.max(0, this.#lost - 1);
      return;
    }
    if (ahead > 0) {
      if (this.#block >= 0) this.#lost += Math.min(ahead - 1, holes);
      this.#block = block;
      this.#received = 0;
      this.#highest = -1;
    }
    const holesBefore = this.#highest + 1 - this.#received;
    this.#received++;
    this.#highest = Math.max(this.#highest, mediaSymbolOf(datagram));
    this.#lost += this.#highest + 1 - this.#received - holesBefore;
  }
}
