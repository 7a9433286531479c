/**
 * A session of the package as a MessagePipe: each message is a datagram capsule (RFC 9297). Its streams and its closes are
 * not used: they do not arrive in all of its combinations. What a hostile other side makes it hold is bounded here, and
 * what its parsers throw ends that session only.
 */
import type { Clock, Timer } from "../../core/clock.ts";
import type { MessagePipe } from "../../core/session/message-pipe.ts";
import {
  MAX_TCP_MESSAGE_BYTES,
  MAX_TCP_SOCKET_BYTES,
  MAX_TCP_WAITING_BYTES,
  TCP_CLOSE_LINGER_MS,
} from "../../core/wire/limits.ts";
import type { PackageParser, PackageSession, PackageStream } from "./package-objects.ts";

const DATAGRAM_CAPSULE = 0;
/** In front of the message of a capsule or of a WebSocket frame. */
const MAX_FRAMING_BYTES = 32;
/** Where the stream does not say by itself that it drains. */
const LOOK_EVERY_MS = 5;

/** Why a connection was cut below the session. */
export const CUT_REASONS = ["malformed", "fragmented", "oversized", "stream-opened", "never-reads"] as const;
export type CutReason = (typeof CUT_REASONS)[number];

export interface PipeEvents {
  /** The other side broke the rules. */
  onCut(reason: CutReason): void;
  /** What a callback of ours threw; its session is over. */
  onFault(error: unknown): void;
}

export class PackagePipe implements MessagePipe {
  onMessage: (message: Uint8Array) => void = () => undefined;
  onWritable: () => void = () => undefined;
  onOver: (detail: string) => void = () => undefined;
  readonly #stream: PackageStream;
  readonly #parser: PackageParser;
  readonly #clock: Clock;
  readonly #events: PipeEvents;
  #isCorked = false;
  #isEnded = false;
  #isOver = false;
  #look: Timer | undefined;
  #linger: Timer | undefined;

  /** To be made in the moment that the session is there. */
  constructor(session: PackageSession, clock: Clock, events: PipeEvents) {
    const { stream, capsParser } = session.objint;
    this.#stream = stream;
    this.#parser = capsParser;
    this.#clock = clock;
    this.#events = events;
    session.onDatagramReceived = ({ datagram }) => this.#hand(datagram);
    session.onStream = () => this.#cut("stream-opened");
    // How it ends is heard from the stream.
    session.ready.catch(() => undefined);
    session.closed.catch(() => undefined);
    this.#guard();
    stream.on("drain", () => this.#tellWritable());
    stream.on("end", () => this.#finish("the other side ended the connection"));
    stream.on("close", () => this.#finish("the connection was closed"));
    stream.on("error", (error) => this.#finish(error.message));
    // It may be over by now, and says that once only.
    if (stream.destroyed) void Promise.resolve().then(() => this.#finish("the connection was closed"));
  }

  #hand(message: Uint8Array): void {
    if (this.#isEnded) return;
    try {
      this.onMessage(message);
    } catch (error) {
      this.#events.onFault(error);
      this.#break("an internal error");
    }
  }

  /** The package's own listeners call these by name. */
  #guard(): void {
    const parser = this.#parser;
    const parse = parser.parseData.bind(parser);
    parser.parseData = (bytes) => {
      if (this.#isEnded) return;
      this.#attempt(() => parse(bytes));
      this.#checkHeld();
    };
    const drain = parser.drainWrites.bind(parser);
    parser.drainWrites = () => this.#attempt(drain);
  }

  #attempt(task: () => void): void {
    try {
      task();
    } catch {
      this.#cut("malformed");
    }
  }

  #checkHeld(): void {
    const { saveddata, contframes } = this.#parser;
    if ((saveddata?.length ?? 0) > MAX_TCP_MESSAGE_BYTES + MAX_FRAMING_BYTES) this.#cut("oversized");
    // No message of ours is long enough to be fragmented.
    else if (contframes !== undefined) this.#cut("fragmented");
    // It asks for answers, pongs for example, and takes none.
    else if (this.#stream.writableLength > MAX_TCP_SOCKET_BYTES) this.#cut("never-reads");
  }

  get waitingBytes(): number {
    const { writableLength, writableNeedDrain } = this.#stream;
    if (writableLength >= MAX_TCP_WAITING_BYTES && !writableNeedDrain) {
      this.#look ??= this.#clock.after(LOOK_EVERY_MS, () => {
        this.#look = undefined;
        this.#tellWritable();
      });
    }
    return writableLength;
  }

  #tellWritable(): void {
    if (!this.#isEnded) this.onWritable();
  }

  send(message: Uint8Array): void {
    if (this.#isEnded || this.#stream.destroyed) return;
    this.#corkForNow();
    this.#attempt(() =>
      this.#parser.writeCapsule({ type: DATAGRAM_CAPSULE, headerVints: [], payload: message }),
    );
  }

  /** What is sent in one turn of the program leaves in one piece. */
  #corkForNow(): void {
    if (this.#isCorked) return;
    this.#isCorked = true;
    this.#stream.cork();
    void Promise.resolve().then(() => {
      this.#isCorked = false;
      this.#stream.uncork();
    });
  }

  end(): void {
    if (this.#isEnded) return;
    if (!this.#stream.destroyed) {
      this.#attempt(() => this.#parser.sendCloseInt?.());
      this.#stream.end();
    }
    this.#isEnded = true;
    this.#linger = this.#clock.after(TCP_CLOSE_LINGER_MS, () => this.#stream.destroy());
  }

  #cut(reason: CutReason): void {
    if (this.#isEnded) return;
    this.#events.onCut(reason);
    this.#break(`the other side broke the rules: ${reason}`);
  }

  #break(detail: string): void {
    this.#isEnded = true;
    this.#stream.destroy();
    this.#finish(detail);
  }

  #finish(detail: string): void {
    if (this.#stream.destroyed) this.#linger?.cancel();
    if (this.#isOver) return;
    this.#isOver = true;
    this.#look?.cancel();
    this.onOver(detail);
    this.end();
  }
}
