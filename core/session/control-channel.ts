/**
 * The control stream of a session, either end: framed messages out through a bounded queue, checked messages in
 * by callback. Every way in which it can end comes out once. docs/wire.md, "Control channel".
 */
import type { z } from "zod";
import type { Clock } from "../clock.ts";
import type { CloseReason } from "../wire/close-codes.ts";
import { MAX_CONTROL_QUEUE_BYTES } from "../wire/limits.ts";
import { ControlMessageError, frameMessage, MessageReader } from "../wire/message-framing.ts";
import { type ByteStream, SessionClosedError } from "./session.ts";
import { TokenBucket } from "./token-bucket.ts";

export interface ControlHandlers<Received> {
  /** One checked message. A returned promise holds the following messages back until it is settled. */
  onMessage(message: Received): void | Promise<void>;
  /**
   * The channel is over; called once, last. `normal` = the other side ended its direction, `lost` = the session
   * or stream was cut off (mostly the session is over too and `Session.closed` says why), anything else = what the
   * session must be closed with and why.
   */
  onEnd(reason: CloseReason, message: string): void;
}

/** How many messages the other side may send; more end the channel with `too-many-messages`. */
export interface MessageRate {
  perSecond: number;
  burst: number;
}

export class ControlChannel<Sent extends object, Schema extends z.ZodType> {
  readonly #stream: ByteStream;
  readonly #clock: Clock;
  readonly #reader: MessageReader<Schema>;
  readonly #handlers: ControlHandlers<z.output<Schema>>;
  readonly #allowance: TokenBucket | undefined;
  readonly #maxQueueBytes: number;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #writer: Promise<void> | undefined;
  #ended = false;

  /** Starts reading at once. `rate` undefined = the other side may send as fast as it likes. */
  constructor(
    stream: ByteStream,
    schema: Schema,
    clock: Clock,
    rate: MessageRate | undefined,
    handlers: ControlHandlers<z.output<Schema>>,
    maxQueueBytes = MAX_CONTROL_QUEUE_BYTES,
  ) {
    this.#maxQueueBytes = maxQueueBytes;
    this.#stream = stream;
    this.#clock = clock;
    this.#reader = new MessageReader(schema);
    this.#handlers = handlers;
    this.#allowance = rate && new TokenBucket(rate.perSecond, rate.burst, clock.nowUs());
    void this.#receive();
  }

  /** Bytes that were sent and not yet taken by the stream. At most the maximum that was given. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Queues a message. Throws ControlMessageError when it is too large; after the end it does nothing. */
  send(message: Sent): void {
    if (!this.#ended) this.sendFramed(frameMessage(message));
  }

  /** Queues a message that `frameMessage` made, so that one frame serves many receivers; it must not change any more. */
  sendFramed(frame: Uint8Array): void {
    if (this.#ended) return;
    if (this.#queuedBytes + frame.length > this.#maxQueueBytes) {
      this.#end("slow-reader", `more than ${this.#maxQueueBytes} bytes of control messages are waiting`);
      return;
    }
    this.#queuedBytes += frame.length;
    this.#queue.push(frame);
    this.#writer ??= this.#write();
  }

  /** Ends our direction behind what is queued; resolves when done or impossible. */
  async finish(): Promise<void> {
    await this.#writer;
    try {
      await this.#stream.finish();
    } catch (cause) {
      this.#cutOff(cause);
    }
  }

  /** Stops reading, sending and calling back; the stream stays as it is. For an owner that closes the session. */
  stop(): void {
    this.#ended = true;
    this.#queue = [];
  }

  async #write(): Promise<void> {
    try {
      while (this.#queue.length > 0) {
        const batch = joined(this.#queue);
        this.#queue = [];
        await this.#stream.write(batch);
        this.#queuedBytes -= batch.length;
      }
    } catch (cause) {
      this.#cutOff(cause);
    }
    this.#writer = undefined;
  }

  async #receive(): Promise<void> {
    try {
      for (;;) {
        const bytes = await this.#stream.read();
        if (this.#ended) return;
        if (bytes === undefined) break;
        for (const message of this.#reader.push(bytes)) {
          if (this.#allowance?.take(1, this.#clock.nowUs()) === false) {
            return this.#end("too-many-messages", "control messages came faster than allowed");
          }
          const pending = this.#handlers.onMessage(message);
          if (pending !== undefined) await pending;
          if (this.#ended) return;
        }
      }
      this.#end("normal", "the other side ended the control stream");
    } catch (cause) {
      if (cause instanceof ControlMessageError) this.#end(cause.closeReason, cause.message);
      else this.#cutOff(cause);
    }
  }

  #cutOff(cause: unknown): void {
    const message = cause instanceof Error ? cause.message : String(cause);
    this.#end(cause instanceof SessionClosedError ? "lost" : "internal-error", message);
  }

  #end(reason: CloseReason, message: string): void {
    if (this.#ended) return;
    this.stop();
    this.#handlers.onEnd(reason, message);
  }
}

function joined(frames: Uint8Array[]): Uint8Array {
  if (frames.length === 1) return frames[0]!;
  let length = 0;
  for (const frame of frames) length += frame.length;
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const frame of frames) {
    bytes.set(frame, offset);
    offset += frame.length;
  }
  return bytes;
}
