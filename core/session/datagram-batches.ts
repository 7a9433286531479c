/**
 * Datagrams that wait to be sent over TCP, several to a message (docs/wire.md, "Sessions over TCP"): what is pushed
 * within one turn of the program leaves together. Bounded by MAX_PENDING_DATAGRAMS.
 */
import { MAX_PENDING_DATAGRAMS, MAX_TCP_MESSAGE_BYTES } from "../wire/limits.ts";
import { TCP_DATAGRAM_PREFIX_BYTES, TCP_DATAGRAMS } from "../wire/tcp-messages.ts";

/** Memory is taken in pieces of this size; messages are views of them. */
const SLAB_BYTES = 4 * MAX_TCP_MESSAGE_BYTES;

interface Batch {
  message: Uint8Array;
  datagrams: number;
}

export class DatagramBatches {
  #slab = new Uint8Array(0);
  /** The batch that is being filled: where it begins and ends in the slab. */
  #start = 0;
  #end = 0;
  #filling = 0;
  #waiting: Batch[] = [];
  #pending = 0;

  /** Copies the datagram; false = too many wait. */
  push(datagram: Uint8Array): boolean {
    if (this.#pending >= MAX_PENDING_DATAGRAMS) return false;
    const bytes = TCP_DATAGRAM_PREFIX_BYTES + datagram.length;
    if (this.#filling > 0 && this.#end - this.#start + bytes > MAX_TCP_MESSAGE_BYTES) this.#close();
    if (this.#filling === 0) this.#begin(bytes + 1);
    if (this.#end + bytes > this.#slab.length) this.#move(bytes);
    this.#slab[this.#end] = datagram.length >>> 8;
    this.#slab[this.#end + 1] = datagram.length;
    this.#slab.set(datagram, this.#end + TCP_DATAGRAM_PREFIX_BYTES);
    this.#end += bytes;
    this.#filling++;
    this.#pending++;
    return true;
  }

  get isEmpty(): boolean {
    return this.#pending === 0;
  }

  /** The oldest message, undefined when nothing waits. */
  shift(): Uint8Array | undefined {
    if (this.#waiting.length === 0 && this.#filling > 0) this.#close();
    const batch = this.#waiting.shift();
    if (batch === undefined) return undefined;
    this.#pending -= batch.datagrams;
    return batch.message;
  }

  clear(): void {
    this.#waiting = [];
    this.#filling = 0;
    this.#pending = 0;
    this.#slab = new Uint8Array(0);
    this.#start = this.#end = 0;
  }

  #begin(bytes: number): void {
    if (this.#end + bytes > this.#slab.length) {
      this.#slab = new Uint8Array(SLAB_BYTES);
      this.#end = 0;
    }
    this.#start = this.#end;
    this.#slab[this.#end++] = TCP_DATAGRAMS;
  }

  /** The slab is full: the batch goes on in a new one. */
  #move(bytes: number): void {
    const begun = this.#slab.subarray(this.#start, this.#end);
    this.#slab = new Uint8Array(Math.max(SLAB_BYTES, begun.length + bytes));
    this.#slab.set(begun);
    this.#start = 0;
    this.#end = begun.length;
  }

  #close(): void {
    this.#waiting.push({
      message: this.#slab.subarray(this.#start, this.#end),
      datagrams: this.#filling,
    });
    this.#filling = 0;
  }
}
