/**
 * Control messages on a byte stream: u32 length (big-endian), then one MessagePack map, validated by schema.
 * Specified in docs/wire.md, "Control channel".
 */
import { Packr } from "msgpackr";
import type { z } from "zod";
import { MAX_CONTROL_MESSAGE_BYTES } from "./limits.ts";

const packr = new Packr({ useRecords: false });
const LENGTH_BYTES = 4;

/** The other side broke the protocol; `closeReason` is what its session is closed with. */
export class ControlMessageError extends Error {
  override readonly name = "ControlMessageError";
  readonly closeReason: "message-too-large" | "protocol-error";
  constructor(closeReason: "message-too-large" | "protocol-error", message: string, options?: ErrorOptions) {
    super(message, options);
    this.closeReason = closeReason;
  }
}

/** One framed message. Throws ControlMessageError when it is larger than MAX_CONTROL_MESSAGE_BYTES. */
export function frameMessage(message: object): Uint8Array {
  const body = packr.pack(message);
  if (body.length > MAX_CONTROL_MESSAGE_BYTES) {
    throw new ControlMessageError(
      "message-too-large",
      `a control message of ${body.length} bytes is over the limit of ${MAX_CONTROL_MESSAGE_BYTES}`,
    );
  }
  const framed = new Uint8Array(LENGTH_BYTES + body.length);
  framed[0] = body.length >>> 24;
  framed[1] = body.length >>> 16;
  framed[2] = body.length >>> 8;
  framed[3] = body.length;
  framed.set(body, LENGTH_BYTES);
  return framed;
}

/** First allocation for a message that arrives in pieces; doubled as its bytes come, so that a claim alone costs nothing. */
const FIRST_BODY_BYTES = 1024;

/** Cuts a byte stream into messages of one schema. Holds at most one message of at most MAX_CONTROL_MESSAGE_BYTES. */
export class MessageReader<Schema extends z.ZodType> {
  readonly #schema: Schema;
  #prefixBytes = 0;
  #length = 0;
  #body = new Uint8Array(0);
  #filled = 0;

  constructor(schema: Schema) {
    this.#schema = schema;
  }

  /**
   * Messages that are complete with these bytes, in order; each byte is copied a bounded number of times, however
   * small the pieces. Throws ControlMessageError; the reader is dead after that.
   */
  push(bytes: Uint8Array): z.output<Schema>[] {
    const messages: z.output<Schema>[] = [];
    let offset = 0;
    while (offset < bytes.length) {
      if (this.#prefixBytes < LENGTH_BYTES) {
        this.#length = this.#length * 256 + bytes[offset++]!;
        if (++this.#prefixBytes === LENGTH_BYTES) checkLength(this.#length);
        continue;
      }
      const end = Math.min(bytes.length, offset + this.#length - this.#filled);
      this.#append(bytes.subarray(offset, end));
      offset = end;
      if (this.#filled < this.#length) continue;
      // The body is handed over, not reused: binary values of a message are views into it.
      const body = this.#body.subarray(0, this.#length);
      this.#body = new Uint8Array(0);
      this.#filled = 0;
      this.#length = 0;
      this.#prefixBytes = 0;
      messages.push(this.#decode(body));
    }
    return messages;
  }

  #append(part: Uint8Array): void {
    const needed = this.#filled + part.length;
    if (needed > this.#body.length) {
      const grown = new Uint8Array(
        Math.min(this.#length, Math.max(needed, 2 * this.#body.length, FIRST_BODY_BYTES)),
      );
      grown.set(this.#body.subarray(0, this.#filled));
      this.#body = grown;
    }
    this.#body.set(part, this.#filled);
    this.#filled = needed;
  }

  #decode(body: Uint8Array): z.output<Schema> {
    let value: unknown;
    try {
      value = packr.unpack(body);
    } catch (cause) {
      throw new ControlMessageError("protocol-error", "a control message is not valid MessagePack", {
        cause,
      });
    }
    const checked = this.#schema.safeParse(value);
    if (!checked.success) {
      const issue = checked.error.issues[0];
      throw new ControlMessageError(
        "protocol-error",
        `a control message does not fit its schema: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`.trim(),
      );
    }
    return checked.data;
  }
}

function checkLength(length: number): void {
  if (length > MAX_CONTROL_MESSAGE_BYTES) {
    throw new ControlMessageError(
      "message-too-large",
      `a control message of ${length} bytes is over the limit of ${MAX_CONTROL_MESSAGE_BYTES}`,
    );
  }
  if (length === 0) throw new ControlMessageError("protocol-error", "a control message is empty");
}
