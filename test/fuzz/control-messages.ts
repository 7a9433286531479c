/** Hostile bytes into the control channel: framing, MessagePack and schemas, cut at random places. */
import type { Clock } from "../../core/clock.ts";
import { ControlChannel } from "../../core/session/control-channel.ts";
import type { ByteStream } from "../../core/session/session.ts";
import type { CloseReason } from "../../core/wire/close-codes.ts";
import { clientMessageSchema, relayMessageSchema } from "../../core/wire/control-messages.ts";
import { treeMessageSchema } from "../../core/wire/tree-messages.ts";
import control from "../../core/wire/vectors/control.json" with { type: "json" };
import { seededRandom } from "../sim/seeded-random.ts";
import { hostileBytes } from "./mutation.ts";
import { bytesOfHex } from "./vector-bytes.ts";

const SIDES = ["client", "relay", "tree"] as const;
const SCHEMAS = { client: clientMessageSchema, relay: relayMessageSchema, tree: treeMessageSchema };
const EXPECTED_ENDS: ReadonlySet<CloseReason> = new Set(["normal", "protocol-error", "message-too-large"]);
const clock: Clock = { nowUs: () => 0, after: () => ({ cancel: () => undefined }) };

/** A stream that gives `bytes` in pieces of `size`, then ends. */
function streamOf(bytes: Uint8Array, size: number): ByteStream {
  let at = 0;
  return {
    write: () => Promise.resolve(),
    finish: () => Promise.resolve(),
    read: () => {
      const piece = at < bytes.length ? bytes.subarray(at, at + size) : undefined;
      at += size;
      return Promise.resolve(piece);
    },
  };
}

/**
 * Gives `count` inputs made from `seed` to a control channel each. Rejects when one ends in anything but a normal
 * end or a named fault. Resolves to how many messages were accepted.
 */
export async function fuzzControlMessages(seed: number, count: number): Promise<number> {
  const random = seededRandom(seed);
  const validOf = (side: string) =>
    control.filter((vector) => vector.side === side).map((vector) => bytesOfHex(vector.framed));
  const valid = { client: validOf("client"), relay: validOf("relay"), tree: validOf("tree") };
  let accepted = 0;
  for (let i = 0; i < count; i++) {
    const side = SIDES[Math.floor(random() * SIDES.length)]!;
    const bytes = hostileBytes(random, valid[side]);
    // Most mutations break the length; mend it often, so that the layers behind it are reached.
    if (bytes.length >= 4 && random() < 0.7) {
      new DataView(bytes.buffer).setUint32(0, bytes.length - 4);
    }
    const schema = SCHEMAS[side];
    const size = 1 + Math.floor(random() * 64);
    const end = await new Promise<CloseReason>((resolve) => {
      new ControlChannel<object, typeof schema>(streamOf(bytes, size), schema, clock, undefined, {
        onMessage: () => {
          accepted++;
        },
        onEnd: resolve,
      });
    });
    if (!EXPECTED_ENDS.has(end)) throw new Error(`seed ${seed}, input ${i}: ended with ${end}`);
  }
  return accepted;
}
