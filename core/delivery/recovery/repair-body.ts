/** Writes repair datagrams of one track rendition, without their hop header, into memory that is used again. */
import { REPAIR_HEADER_BYTES, writeRepairHeader } from "../../wire/datagram.ts";
import { MAX_MEDIA_DATAGRAM_BYTES } from "../../wire/limits.ts";
import type { SymbolBlock } from "../reed-solomon/symbol-block.ts";

export class RepairBody {
  readonly #header;
  readonly #bytes = new Uint8Array(REPAIR_HEADER_BYTES + MAX_MEDIA_DATAGRAM_BYTES);

  constructor(trackId: number, rendition: number) {
    this.#header = { trackId, rendition, block: 0, sourceCount: 0, symbolIndex: 0, generation: 0 };
  }

  /** Symbol `index` of block `number`, made already; valid until the next call. */
  write(number: number, symbols: SymbolBlock, index: number, generation: number): Uint8Array {
    const header = this.#header;
    header.block = number;
    header.sourceCount = symbols.sourceCount;
    header.generation = generation;
    header.symbolIndex = index;
    writeRepairHeader(this.#bytes, 0, header);
    const symbol = symbols.payload(index);
    this.#bytes.set(symbol, REPAIR_HEADER_BYTES);
    return this.#bytes.subarray(0, REPAIR_HEADER_BYTES + symbol.length);
  }
}
