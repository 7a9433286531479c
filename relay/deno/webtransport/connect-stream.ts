/**
 * The CONNECT stream of a session: one header section each way, then capsules in DATA frames until either side
 * finishes (RFC 9220, RFC 9297 section 3.1).
 */
import type { ByteSource } from "./byte-streams.ts";
import { type CapsuleEvent, CapsuleReader } from "./capsules.ts";
import { encodeFrame, RequestStreamReader } from "./frames.ts";
import { FRAME_DATA, FRAME_HEADERS, H3_REQUEST_INCOMPLETE, Http3Error } from "./http3-codes.ts";
import type { WebTransportLimits } from "./limits.ts";
import { decodeFieldSection, encodeFieldSection } from "./qpack.ts";
import type { HeaderField } from "./qpack-static-table.ts";

export class ConnectStream {
  readonly id: number;
  readonly #source: ByteSource;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #limits: WebTransportLimits;
  readonly #frames: RequestStreamReader;
  readonly #capsules: CapsuleReader;
  /** Capsules that came in the same chunk as the headers. */
  #early: CapsuleEvent[] = [];

  constructor(
    id: number,
    source: ByteSource,
    writer: WritableStreamDefaultWriter<Uint8Array>,
    limits: WebTransportLimits,
  ) {
    this.id = id;
    this.#source = source;
    this.#writer = writer;
    this.#limits = limits;
    this.#frames = new RequestStreamReader(limits);
    this.#capsules = new CapsuleReader(limits);
    // The promise rejects with the connection, which reports itself.
    writer.closed.catch(() => undefined);
  }

  /** The other side's header section. Throws Http3Error, or StreamAbortedError. */
  async readHeaders(): Promise<HeaderField[]> {
    const sections: HeaderField[][] = [];
    while (sections[0] === undefined) {
      const chunk = await this.#source.read();
      if (chunk === null) throw new Http3Error(H3_REQUEST_INCOMPLETE, "The stream ended before its headers.");
      this.#frames.push(chunk, (event) => {
        if (event.kind === "headers") sections.push(decodeFieldSection(event.block, this.#limits));
        else this.#capsules.push(event.bytes, (capsule) => this.#early.push(capsule));
      });
    }
    return sections[0];
  }

  /** Hands over each capsule until the other side finishes. Throws Http3Error, or StreamAbortedError. */
  async readCapsules(onCapsule: (event: CapsuleEvent) => void): Promise<void> {
    const early = this.#early;
    this.#early = [];
    early.forEach(onCapsule);
    for (;;) {
      const chunk = await this.#source.read();
      if (chunk === null) break;
      this.#frames.push(chunk, (event) => {
        if (event.kind === "data") this.#capsules.push(event.bytes, onCapsule);
      });
    }
    this.#frames.end();
    this.#capsules.end();
  }

  /** Sends our header section; settles when QUIC has taken it. */
  async sendHeaders(fields: readonly HeaderField[]): Promise<void> {
    await this.#writer.write(encodeFrame(FRAME_HEADERS, encodeFieldSection(fields)));
  }

  /** Sends a capsule. A failure means that the connection is going, which reports itself. */
  send(capsule: Uint8Array): void {
    this.#writer.write(encodeFrame(FRAME_DATA, capsule)).catch(() => undefined);
  }

  /** Finishes our side, behind everything sent before. */
  finish(): void {
    this.#writer.close().catch(() => undefined);
  }
}
