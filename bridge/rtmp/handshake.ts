/**
 * RTMP's handshake (specification 1.0, section 5.2), both sides, without I/O. It is the simple one: our version field is zero,
 * which tells programs that would sign theirs (the "digest" handshake of Flash, sent by ffmpeg) that nothing is signed here.
 */
import type { Random } from "../../core/clock.ts";
import { RtmpError } from "./rtmp-error.ts";

const VERSION = 3;
const ENCRYPTED_VERSION = 6;
/** C1, C2, S1 and S2. */
const BLOCK_BYTES = 1536;
/** Time and version in front of what is random. */
const HEAD_BYTES = 8;

export interface HandshakeStep {
  /** To be sent now. */
  reply: Uint8Array | undefined;
  /** Set when the handshake is over: what came behind it. */
  rest: Uint8Array | undefined;
}

export class Handshake {
  readonly #role: "server" | "client";
  readonly #own: Uint8Array;
  #pending = new Uint8Array(1 + 2 * BLOCK_BYTES);
  #length = 0;
  #answered = false;

  constructor(role: "server" | "client", random: Random) {
    this.#role = role;
    this.#own = new Uint8Array(1 + BLOCK_BYTES);
    this.#own[0] = VERSION;
    for (let at = 1 + HEAD_BYTES; at < this.#own.length; at++) this.#own[at] = Math.floor(random() * 256);
  }

  /** What the client sends first: C0 and C1. */
  hello(): Uint8Array {
    return this.#own;
  }

  /** Takes what came, in pieces of any size. Throws RtmpError. */
  push(bytes: Uint8Array): HandshakeStep {
    const taken = Math.min(bytes.length, this.#pending.length - this.#length);
    this.#pending.set(bytes.subarray(0, taken), this.#length);
    this.#length += taken;
    if (this.#length > 0) checkVersion(this.#pending[0]!);
    const whole = this.#length === this.#pending.length;
    const rest = whole ? bytes.subarray(taken) : undefined;
    return { reply: this.#role === "server" ? this.#serverReply() : this.#clientReply(whole), rest };
  }

  /** S0, S1 and S2 as soon as C1 is there. What C2 echoes is not looked at: programs differ in it. */
  #serverReply(): Uint8Array | undefined {
    if (this.#answered || this.#length < 1 + BLOCK_BYTES) return undefined;
    this.#answered = true;
    return joined(this.#own, this.#pending.subarray(1, 1 + BLOCK_BYTES));
  }

  /** C2 behind S2: some servers do not read before they have written all of it. */
  #clientReply(whole: boolean): Uint8Array | undefined {
    if (this.#answered || !whole) return undefined;
    this.#answered = true;
    return this.#pending.slice(1, 1 + BLOCK_BYTES);
  }
}

function checkVersion(version: number): void {
  if (version === ENCRYPTED_VERSION) {
    throw new RtmpError("unsupported", "RTMPE is not taken: use rtmps://, which is RTMP over TLS.");
  }
  // Later versions fall back to 3 (section 5.2.2); letters are another protocol.
  if (version < VERSION || version > 31) {
    throw new RtmpError("malformed", `This is not RTMP: it begins with byte 0x${version.toString(16)}.`);
  }
}

function joined(head: Uint8Array, tail: Uint8Array): Uint8Array {
  const all = new Uint8Array(head.length + tail.length);
  all.set(head);
  all.set(tail, head.length);
  return all;
}
