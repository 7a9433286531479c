/**
 * What a probe's body may say in a diagnosis: "send this back", or "this is what you asked for". Any other body is padding.
 * docs/wire.md, "Diagnosis".
 */
import { HOP_HEADER_BYTES } from "./datagram.ts";

const ASKS = 1;
const ANSWERS = 2;
/** Kind and id; padding follows. */
const ECHO_BODY_BYTES = 5;

export interface EchoProbe {
  /** False: it asks for its echo. */
  isAnswer: boolean;
  /** Made up by who asks. u32 */
  id: number;
}

/** Reads the body of a probe datagram; undefined = padding. */
export function readEchoProbe(datagram: Uint8Array): EchoProbe | undefined {
  if (datagram.length < HOP_HEADER_BYTES + ECHO_BODY_BYTES) return undefined;
  const kind = datagram[HOP_HEADER_BYTES];
  if (kind !== ASKS && kind !== ANSWERS) return undefined;
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength);
  return { isAnswer: kind === ANSWERS, id: view.getUint32(HOP_HEADER_BYTES + 1) };
}

/** Writes kind and id to the start of a body of at least ECHO_BODY_BYTES. */
export function writeEchoProbe(body: Uint8Array, { isAnswer, id }: EchoProbe): void {
  body[0] = isAnswer ? ANSWERS : ASKS;
  new DataView(body.buffer, body.byteOffset, body.byteLength).setUint32(1, id);
}
