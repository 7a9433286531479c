/**
 * Measures the way to a relay over one session: round trip, loss, jitter and throughput, each way. A few seconds of
 * echoes at the pace of a call's sound, then load up, then load down. docs/wire.md, "Diagnosis".
 */
import { type Clock, every, type Random, type Timer } from "../../clock.ts";
import { ControlChannel } from "../../session/control-channel.ts";
import { Link } from "../../session/link.ts";
import { FULL_QUEUE_MS, type LoadSent, sendProbeLoad } from "../../session/probe-load.ts";
import type { Session } from "../../session/session.ts";
import { CLOSE_CODES, type CloseReason, closeReasonOf } from "../../wire/close-codes.ts";
import {
  type ClientMessageInput,
  type RelayMessage,
  relayMessageSchema,
} from "../../wire/control-messages.ts";
import { DATAGRAM_PROBE, HOP_HEADER_BYTES, hopSendTimeOf } from "../../wire/datagram.ts";
import { readEchoProbe, writeEchoProbe } from "../../wire/echo-probe.ts";
import { PROTOCOL_VERSION, REPORT_INTERVAL_MS } from "../../wire/limits.ts";
import { DirectionLog } from "./direction-log.ts";
import { EchoLog, type EchoMoment } from "./echo-log.ts";
import { quantile } from "./quantile.ts";

/** Echoes are asked for this often: a hundred a second, so that 3 % of loss is told from none within three seconds. */
const ECHO_INTERVAL_MS = 10;
/** While load is sent it is the load that is looked at. */
const LOADED_ECHO_INTERVAL_MS = 50;
/** With all headers about 126 kb/s each way: less than sound and the smallest picture. */
const ECHO_DATAGRAM_BYTES = 100;
const PROGRESS_INTERVAL_MS = 200;
const ANSWER_TIMEOUT_MS = 5_000;
/** Answers that come later than this count as lost: nothing in a call waits as long. */
const LATEST_ECHO_MS = 1_500;

export interface PathOptions {
  session: Session;
  clock: Clock;
  random: Random;
  ticket: string;
  client: string;
  /** Echoes alone, for so long. */
  steadyMs: number;
  /** Load in each direction, for so long; 0 = none. */
  loadMs: number;
  /** Now and then: how far it is (0..1), and what the echoes have told. */
  onProgress(share: number, timeline: EchoMoment[]): void;
}

export interface DirectionFigures {
  /** Share of datagrams lost while nothing but echoes was sent, 0..1. */
  loss: number;
  /** How much later than most the slowest 5 % came. */
  jitterMs: number;
  /** The most that came through, bits a second of datagrams; undefined = not measured. */
  throughputBps: number | undefined;
  /** The road carries no more than that; false = it might, more was not tried. */
  isLimited: boolean;
  /** How long datagrams waited in queues under load. */
  queueMs: number | undefined;
}

export interface PathFigures {
  relayId: string;
  maxDatagramBytes: number;
  /** Until the relay had checked the ticket. */
  admittedMs: number;
  rttMs: { min: number; p50: number; p95: number };
  echoesSent: number;
  echoesReceived: number;
  /** How late the latest 5 % of this device's own timers were: what it adds to every figure by being busy. */
  deviceLateMs: number;
  up: DirectionFigures;
  down: DirectionFigures;
  /** Round trips over time, for a picture. */
  timeline: EchoMoment[];
}

/** The relay does not measure with us, or stopped. `reason` is its close code's name, or what we found. */
export class PathError extends Error {
  override readonly name = "PathError";
  readonly reason: CloseReason | "no-echo";
  constructor(reason: CloseReason | "no-echo", message: string) {
    super(message);
    this.reason = reason;
  }
}

/** A browser's congestion control takes losses above this share for congestion, and needs time, and lanes, to get over it. */
const LOSSY = 0.03;
const LOSSY_LOAD_FACTOR = 2;

type Of<Type extends RelayMessage["type"]> = Extract<RelayMessage, { type: Type }>;

/** Closes the session at the end. Rejects with PathError. */
export async function measurePath(options: PathOptions): Promise<PathFigures> {
  const measurement = new PathMeasurement(options);
  try {
    return await measurement.run();
  } finally {
    measurement.end();
  }
}

class PathMeasurement {
  readonly #options: PathOptions;
  readonly #link: Link;
  readonly #echoes: EchoLog;
  readonly #out = new DirectionLog();
  readonly #in = new DirectionLog();
  readonly #body = new Uint8Array(ECHO_DATAGRAM_BYTES - HOP_HEADER_BYTES);
  readonly #timers: Timer[] = [];
  readonly #startUs: number;
  readonly #latesMs: number[] = [];
  readonly #ended: Promise<never>;
  #fail!: (error: PathError) => void;
  #control: ControlChannel<ClientMessageInput, typeof relayMessageSchema> | undefined;
  #onMessage: (message: RelayMessage) => void = () => undefined;
  #echoTimer: Timer | undefined;

  constructor(options: PathOptions) {
    this.#options = options;
    const { session, clock, random } = options;
    this.#startUs = clock.nowUs();
    this.#echoes = new EchoLog(this.#startUs, LATEST_ECHO_MS);
    this.#link = new Link(session, clock, Math.floor(random() * 0x10000), {
      onMedia: () => undefined,
      onOther: (datagram, nowUs) => this.#onDatagram(datagram, nowUs),
      onReport: (report) => this.#out.pushReport(report, this.#link.sentAtUs),
    });
    this.#ended = new Promise((_, reject) => {
      this.#fail = reject;
    });
    this.#ended.catch(() => undefined);
    void session.closed.then(({ code, reason }) => {
      const name = closeReasonOf(code);
      this.#fail(new PathError(name, reason || `the session ended: ${name}`));
    });
  }

  async run(): Promise<PathFigures> {
    const { clock, session, steadyMs, loadMs, onProgress } = this.#options;
    const { relayId, maxBps, maxLanes } = await this.#greet();
    const admittedMs = (clock.nowUs() - this.#startUs) / 1000;
    session.allowLanes?.(maxLanes);
    this.#timers.push(every(clock, REPORT_INTERVAL_MS, () => this.#link.tick()));
    this.#timers.push(this.#progress(steadyMs + 2 * loadMs, onProgress));
    const fromUs = clock.nowUs();
    await this.#steady(steadyMs);
    const untilUs = fromUs + steadyMs * 1000;
    const { received, rttsMs } = this.#echoes;
    if (received === 0) throw new PathError("no-echo", "the relay was reached, but no datagram came back");
    const echoesSent = this.#echoes.sent;
    const jitterOut = this.#out.jitterMs(fromUs, untilUs) ?? 0;
    const jitterIn = this.#in.jitterMs(fromUs, untilUs) ?? 0;
    const [lossOut, lossIn] = [this.#lossOut, this.#lossIn];
    // Where much is lost a browser takes longer to find out what it may send.
    const upMs = lossOut > LOSSY ? LOSSY_LOAD_FACTOR * loadMs : loadMs;
    const up = loadMs === 0 ? UNLOADED : await this.#loadUp(maxBps, upMs);
    // A road that was not full lost no more of the load than of anything: more to count.
    const upLoss = up.isLimited || loadMs === 0 ? lossOut : this.#lossOut;
    const down = loadMs === 0 ? UNLOADED : await this.#loadDown(maxBps, loadMs).catch(orUnmeasured);
    const downLoss = down.isLimited || loadMs === 0 ? lossIn : this.#lossIn;
    return {
      relayId,
      maxDatagramBytes: session.maxDatagramBytes,
      admittedMs,
      rttMs: { min: Math.min(...rttsMs), p50: quantile(rttsMs, 0.5)!, p95: quantile(rttsMs, 0.95)! },
      echoesSent,
      echoesReceived: received,
      deviceLateMs: quantile(this.#latesMs, 0.95) ?? 0,
      up: { ...up, loss: upLoss, jitterMs: jitterOut },
      down: { ...down, loss: downLoss, jitterMs: jitterIn },
      timeline: this.#echoes.timeline(clock.nowUs()),
    };
  }

  /** Share of what we sent so far. */
  get #lossOut(): number {
    const { reported } = this.#link;
    return reported === 0 ? 1 : this.#link.stats().datagramsLostOutbound / reported;
  }

  /** Share of what was sent to us so far. */
  get #lossIn(): number {
    const { datagramsReceived, datagramsLostInbound } = this.#link.stats();
    return datagramsLostInbound / Math.max(1, datagramsReceived + datagramsLostInbound);
  }

  end(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#echoTimer?.cancel();
    this.#control?.send({ type: "leave" });
    this.#options.session.close(CLOSE_CODES.normal, "measured");
  }

  async #greet(): Promise<Of<"diagnosing">> {
    const { session, clock, ticket, client } = this.#options;
    const stream = await Promise.race([session.openStream(), this.#ended]);
    const control = new ControlChannel(stream, relayMessageSchema, clock, undefined, {
      onMessage: (message) => this.#onMessage(message),
      onEnd: () => {
        // The session ends too, and says why.
      },
    });
    this.#control = control;
    const answer = this.#answer("diagnosing", ANSWER_TIMEOUT_MS);
    const { laneKey } = session;
    control.send({
      type: "diagnose",
      version: PROTOCOL_VERSION,
      ticket,
      client,
      ...(laneKey === undefined ? {} : { laneKey }),
      sentAtUs: Math.round(clock.nowUs()),
    });
    return await answer;
  }

  #answer<Type extends RelayMessage["type"]>(type: Type, timeoutMs: number): Promise<Of<Type>> {
    const answered = new Promise<Of<Type>>((resolve, reject) => {
      this.#onMessage = (message) => {
        if (message.type === type) resolve(message as Of<Type>);
      };
      const late = new PathError("hello-timeout", `the relay did not answer within ${timeoutMs} ms`);
      this.#timers.push(this.#options.clock.after(timeoutMs, () => reject(late)));
    });
    return Promise.race([answered, this.#ended]);
  }

  #progress(wholeMs: number, onProgress: PathOptions["onProgress"]): Timer {
    const { clock } = this.#options;
    const fromUs = clock.nowUs();
    return every(clock, PROGRESS_INTERVAL_MS, () => {
      const share = Math.min(1, (clock.nowUs() - fromUs) / 1000 / wholeMs);
      onProgress(share, this.#echoes.timeline(clock.nowUs()));
    });
  }

  /** Echoes alone; the last of them get their time to come back. */
  async #steady(durationMs: number): Promise<void> {
    this.#askEvery(ECHO_INTERVAL_MS);
    await this.#pause(durationMs);
    this.#echoTimer?.cancel();
    await this.#settle();
  }

  /** Until what is under way has arrived, and been reported. */
  async #settle(): Promise<void> {
    const usualMs = quantile(this.#echoes.rttsMs, 0.95) ?? LATEST_ECHO_MS;
    await this.#pause(Math.min(LATEST_ECHO_MS, usualMs * 1.5 + 2 * REPORT_INTERVAL_MS));
  }

  async #loadUp(maxBps: number, durationMs: number): Promise<Loaded> {
    const { clock } = this.#options;
    const [fromUs, mark] = [clock.nowUs(), this.#out.mark];
    this.#askEvery(LOADED_ECHO_INTERVAL_MS);
    const sending = new Promise<LoadSent>((resolve) => {
      this.#timers.push(sendProbeLoad(clock, this.#link, { maxBps, durationMs }, resolve));
    });
    const { bytes } = await Promise.race([sending, this.#ended]);
    const untilUs = clock.nowUs();
    await this.#settle();
    return this.#loaded(this.#out, mark, [fromUs, untilUs], !fills(bytes, maxBps, durationMs));
  }

  async #loadDown(maxBps: number, durationMs: number): Promise<Loaded> {
    const { clock } = this.#options;
    const [fromUs, mark] = [clock.nowUs(), this.#in.mark];
    const answer = this.#answer("load-sent", durationMs + ANSWER_TIMEOUT_MS);
    this.#control?.send({ type: "send-load", maxBps, durationMs });
    const { bytes } = await answer;
    this.#echoTimer?.cancel();
    const untilUs = clock.nowUs();
    await this.#settle();
    return this.#loaded(this.#in, mark, [fromUs, untilUs], !fills(bytes, maxBps, durationMs));
  }

  #loaded(log: DirectionLog, mark: number, [fromUs, untilUs]: [number, number], isLimited: boolean): Loaded {
    const queueMs = log.queueMs(fromUs, untilUs);
    const isFull = queueMs !== undefined && queueMs > FULL_QUEUE_MS;
    // Where next to nothing comes through, what came before is all there is to go by.
    const throughputBps = log.peakBps(mark) ?? log.peakBps(0) ?? 0;
    return { throughputBps, isLimited: isLimited || isFull, queueMs };
  }

  #askEvery(intervalMs: number): void {
    const { clock } = this.#options;
    this.#echoTimer?.cancel();
    let dueUs = clock.nowUs() + intervalMs * 1000;
    this.#echoTimer = every(clock, intervalMs, () => {
      const nowUs = clock.nowUs();
      this.#latesMs.push((nowUs - dueUs) / 1000);
      dueUs = nowUs + intervalMs * 1000;
      writeEchoProbe(this.#body, { isAnswer: false, id: this.#echoes.ask(nowUs) });
      this.#link.send(DATAGRAM_PROBE, this.#body, 0, true, nowUs);
    });
  }

  #onDatagram(datagram: Uint8Array, nowUs: number): void {
    this.#in.pushArrival(hopSendTimeOf(datagram), nowUs, datagram.length);
    if (datagram[0] !== DATAGRAM_PROBE) return;
    const probe = readEchoProbe(datagram);
    if (probe?.isAnswer === true) this.#echoes.answer(probe.id, nowUs);
  }

  #pause(durationMs: number): Promise<void> {
    const over = new Promise<void>((resolve) => {
      this.#timers.push(this.#options.clock.after(durationMs, resolve));
    });
    return Promise.race([over, this.#ended]);
  }
}

type Loaded = Omit<DirectionFigures, "loss" | "jitterMs">;

const UNLOADED: Loaded = { throughputBps: undefined, isLimited: false, queueMs: undefined };

/** On a very slow road the relay's patience ends first; what is known by then counts all the same. */
function orUnmeasured(error: unknown): Loaded {
  if (error instanceof PathError && error.reason === "normal") return UNLOADED;
  throw error;
}

/** Whether the load went up to its highest rate: its steps are 1/8, 1/4, 1/2 and all of it. */
function fills(bytes: number, maxBps: number, durationMs: number): boolean {
  return bytes * 8_000 >= 0.8 * (15 / 32) * maxBps * durationMs;
}
