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

/** Cuts a byte stream into messages of one schema. Holds at most one message of at most MAX_CONTROL_MESSAGE_BYTES. */
export class MessageReader<Schema extends z.ZodType> {
  readonly #schema: Schema;
  #pending = new Uint8Array(0);

  constructor(schema: Schema) {
    this.#schema = schema;
  }

  /** Messages that are complete with these bytes, in order. Throws ControlMessageError; the reader is dead after that. */
  push(bytes: Uint8Array): z.output<Schema>[] {
    let data = bytes;
    if (this.#pending.length > 0) {
      data = new Uint8Array(this.#pending.length + bytes.length);
      data.set(this.#pending);
      data.set(bytes, this.#pending.length);
    }
    const messages: z.output<Schema>[] = [];
    let offset = 0;
    while (data.length - offset >= LENGTH_BYTES) {
      const length =
        data[offset]! * 0x1000000 +
        ((data[offset + 1]! << 16) | (data[offset + 2]! << 8) | data[offset + 3]!);
      if (length > MAX_CONTROL_MESSAGE_BYTES) {
        throw new ControlMessageError(
          "message-too-large",
          `a control message of ${length} bytes is over the limit of ${MAX_CONTROL_MESSAGE_BYTES}`,
        );
      }
      if (data.length - offset - LENGTH_BYTES < length) break;
      const start = offset + LENGTH_BYTES;
      messages.push(this.#decode(data.slice(start, start + length)));
      offset = start + length;
    }
    this.#pending = data.slice(offset);
    return messages;
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
