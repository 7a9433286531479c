/**
 * The server's end of one RTMP connection, without commands: handshake, chunks, window acknowledgements, pings, time-outs, and an end
 * that lets the other side read why. What messages mean is for its owner.
 */
import { type Clock, every, type Random, type Timer } from "../../core/clock.ts";
import { type ByteSocket, SocketError } from "../net/byte-socket.ts";
import { ChunkReader, type RtmpMessage } from "./chunk-reader.ts";
import { ChunkWriter } from "./chunk-writer.ts";
import { Handshake } from "./handshake.ts";
import { HANDSHAKE_MS, IDLE_MS, LINGER_MS, MAX_QUEUED_REPLY_BYTES, PING_AFTER_MS } from "./limits.ts";
import { acknowledgement, MESSAGE, readU32, readUserControl, USER_EVENT, userControl } from "./messages.ts";

/** Acknowledged after so many bytes where the other side has not said. */
const DEFAULT_WINDOW_BYTES = 2_500_000;
const TICK_MS = 1_000;

export interface ConnectionOptions {
  socket: ByteSocket;
  clock: Clock;
  random: Random;
  /** Messages that are not this layer's. What it returns is waited for before more is read. May throw; the run then rejects with it. */
  onMessage(message: RtmpMessage): Promise<void> | undefined;
  /** Once a second after the handshake. */
  onTick(): void;
}

export class ServerConnection {
  readonly #options: ConnectionOptions;
  readonly #socket: ByteSocket;
  readonly #reader: ChunkReader;
  readonly #writer = new ChunkWriter();
  readonly #handshake: Handshake;
  #messages: RtmpMessage[] = [];
  #received = 0;
  #acknowledged = 0;
  #windowBytes = DEFAULT_WINDOW_BYTES;
  #heardUs: number;
  #pingedUs = 0;
  #established = false;
  #ending = false;
  #timedOut: string | undefined;
  #lingering: Timer | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#socket = options.socket;
    this.#reader = new ChunkReader((message) => this.#messages.push(message));
    this.#handshake = new Handshake("server", options.random);
    this.#heardUs = options.clock.nowUs();
  }

  /** The handshake is over. */
  get established(): boolean {
    return this.#established;
  }

  /** `end` was called. */
  get ending(): boolean {
    return this.#ending;
  }

  /** Longer messages than commands are taken from now on. */
  takeMedia(): void {
    this.#reader.takeMedia();
  }

  /**
   * Reads until the other side or `end` ends it, which resolves to why, as a sentence. Rejects with SocketError, RtmpError and what
   * onMessage throws; the owner may then still send a status and has to call `close`.
   */
  async run(): Promise<string> {
    const { clock } = this.#options;
    const deadline = clock.after(HANDSHAKE_MS, () => {
      if (!this.#established) this.#cut(`It made no RTMP handshake within ${HANDSHAKE_MS / 1000} s.`);
    });
    const ticker = every(clock, TICK_MS, () => this.#tick());
    try {
      while (!this.#ending) {
        const bytes = await this.#read();
        if (bytes === undefined) return this.#timedOut ?? "The sender closed the connection.";
        await this.#take(bytes);
      }
      return "It was ended here.";
    } finally {
      deadline.cancel();
      ticker.cancel();
    }
  }

  async #read(): Promise<Uint8Array | undefined> {
    try {
      return await this.#socket.read();
    } catch (error) {
      if (error instanceof SocketError && (this.#timedOut !== undefined || this.#ending)) return undefined;
      throw error;
    }
  }

  async #take(bytes: Uint8Array): Promise<void> {
    this.#received = (this.#received + bytes.length) >>> 0;
    this.#heardUs = this.#options.clock.nowUs();
    let rest: Uint8Array | undefined = bytes;
    if (!this.#established) {
      const step = this.#handshake.push(bytes);
      if (step.reply !== undefined) this.#write(step.reply);
      rest = step.rest;
      this.#established = rest !== undefined;
    }
    if (rest === undefined) return;
    this.#reader.push(rest);
    const messages = this.#messages;
    if (messages.length > 0) this.#messages = [];
    for (const message of messages) {
      if (this.#ending) return;
      const wait = this.#dispatch(message);
      if (wait !== undefined) await wait;
    }
    this.#acknowledge();
  }

  #dispatch(message: RtmpMessage): Promise<void> | undefined {
    switch (message.type) {
      case MESSAGE.windowSize:
        this.#windowBytes = Math.max(1, readU32(message));
        return undefined;
      case MESSAGE.acknowledgement:
      case MESSAGE.setBandwidth:
        // We send little enough never to wait for either.
        readU32(message);
        return undefined;
      case MESSAGE.userControl: {
        const { event, value } = readUserControl(message);
        if (event === USER_EVENT.pingRequest) this.send(userControl(USER_EVENT.pingResponse, value));
        return undefined;
      }
      default:
        return this.#options.onMessage(message);
    }
  }

  #acknowledge(): void {
    if ((this.#received - this.#acknowledged) >>> 0 < this.#windowBytes) return;
    this.#acknowledged = this.#received;
    this.send(acknowledgement(this.#received));
  }

  #tick(): void {
    if (!this.#established || this.#ending) return;
    const nowUs = this.#options.clock.nowUs();
    const silentMs = (nowUs - this.#heardUs) / 1000;
    if (silentMs >= IDLE_MS) {
      this.#cut(`Nothing came for ${IDLE_MS / 1000} s.`);
      return;
    }
    if (silentMs >= PING_AFTER_MS && nowUs - this.#pingedUs >= PING_AFTER_MS * 1000) {
      this.#pingedUs = nowUs;
      this.send(userControl(USER_EVENT.pingRequest, Math.round(nowUs / 1000) >>> 0));
    }
    this.#options.onTick();
  }

  /** Never waits; a sender that does not read what we say is cut off. */
  send(message: RtmpMessage): void {
    this.#write(this.#writer.write(message));
    if (message.type === MESSAGE.setChunkSize) this.#writer.chunkBytes = readU32(message);
  }

  #write(bytes: Uint8Array): void {
    if (this.#socket.queuedBytes > MAX_QUEUED_REPLY_BYTES) {
      this.#cut("The sender does not read what it is told.");
      return;
    }
    this.#socket.write(bytes).catch((error: unknown) => {
      // Reading meets the same and says so.
      if (!(error instanceof SocketError)) throw error;
    });
  }

  #cut(why: string): void {
    this.#timedOut ??= why;
    this.#socket.destroy();
  }

  /** What was sent is the last; the other side has LINGER_MS to read it and to close. `run` resolves within that, then call `close`. */
  end(): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#socket.finish();
    this.#lingering = this.#options.clock.after(LINGER_MS, () => this.#socket.destroy());
  }

  /** Resolves when the connection is gone: at once, or after `end` when the other side has closed or its time is over. */
  async close(): Promise<void> {
    try {
      // What still comes is read and thrown away.
      while (this.#ending && (await this.#socket.read()) !== undefined);
    } catch (error) {
      if (!(error instanceof SocketError)) throw error;
    } finally {
      this.#lingering?.cancel();
      this.#socket.destroy();
    }
  }
}
