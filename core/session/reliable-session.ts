/**
 * A session over TCP (docs/wire.md, "Sessions over TCP"): datagrams, streams and the close as messages of one pipe, the
 * same on both ends and in every runtime. Nothing is lost on the way; what the network is too slow for waits here, bounded.
 */
import { type Clock, every, type Timer } from "../clock.ts";
import { CLOSE_CODES } from "../wire/close-codes.ts";
import {
  MAX_CLOSE_REASON_BYTES,
  MAX_DATAGRAM_BYTES,
  MAX_TCP_SILENT_PERIODS,
  MAX_TCP_STREAMS,
  MAX_TCP_WAITING_BYTES,
  TCP_KEEP_ALIVE_MS,
} from "../wire/limits.ts";
import * as tcp from "../wire/tcp-messages.ts";
import { cutToUtf8Bytes } from "../wire/utf8.ts";
import { DatagramBatches } from "./datagram-batches.ts";
import type { MessagePipe } from "./message-pipe.ts";
import { ReliableStream } from "./reliable-stream.ts";
import {
  type ByteStream,
  emptyCounters,
  type SendFault,
  type Session,
  type SessionClose,
  SessionClosedError,
} from "./session.ts";

export interface ReliableSessionOptions {
  pipe: MessagePipe;
  clock: Clock;
  /** The side that dialled opens the streams with even numbers. */
  isDialled: boolean;
  id: string;
  remoteAddress: string;
  path: string;
}

export class ReliableSession implements Session {
  readonly id: string;
  readonly remoteAddress: string;
  readonly path: string;
  readonly isReliable = true;
  readonly datagramHeadroom = 0;
  readonly keepsDatagramBuffer = false;
  readonly maxDatagramBytes = MAX_DATAGRAM_BYTES;
  readonly counters = emptyCounters();
  readonly closed: Promise<SessionClose>;
  onDatagram: (bytes: Uint8Array) => void = () => undefined;
  readonly #pipe: MessagePipe;
  readonly #batches = new DatagramBatches();
  readonly #streams = new Map<number, ReliableStream>();
  /** Streams that have something to say, in order. */
  readonly #talking = new Map<ReliableStream, number>();
  readonly #early: ByteStream[] = [];
  readonly #watch: Timer;
  #onStream: ((stream: ByteStream) => void) | undefined;
  #settle!: (close: SessionClose) => void;
  #isOver = false;
  #isFlushing = false;
  #nextStream: number;
  #nextIncomingStream: number;
  #silentPeriods = 0;
  #hasSent = false;

  /** To be made in the moment that the pipe is there, so that nothing is missed. */
  constructor({ pipe, clock, isDialled, id, remoteAddress, path }: ReliableSessionOptions) {
    this.#pipe = pipe;
    this.id = id;
    this.remoteAddress = remoteAddress;
    this.path = path;
    this.#nextStream = isDialled ? 0 : 1;
    this.#nextIncomingStream = isDialled ? 1 : 0;
    this.closed = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.#watch = every(clock, TCP_KEEP_ALIVE_MS, () => this.#checkSilence());
    pipe.onMessage = (message) => this.#receive(message);
    pipe.onWritable = () => this.#flush();
    pipe.onOver = (detail) => this.#end({ code: CLOSE_CODES.lost, reason: detail, clean: false });
  }

  sendDatagram(buffer: Uint8Array): SendFault | undefined {
    const fault = this.#sendFault(buffer);
    if (fault !== undefined) {
      this.counters.dropped[fault]++;
      return fault;
    }
    this.counters.datagramsSent++;
    this.counters.datagramBytesSent += buffer.length;
    this.#flushSoon();
    return undefined;
  }

  #sendFault(buffer: Uint8Array): SendFault | undefined {
    if (this.#isOver) return "closed";
    if (buffer.length > MAX_DATAGRAM_BYTES) return "oversized";
    return this.#batches.push(buffer) ? undefined : "queue-full";
  }

  async openStream(): Promise<ByteStream> {
    if (this.#isOver) throw new SessionClosedError("the session is over; no stream can be opened");
    if (this.#ownStreams() >= MAX_TCP_STREAMS) {
      throw new SessionClosedError(`${MAX_TCP_STREAMS} streams are open: finish one first`);
    }
    const id = this.#nextStream;
    this.#nextStream += 2;
    const stream = this.#adopt(id);
    this.#send({ kind: tcp.TCP_STREAM_OPEN, stream: id });
    return stream;
  }

  #ownStreams(): number {
    let count = 0;
    for (const id of this.#streams.keys()) if ((id & 1) === (this.#nextStream & 1)) count++;
    return count;
  }

  #adopt(id: number): ReliableStream {
    const stream = new ReliableStream((talking) => {
      this.#talking.set(talking, id);
      this.#flushSoon();
    });
    this.#streams.set(id, stream);
    return stream;
  }

  get onStream(): (stream: ByteStream) => void {
    return this.#onStream ?? (() => undefined);
  }

  set onStream(listener: (stream: ByteStream) => void) {
    this.#onStream = listener;
    for (const stream of this.#early.splice(0)) listener(stream);
  }

  close(code: number, reason: string): void {
    if (this.#isOver) return;
    const shortReason = cutToUtf8Bytes(reason, MAX_CLOSE_REASON_BYTES);
    this.#batches.clear();
    // What was written before is of more use than an early end: a last message says why.
    let hasSaid = true;
    while (hasSaid) hasSaid = this.#sendOfStreams();
    this.#send({ kind: tcp.TCP_CLOSE, code, reason: shortReason });
    this.#end({ code, reason: shortReason, clean: true });
  }

  /** Everything of this turn of the program leaves together. */
  #flushSoon(): void {
    if (this.#isFlushing || this.#isOver) return;
    this.#isFlushing = true;
    void Promise.resolve().then(() => {
      this.#isFlushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (!this.#isOver && this.#pipe.waitingBytes < MAX_TCP_WAITING_BYTES) {
      // In turns, so that neither holds the other up.
      const hasSaid = this.#sendOfStreams();
      const batch = this.#batches.shift();
      if (batch !== undefined) this.#pass(batch);
      else if (!hasSaid) return;
    }
  }

  /** One message of a stream; false when none has anything to say. */
  #sendOfStreams(): boolean {
    for (const [stream, id] of this.#talking) {
      this.#talking.delete(stream);
      const task = stream.nextTask();
      if (task === undefined) continue;
      if (task === "end") this.#send({ kind: tcp.TCP_STREAM_END, stream: id });
      else if ("credit" in task) this.#send({ kind: tcp.TCP_STREAM_CREDIT, stream: id, credit: task.credit });
      else this.#send({ kind: tcp.TCP_STREAM_DATA, stream: id, bytes: task.bytes });
      // Behind the others, if it has more.
      this.#talking.set(stream, id);
      this.#forgetIfOver(id, stream);
      return true;
    }
    return false;
  }

  #forgetIfOver(id: number, stream: ReliableStream): void {
    if (!stream.isOver) return;
    this.#streams.delete(id);
    this.#talking.delete(stream);
  }

  #send(message: Parameters<typeof tcp.writeTcpMessage>[0]): void {
    this.#pass(tcp.writeTcpMessage(message));
  }

  #pass(message: Uint8Array): void {
    this.#hasSent = true;
    this.#pipe.send(message);
  }

  #receive(message: Uint8Array): void {
    if (this.#isOver) return;
    this.#silentPeriods = 0;
    try {
      this.#act(tcp.readTcpMessage(message));
    } catch (error) {
      if (!(error instanceof tcp.TcpMessageError)) throw error;
      this.close(CLOSE_CODES["protocol-error"], error.message);
    }
  }

  /** Throws TcpMessageError. */
  #act(message: tcp.TcpMessage): void {
    switch (message.kind) {
      case tcp.TCP_DATAGRAMS:
        return this.#takeDatagrams(message.datagrams);
      case tcp.TCP_STREAM_OPEN:
        return this.#takeStream(message.stream);
      case tcp.TCP_STREAM_DATA:
        require(this.#streamOf(message.stream)?.receive(message.bytes) === true, "more than a stream takes");
        return;
      case tcp.TCP_STREAM_END: {
        const stream = this.#streamOf(message.stream);
        require(stream?.receiveEnd() === true, "a second end of a stream");
        this.#forgetIfOver(message.stream, stream!);
        return;
      }
      case tcp.TCP_STREAM_CREDIT:
        // It may cross the stream's end.
        this.#streamOf(message.stream)?.receiveCredit(message.credit);
        return;
      case tcp.TCP_CLOSE:
        return this.#end({ code: message.code, reason: message.reason, clean: true });
      case tcp.TCP_KEEP_ALIVE:
        return;
    }
  }

  #takeDatagrams(datagrams: readonly Uint8Array[]): void {
    for (const datagram of datagrams) {
      if (this.#isOver) return;
      this.counters.datagramsReceived++;
      this.counters.datagramBytesReceived += datagram.length;
      this.onDatagram(datagram);
    }
  }

  #takeStream(id: number): void {
    require(id === this.#nextIncomingStream, `stream ${id} where ${this.#nextIncomingStream} is due`);
    this.#nextIncomingStream += 2;
    require(this.#streams.size - this.#ownStreams() < MAX_TCP_STREAMS, "too many open streams");
    const stream = this.#adopt(id);
    if (this.#onStream === undefined) this.#early.push(stream);
    else this.#onStream(stream);
  }

  /** Undefined when it is over. Throws TcpMessageError when there was none. */
  #streamOf(id: number): ReliableStream | undefined {
    const isOwn = (id & 1) === (this.#nextStream & 1);
    require(id < (isOwn ? this.#nextStream : this.#nextIncomingStream), `stream ${id} was never opened`);
    return this.#streams.get(id);
  }

  #checkSilence(): void {
    this.#silentPeriods++;
    if (this.#silentPeriods > MAX_TCP_SILENT_PERIODS) {
      return this.#end({ code: CLOSE_CODES.lost, reason: "nothing was heard for too long", clean: false });
    }
    if (!this.#hasSent) this.#send({ kind: tcp.TCP_KEEP_ALIVE });
    this.#hasSent = false;
  }

  #end(close: SessionClose): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#watch.cancel();
    this.#batches.clear();
    for (const stream of this.#streams.values()) stream.cut();
    this.#streams.clear();
    this.#talking.clear();
    this.#early.length = 0;
    this.#pipe.end();
    this.#settle(close);
  }
}

function require(condition: boolean, message: string): asserts condition {
  if (!condition) throw new tcp.TcpMessageError(message);
}
