/** An RTMP client for tests that does as it is told, also what no sensible program would. */
import type { Random } from "../../../core/clock.ts";
import { type ByteSocket, SocketError } from "../../net/byte-socket.ts";
import type { Amf0Object, Amf0Value } from "../amf0.ts";
import { ChunkReader, type RtmpMessage } from "../chunk-reader.ts";
import { ChunkWriter, type ChunkWriterOptions } from "../chunk-writer.ts";
import { Handshake } from "../handshake.ts";
import { type Command, command, MESSAGE, readCommand, setChunkSize } from "../messages.ts";

export class TestClient {
  readonly socket: ByteSocket;
  /** Everything that came. */
  readonly received: RtmpMessage[] = [];
  /** The server has ended or cut the connection. */
  ended = false;
  readonly #writer: ChunkWriter;
  readonly #handshake: Handshake;
  readonly #reader = new ChunkReader((message) => this.received.push(message));
  #established = false;
  #onEstablished: () => void = () => undefined;
  /** The handshake is made: commands may be sent. */
  readonly established = new Promise<void>((resolve) => {
    this.#onEstablished = resolve;
  });

  constructor(socket: ByteSocket, random: Random, options: ChunkWriterOptions = {}) {
    this.socket = socket;
    this.#writer = new ChunkWriter(options);
    this.#handshake = new Handshake("client", random);
  }

  /** Sends C0 and C1 and reads from now on. */
  begin(): void {
    this.write(this.#handshake.hello());
    void this.#read();
  }

  async #read(): Promise<void> {
    try {
      for (;;) {
        const bytes = await this.socket.read();
        if (bytes === undefined) break;
        let rest: Uint8Array | undefined = bytes;
        if (!this.#established) {
          const step = this.#handshake.push(bytes);
          if (step.reply !== undefined) this.write(step.reply);
          rest = step.rest;
          this.#established = rest !== undefined;
          if (this.#established) this.#onEstablished();
        }
        if (rest !== undefined) this.#reader.push(rest);
      }
      this.socket.finish();
    } catch (error) {
      if (!(error instanceof SocketError)) throw error;
    }
    this.ended = true;
  }

  write(bytes: Uint8Array): void {
    this.socket.write(bytes).catch((error: unknown) => {
      if (!(error instanceof SocketError)) throw error;
    });
  }

  send(message: RtmpMessage): void {
    this.write(this.#writer.write(message));
  }

  call(name: string, transaction: number, args: Amf0Value[] = [], streamId = 0): void {
    this.send(command(name, transaction, null, args, streamId));
  }

  connect(object: Amf0Object = {}): void {
    this.send(command("connect", 1, { app: "live", tcUrl: "rtmp://a.example.org/live", ...object }));
  }

  /** connect, createStream and publish, one behind the other without waiting. */
  publish(key: string, object: Amf0Object = {}): void {
    this.connect(object);
    this.call("createStream", 2);
    this.call("publish", 3, [key, "live"], 1);
  }

  chunkBytes(bytes: number): void {
    this.send(setChunkSize(bytes));
    this.#writer.chunkBytes = bytes;
  }

  media(type: "audio" | "video", timestamp: number, payload: Uint8Array, streamId = 1): void {
    const chunkStreamId = type === "audio" ? 4 : 6;
    this.send({ type: MESSAGE[type], streamId, timestamp, chunkStreamId, payload });
  }

  /** Commands that came. */
  get commands(): Command[] {
    return this.received.filter(({ type }) => type === MESSAGE.command).map(readCommand);
  }

  /** Codes of every onStatus, _result and _error that has one, in order. */
  get codes(): unknown[] {
    return this.commands.flatMap(({ args }) => {
      const info = args[0];
      return typeof info === "object" && info !== null && "code" in info ? [info.code] : [];
    });
  }

  /** Description of the last of these. */
  get lastDescription(): unknown {
    const info = this.commands.at(-1)?.args[0];
    return typeof info === "object" && info !== null && "description" in info ? info.description : undefined;
  }
}
