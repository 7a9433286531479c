/** Takes what waits in a target's queue to its connection, one tag after the other, each behind the sequence header that it needs. */
import { type Clock, every } from "../../core/clock.ts";
import type { Amf0Object } from "../rtmp/amf0.ts";
import type { FlvTag } from "./flv-tag.ts";
import { MAX_KEYFRAME_WAIT_MS, STALL_TIMEOUT_MS } from "./limits.ts";
import type { TagQueue } from "./tag-queue.ts";
import { lostBy, type TargetConnection } from "./target-connection.ts";

const LOOK_MS = 500;

export class Sender {
  readonly #connection: TargetConnection;
  readonly #queue: TagQueue;
  readonly #clock: Clock;
  readonly #onWritten: (bytes: number, tag: FlvTag | undefined) => void;
  /** Of this connection: what was sent last of each kind. */
  readonly #headers: { sound: Uint8Array | undefined; picture: Uint8Array | undefined } = {
    sound: undefined,
    picture: undefined,
  };
  /** The first tag's time: each connection begins at 0. */
  #startMs: number | undefined;
  #writingSinceUs: number | undefined;
  #wake: (() => void) | undefined;
  #isOver = false;
  #isLast = false;

  /** `onWritten`: bytes that the socket has taken, and the sound or picture in them. */
  constructor(
    connection: TargetConnection,
    queue: TagQueue,
    clock: Clock,
    onWritten: (bytes: number, tag: FlvTag | undefined) => void,
  ) {
    this.#connection = connection;
    this.#queue = queue;
    this.#clock = clock;
    this.#onWritten = onWritten;
  }

  /** Something was queued. */
  wake(): void {
    this.#wake?.();
  }

  /** What is queued is the last; `run` resolves when it is sent. */
  drain(): void {
    this.#isLast = true;
    this.#wake?.();
  }

  /** Resolves when the connection has ended, or after `drain`. Closes a connection that takes nothing. Never rejects. */
  async run(metadata: Amf0Object): Promise<void> {
    const beganUs = this.#clock.nowUs();
    this.#connection.ended.then(() => {
      this.#isOver = true;
      this.#wake?.();
    });
    const watch = every(this.#clock, LOOK_MS, () => this.#look(beganUs));
    try {
      await this.#write(this.#connection.writeMetadata(metadata), undefined);
      while (!this.#isOver) {
        const tag = this.#queue.shift();
        if (tag !== undefined) await this.#send(tag);
        else if (this.#isLast) break;
        else await this.#somethingQueued();
      }
    } catch (error) {
      this.#connection.close(lostBy(error));
    } finally {
      watch.cancel();
    }
  }

  async #send(tag: FlvTag): Promise<void> {
    this.#startMs ??= tag.timestampMs;
    const timestampMs = Math.max(0, tag.timestampMs - this.#startMs);
    const { kind, header, body } = tag;
    if (this.#headers[kind] !== header) {
      this.#headers[kind] = header;
      await this.#write(this.#connection.writeMedia(kind, timestampMs, header), undefined);
    }
    await this.#write(this.#connection.writeMedia(kind, timestampMs, body), tag);
  }

  async #write(writing: Promise<number>, tag: FlvTag | undefined): Promise<void> {
    this.#writingSinceUs = this.#clock.nowUs();
    const bytes = await writing;
    this.#writingSinceUs = undefined;
    this.#onWritten(bytes, tag);
  }

  #somethingQueued(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }

  #look(beganUs: number): void {
    const nowUs = this.#clock.nowUs();
    if (nowUs - beganUs >= MAX_KEYFRAME_WAIT_MS * 1000) this.#queue.beginWithSound();
    if (this.#writingSinceUs === undefined) return;
    if (nowUs - this.#writingSinceUs < STALL_TIMEOUT_MS * 1000) return;
    const message = `took nothing for ${STALL_TIMEOUT_MS / 1000} s.`;
    this.#connection.close({ reason: "lost", message });
  }
}
