/**
 * One diagnosis: a session that measures the way to this relay and joins nothing. Sends echoes back, reports what
 * arrives, sends load when asked; bounded in time, rate and load. docs/wire.md, "Diagnosis".
 */
import { type Clock, every, type Random, type Timer } from "../../core/clock.ts";
import { Link } from "../../core/session/link.ts";
import { sendProbeLoad } from "../../core/session/probe-load.ts";
import type { Session } from "../../core/session/session.ts";
import { TokenBucket } from "../../core/session/token-bucket.ts";
import { CLOSE_CODES, type CloseReason } from "../../core/wire/close-codes.ts";
import type { ClientMessage, RelayMessageInput } from "../../core/wire/control-messages.ts";
import { DATAGRAM_PROBE, HOP_HEADER_BYTES } from "../../core/wire/datagram.ts";
import { readEchoProbe, writeEchoProbe } from "../../core/wire/echo-probe.ts";
import {
  MAX_DIAGNOSIS_BPS,
  MAX_DIAGNOSIS_BURST_BYTES,
  MAX_DIAGNOSIS_LOAD_MS,
  MAX_DIAGNOSIS_MS,
  REPORT_INTERVAL_MS,
} from "../../core/wire/limits.ts";

export interface DiagnosisRunOptions {
  session: Session;
  clock: Clock;
  random: Random;
  send(message: RelayMessageInput): void;
  /** A datagram came above the allowed rate and was not looked at. */
  onRateLimited(): void;
  /** Called once: the session is over, or is being closed by us. `timed-out` = it took too long. */
  onEnd(how: CloseReason | "timed-out"): void;
}

export class DiagnosisRun {
  readonly #options: DiagnosisRunOptions;
  readonly #link: Link;
  readonly #timers: Timer[];
  readonly #body = new Uint8Array(2048);
  #load: Timer | undefined;
  #loadMs = 0;
  #ended = false;

  constructor(options: DiagnosisRunOptions) {
    this.#options = options;
    const { session, clock, random } = options;
    this.#link = new Link(session, clock, Math.floor(random() * 0x10000), {
      // There is no room that media could belong to.
      onMedia: () => undefined,
      onOther: (datagram) => this.#echo(datagram),
    });
    const allowance = new TokenBucket(MAX_DIAGNOSIS_BPS / 8, MAX_DIAGNOSIS_BURST_BYTES, clock.nowUs());
    const take = session.onDatagram;
    session.onDatagram = (bytes) => {
      if (allowance.take(bytes.length, clock.nowUs())) take(bytes);
      else options.onRateLimited();
    };
    this.#timers = [
      every(clock, REPORT_INTERVAL_MS, () => this.#link.tick()),
      clock.after(MAX_DIAGNOSIS_MS, () => {
        this.#end("timed-out");
        this.close("normal", `a diagnosis takes ${MAX_DIAGNOSIS_MS} ms at most`);
      }),
    ];
    void session.closed.then(({ clean }) => this.#end(clean ? "normal" : "lost"));
  }

  /** An echo is as long as what asked for it, so nobody gets more than they send. */
  #echo(datagram: Uint8Array): void {
    if (datagram[0] !== DATAGRAM_PROBE) return;
    const probe = readEchoProbe(datagram);
    if (probe === undefined || probe.isAnswer) return;
    const body = this.#body.subarray(0, datagram.length - HOP_HEADER_BYTES);
    writeEchoProbe(body, { isAnswer: true, id: probe.id });
    this.#link.send(DATAGRAM_PROBE, body, 0, true);
  }

  onMessage(message: ClientMessage): void {
    switch (message.type) {
      case "send-load":
        return this.#sendLoad(message.maxBps, message.durationMs);
      case "leave":
        return this.close("normal", "goodbye");
      default:
        return this.close("protocol-error", `a diagnosis does not know ${message.type}`);
    }
  }

  #sendLoad(maxBps: number, askedMs: number): void {
    const { clock, send } = this.#options;
    if (this.#load !== undefined) return this.close("protocol-error", "load is being sent already");
    const durationMs = Math.min(askedMs, MAX_DIAGNOSIS_LOAD_MS - this.#loadMs);
    this.#loadMs += durationMs;
    const plan = { maxBps: Math.min(maxBps, MAX_DIAGNOSIS_BPS), durationMs };
    this.#load = sendProbeLoad(clock, this.#link, plan, ({ datagrams, bytes }) => {
      this.#load = undefined;
      send({ type: "load-sent", datagrams, bytes });
    });
  }

  close(reason: CloseReason, message: string): void {
    this.#end(reason);
    this.#options.session.close(CLOSE_CODES[reason], message);
  }

  #end(how: CloseReason | "timed-out"): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const timer of this.#timers) timer.cancel();
    this.#load?.cancel();
    this.#options.onEnd(how);
  }
}
