/**
 * One RTMP target of an output: connects, publishes, sends what the programme gives, and comes again when it is left alone.
 * What it does not take waits in a queue of its own, so that no target slows another.
 */
import type { Clock, Random, Timer } from "../../core/clock.ts";
import type { JobState } from "../../core/wire/bridge-jobs.ts";
import { MAX_STATUS_CHARS } from "../../core/wire/limits.ts";
import type { ByteSocket } from "../net/byte-socket.ts";
import type { Amf0Object } from "../rtmp/amf0.ts";
import type { FlvTag } from "./flv-tag.ts";
import { CONNECT_TIMEOUT_MS, GOODBYE_TIMEOUT_MS, MAX_REFUSALS, STABLE_AFTER_MS } from "./limits.ts";
import { RetryPace } from "./retry-pace.ts";
import { Sender } from "./sender.ts";
import { TagQueue } from "./tag-queue.ts";
import { parseTargetUrl, type TargetGuard, TargetRefusedError, type TargetUrl } from "./target-address.ts";
import { type ConnectionEnd, lostBy, sentenceOf, TargetConnection } from "./target-connection.ts";

/** Where to connect to: an address that was checked, never a name. */
export interface Endpoint {
  address: string;
  port: number;
  /** TLS with this name in SNI, which the certificate must have; undefined = no TLS. */
  serverName: string | undefined;
  timeoutMs: number;
}

/** Opens a connection; rejects with SocketError, at the latest after `timeoutMs`. */
export type Dial = (endpoint: Endpoint) => Promise<ByteSocket>;

export interface TargetParts {
  clock: Clock;
  random: Random;
  guard: TargetGuard;
  dial: Dial;
  /** What onMetaData says now. */
  metadata(): Amf0Object;
  /** A target begins, or goes on behind a gap: it needs a keyframe. */
  onKeyframeNeeded(): void;
}

export interface TargetStatus {
  name: string;
  state: JobState;
  message: string;
  bytesSent: number;
  dropped: number;
}

/** How much of a new measurement goes into the latency shown. */
const LATENCY_WEIGHT = 1 / 16;

export class Target {
  readonly #parts: TargetParts;
  readonly #name: string;
  readonly #queue = new TagQueue();
  readonly #pace: RetryPace;
  readonly #finished: Promise<void>;
  #state: JobState = "starting";
  #message = "";
  #bytesSent = 0;
  #latencyMs: number | undefined;
  #refusals = 0;
  #attempts = 0;
  #connection: TargetConnection | undefined;
  #sender: Sender | undefined;
  /** Ends the pause between two attempts. */
  #endPause: (() => void) | undefined;
  #isClosing = false;

  /** `name`: for people; the host where none is given. Begins at once. */
  constructor(target: { name?: string | undefined; url: string }, parts: TargetParts) {
    this.#parts = parts;
    this.#pace = new RetryPace(parts.random);
    let url: TargetUrl | undefined;
    try {
      url = parseTargetUrl(target.url);
    } catch (error) {
      this.#say("failed", sentenceOf(error));
    }
    this.#name = target.name ?? url?.host ?? "target";
    this.#finished = url === undefined ? Promise.resolve() : this.#run(url);
  }

  get status(): TargetStatus {
    return {
      name: this.#name,
      state: this.#state,
      message: this.#message,
      bytesSent: this.#bytesSent,
      dropped: this.#queue.droppedPictures,
    };
  }

  /** From capture to the socket having taken it, milliseconds, smoothed; undefined while it does not run. */
  get latencyMs(): number | undefined {
    return this.#state === "running" ? this.#latencyMs : undefined;
  }

  /** What waits, and sound frames that had to be left out. */
  get load(): { queuedBytes: number; queuedTags: number; droppedSounds: number } {
    const { bytes, length, droppedSounds } = this.#queue;
    return { queuedBytes: bytes, queuedTags: length, droppedSounds };
  }

  push(tag: FlvTag): void {
    if (this.#sender === undefined || this.#isClosing) return;
    this.#queue.push(tag);
    this.#sender.wake();
  }

  /** Sends what waits, says goodbye and ends, within GOODBYE_TIMEOUT_MS. Never rejects. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#endPause?.();
    this.#sender?.drain();
    if (this.#sender === undefined) this.#connection?.close(GIVEN_UP);
    let timer: Timer | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = this.#parts.clock.after(GOODBYE_TIMEOUT_MS, resolve);
    });
    // A connection that is only being made is left to itself: it is cut as soon as it is there.
    await Promise.race([this.#finished, patience]);
    timer?.cancel();
    this.#connection?.close(GIVEN_UP);
    if (this.#state !== "failed") this.#say("ended", "");
  }

  async #run(original: TargetUrl): Promise<void> {
    let url = original;
    while (!this.#isClosing) {
      let end: ConnectionEnd;
      try {
        end = await this.#attempt(url);
      } catch (error) {
        if (this.#isClosing) return;
        // Where a target sent us may be forbidden; where it is itself is forbidden for good.
        if (url === original) return this.#say("failed", sentenceOf(error));
        end = { reason: "lost", message: "sent us where we may not go." };
      }
      url = (end.reason === "moved" ? movedUrl(url, end.tcUrl) : undefined) ?? original;
      if (this.#isClosing) return;
      if (end.reason === "refused" && ++this.#refusals >= MAX_REFUSALS) {
        return this.#say("failed", `${original.host} ${end.message} It is not tried again.`);
      }
      this.#say("reconnecting", `${original.host} ${end.message} Trying again.`);
      const isWished = end.reason === "moved" && this.#pace.isFresh;
      const pauseMs = this.#pace.next(end.reason === "refused" ? "refused" : "lost");
      if (!isWished) await this.#pause(pauseMs);
    }
  }

  /** One connection from beginning to end. Rejects with TargetRefusedError alone. */
  async #attempt(url: TargetUrl): Promise<ConnectionEnd> {
    let socket: ByteSocket;
    try {
      socket = await this.#connect(url);
    } catch (error) {
      if (error instanceof TargetRefusedError) throw error;
      return { reason: "lost", message: `is not reached: ${sentenceOf(error)}` };
    }
    const connection = new TargetConnection(socket, url);
    this.#connection = connection;
    try {
      if (this.#isClosing) return GIVEN_UP;
      if (await this.#publish(connection)) await this.#send(connection);
      return await connection.ended;
    } finally {
      socket.destroy();
      this.#connection = undefined;
    }
  }

  async #connect({ host, port, secure }: TargetUrl): Promise<ByteSocket> {
    const { guard, dial, clock } = this.#parts;
    let timer: Timer | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      const error = new Error(`its name was not found within ${CONNECT_TIMEOUT_MS / 1000} s.`);
      timer = clock.after(CONNECT_TIMEOUT_MS, () => reject(error));
    });
    try {
      const addresses = await Promise.race([guard.addressesOf(host), late]);
      const address = addresses[this.#attempts++ % addresses.length]!;
      const serverName = secure ? host : undefined;
      return await dial({ address, port, serverName, timeoutMs: CONNECT_TIMEOUT_MS });
    } finally {
      timer?.cancel();
    }
  }

  /** True when the target takes the stream; otherwise the connection has ended. */
  async #publish(connection: TargetConnection): Promise<boolean> {
    const message = `did not take the stream within ${CONNECT_TIMEOUT_MS / 1000} s.`;
    const late = (): void => connection.close({ reason: "lost", message });
    const timer = this.#parts.clock.after(CONNECT_TIMEOUT_MS, late);
    const opened = connection.open(this.#parts.random).then(
      () => true,
      (error) => {
        connection.close(lostBy(error));
        return false;
      },
    );
    const isOpen = await Promise.race([opened, connection.ended.then(() => false)]);
    timer.cancel();
    return isOpen;
  }

  async #send(connection: TargetConnection): Promise<void> {
    const { clock, metadata, onKeyframeNeeded } = this.#parts;
    const stable = clock.after(STABLE_AFTER_MS, () => {
      this.#pace.reset();
      this.#refusals = 0;
    });
    this.#queue.clear();
    this.#latencyMs = undefined;
    this.#sender = new Sender(connection, this.#queue, clock, (bytes, tag) => this.#count(bytes, tag));
    this.#say("running", "");
    onKeyframeNeeded();
    if (this.#isClosing) this.#sender.drain();
    await this.#sender.run(metadata());
    this.#sender = undefined;
    stable.cancel();
    if (!this.#isClosing) return;
    // The target ends the connection when it has read all; where it was lost in the meantime nothing more can be done.
    await connection.finish().catch(() => undefined);
  }

  #count(bytes: number, tag: FlvTag | undefined): void {
    this.#bytesSent += bytes;
    if (tag === undefined) return;
    const tookMs = Math.max(0, (this.#parts.clock.nowUs() - tag.captureUs) / 1000);
    const known = this.#latencyMs ?? tookMs;
    this.#latencyMs = known + (tookMs - known) * LATENCY_WEIGHT;
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#parts.clock.after(delayMs, resolve);
      this.#endPause = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  #say(state: JobState, message: string): void {
    this.#state = state;
    this.#message = message.slice(0, MAX_STATUS_CHARS);
  }
}

const GIVEN_UP: ConnectionEnd = { reason: "lost", message: "was left." };

/** Where a target asks to be connected to, with the same key; undefined where that is no RTMP URL, or gives up TLS. */
function movedUrl(from: TargetUrl, tcUrl: string | undefined): TargetUrl | undefined {
  if (tcUrl === undefined) return from;
  try {
    const base = new URL(tcUrl, from.tcUrl).href.replace(/[?#].*$/, "").replace(/\/+$/, "");
    const to = parseTargetUrl(`${base}/${from.streamKey}`);
    return from.secure && !to.secure ? undefined : to;
  } catch {
    return undefined;
  }
}
