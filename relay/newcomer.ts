/**
 * A session until its hello is verified: bounded in time, deaf to datagrams, one message. What becomes of it is
 * the relay's to say (`admit`). docs/wire.md, "Control channel".
 */
import type { Clock } from "../core/clock.ts";
import { ControlChannel } from "../core/session/control-channel.ts";
import type { ByteStream, Session } from "../core/session/session.ts";
import { CLOSE_CODES, type CloseReason } from "../core/wire/close-codes.ts";
import { type ClientMessage, clientMessageSchema } from "../core/wire/control-messages.ts";
import {
  HELLO_TIMEOUT_MS,
  MAX_CONTROL_MESSAGE_BURST,
  MAX_CONTROL_MESSAGES_PER_SECOND,
  PROTOCOL_VERSION,
} from "../core/wire/limits.ts";
import type { RelayChannel } from "./member.ts";
import { Refusal } from "./refusal.ts";
import type { ArrivalTicket } from "./arrival-ticket.ts";

/** A session whose ticket is good. */
export interface Arrival {
  readonly session: Session;
  readonly channel: RelayChannel;
  readonly hello: Extract<ClientMessage, { type: "hello" }>;
  readonly helloReceivedAtUs: number;
  readonly ticket: ArrivalTicket;
  /** True once the session is over, or was refused for taking too long. */
  isGone(): boolean;
}

/** A session whose ticket is good and which wants to measure the way to this relay, and to join nothing. */
export interface DiagnosisArrival {
  readonly session: Session;
  readonly channel: RelayChannel;
  readonly request: Extract<ClientMessage, { type: "diagnose" }>;
  readonly ticket: ArrivalTicket;
  /** True once the session is over, or was refused for taking too long. */
  isGone(): boolean;
}

/** Who takes the control channel over once a newcomer is in. */
export interface Admitted {
  onMessage(message: ClientMessage): void;
  onChannelEnd(reason: CloseReason, message: string): void;
}

export interface NewcomerOptions {
  clock: Clock;
  /** Rejects with Refusal. */
  verifyTicket(ticket: string): Promise<ArrivalTicket>;
  /** Lets a verified newcomer in, or rejects with Refusal. Must look at `isGone` after each wait. */
  admit(arrival: Arrival): Promise<Admitted>;
  /** The same for a diagnosis. */
  admitDiagnosis(arrival: DiagnosisArrival): Promise<Admitted>;
  onUnauthenticatedDatagram(): void;
  /** Called once: admitted, refused or gone. */
  onSettled(): void;
}

const RATE = { perSecond: MAX_CONTROL_MESSAGES_PER_SECOND, burst: MAX_CONTROL_MESSAGE_BURST };

export class Newcomer {
  readonly #session: Session;
  readonly #options: NewcomerOptions;
  #channel: RelayChannel | undefined;
  #admitted: Admitted | undefined;
  #settled = false;
  #settle: () => void;

  constructor(session: Session, options: NewcomerOptions) {
    this.#session = session;
    this.#options = options;
    const timer = options.clock.after(HELLO_TIMEOUT_MS, () => {
      this.#refuse("hello-timeout", `no valid hello within ${HELLO_TIMEOUT_MS} ms`);
    });
    this.#settle = () => {
      if (this.#settled) return;
      this.#settled = true;
      timer.cancel();
      options.onSettled();
    };
    session.onDatagram = () => options.onUnauthenticatedDatagram();
    session.onStream = (stream) => this.#onStream(stream);
    void session.closed.then(() => this.#settle());
  }

  #onStream(stream: ByteStream): void {
    // The first is the control stream. Others have no meaning yet: they are ended and never read.
    if (this.#channel !== undefined) {
      stream.finish().catch(() => {
        // The session went meanwhile, which is heard of elsewhere.
      });
      return;
    }
    this.#channel = new ControlChannel(stream, clientMessageSchema, this.#options.clock, RATE, {
      onMessage: (message) => this.#onMessage(message),
      onEnd: (reason, message) => {
        if (this.#admitted === undefined) this.#refuse(reason, message);
        else this.#admitted.onChannelEnd(reason, message);
      },
    });
  }

  #onMessage(message: ClientMessage): void | Promise<void> {
    if (this.#admitted !== undefined) return this.#admitted.onMessage(message);
    if (message.type !== "hello" && message.type !== "diagnose") {
      return this.#refuse("protocol-error", `the first message must be hello, not ${message.type}`);
    }
    if (message.version !== PROTOCOL_VERSION) {
      const text = `this relay speaks protocol version ${PROTOCOL_VERSION}, not ${message.version}`;
      return this.#refuse("unsupported-version", text);
    }
    return this.#greet(message, this.#options.clock.nowUs());
  }

  async #greet(
    first: Extract<ClientMessage, { type: "hello" | "diagnose" }>,
    helloReceivedAtUs: number,
  ): Promise<void> {
    const { verifyTicket, admit, admitDiagnosis } = this.#options;
    try {
      const ticket = await verifyTicket(first.ticket);
      if (this.#settled) return;
      const session = this.#session;
      const isGone = (): boolean => this.#settled;
      const arrival = { session, channel: this.#channel!, ticket, isGone };
      this.#admitted =
        first.type === "hello"
          ? await admit({ ...arrival, hello: first, helloReceivedAtUs })
          : await admitDiagnosis({ ...arrival, request: first });
      this.#settle();
    } catch (cause) {
      if (cause instanceof Refusal) this.#refuse(cause.reason, cause.message);
      else this.#refuse("internal-error", cause instanceof Error ? cause.message : String(cause));
    }
  }

  #refuse(reason: CloseReason, message: string): void {
    this.#channel?.stop();
    this.#session.close(CLOSE_CODES[reason], message);
    this.#settle();
  }
}
