/**
 * One connection to an RTMP target: handshake, the commands that encoders publish with (specification 1.0, section 7.2; releaseStream and
 * FCPublish by custom), then media out, and answers to what the target asks meanwhile. Ends once, with the reason.
 */
import type { Random } from "../../core/clock.ts";
import type { ByteSocket } from "../net/byte-socket.ts";
import type { Amf0Object, Amf0Value } from "../rtmp/amf0.ts";
import { ChunkReader, type RtmpMessage } from "../rtmp/chunk-reader.ts";
import { ChunkWriter } from "../rtmp/chunk-writer.ts";
import { Handshake } from "../rtmp/handshake.ts";
import * as message from "../rtmp/messages.ts";
import { MAX_PENDING_REPLIES, MAX_QUOTED_CHARS } from "./limits.ts";
import type { TargetUrl } from "./target-address.ts";

/** As OBS and ffmpeg do: large enough to cost nothing, small enough for every server. */
const CHUNK_BYTES = 4096;
/** What FMLE called itself; servers look for it before they take a publisher. */
const FLASH_VERSION = "FMLE/3.0 (compatible; Tributary)";
/** capsEx of Enhanced RTMP v2: we understand NetConnection.Connect.ReconnectRequest. */
const CAPS_RECONNECT = 1;

/** Why a connection is over. `message` goes on from the target's name: "refused the stream: ...". */
export interface ConnectionEnd {
  /** `lost`: cut off, ended or broken. `refused`: the target said no. `moved`: it wants us to come again, to `tcUrl` if it says so. */
  reason: "lost" | "refused" | "moved";
  message: string;
  tcUrl?: string | undefined;
}

export class TargetConnection {
  readonly #socket: ByteSocket;
  readonly #url: TargetUrl;
  readonly #writer = new ChunkWriter();
  readonly #answers = new Map<number, (result: Amf0Value[]) => void>();
  #onShaken: (() => void) | undefined;
  #onPublish: (() => void) | undefined;
  #streamId = 0;
  #end: ConnectionEnd | undefined;
  #ended: (end: ConnectionEnd) => void = () => undefined;
  #received = 0;
  #acknowledged = 0;
  #window = 0;
  #pendingReplies = 0;
  /** Settles when the connection is over; never rejects. */
  readonly ended: Promise<ConnectionEnd>;

  constructor(socket: ByteSocket, url: TargetUrl) {
    this.#socket = socket;
    this.#url = url;
    this.ended = new Promise((resolve) => {
      this.#ended = resolve;
    });
  }

  /** Resolves when the target takes the stream. When it does not, `ended` says why and this never settles: race them. */
  async open(random: Random): Promise<void> {
    const handshake = new Handshake("client", random);
    const shaken = new Promise<void>((resolve) => {
      this.#onShaken = resolve;
    });
    this.#read(handshake);
    await this.#socket.write(handshake.hello());
    await shaken;
    const told = this.#send(message.setChunkSize(CHUNK_BYTES));
    this.#writer.chunkBytes = CHUNK_BYTES;
    await told;
    const { app, tcUrl, streamKey } = this.#url;
    const properties = { app, type: "nonprivate", flashVer: FLASH_VERSION, swfUrl: tcUrl, tcUrl };
    await this.#ask(1, "connect", { ...properties, capsEx: CAPS_RECONNECT });
    await this.#send(message.command("releaseStream", 2, null, [streamKey]));
    await this.#send(message.command("FCPublish", 3, null, [streamKey]));
    const [streamId] = await this.#ask(4, "createStream", null);
    this.#streamId = typeof streamId === "number" ? streamId : 1;
    const published = new Promise<void>((resolve) => {
      this.#onPublish = resolve;
    });
    await this.#send(message.command("publish", 5, null, [streamKey, "live"], this.#streamId));
    await published;
  }

  /** Resolves with the bytes written when the socket has taken them; rejects with SocketError. */
  writeMedia(kind: "sound" | "picture", timestampMs: number, payload: Uint8Array): Promise<number> {
    return this.#send({
      type: kind === "sound" ? message.MESSAGE.audio : message.MESSAGE.video,
      streamId: this.#streamId,
      timestamp: timestampMs % 2 ** 32,
      chunkStreamId: kind === "sound" ? message.CHUNK_STREAM.audio : message.CHUNK_STREAM.video,
      payload,
    });
  }

  writeMetadata(entries: Amf0Object): Promise<number> {
    return this.#send(message.metadata(entries, this.#streamId));
  }

  /** Says goodbye; the target then shows an end and not a failure. Rejects with SocketError. */
  async finish(): Promise<void> {
    await this.#send(message.command("FCUnpublish", 6, null, [this.#url.streamKey]));
    await this.#send(message.command("deleteStream", 7, null, [this.#streamId]));
    this.#socket.finish();
  }

  /** Cuts it off. `end` is what `ended` says, unless it has ended before. */
  close(end: ConnectionEnd): void {
    this.#finishWith(end);
  }

  /** Reads until the end, whatever happens to the writing side. */
  async #read(handshake: Handshake): Promise<void> {
    const reader = new ChunkReader((each) => this.#take(each));
    let isShaking = true;
    try {
      for (;;) {
        const bytes = await this.#socket.read();
        if (bytes === undefined) break;
        if (this.#end !== undefined) return;
        this.#received += bytes.length;
        if (!isShaking) {
          reader.push(bytes);
        } else {
          const { reply, rest } = handshake.push(bytes);
          if (reply !== undefined) this.#reply(reply);
          if (rest !== undefined) {
            isShaking = false;
            this.#onShaken?.();
            reader.push(rest);
          }
        }
        this.#acknowledge();
      }
      this.#finishWith({ reason: "lost", message: "ended the connection." });
    } catch (error) {
      // SocketError or RtmpError: both say in a sentence what happened.
      this.#finishWith(lostBy(error));
    }
  }

  #take(each: RtmpMessage): void {
    if (this.#end !== undefined) return;
    switch (each.type) {
      case message.MESSAGE.userControl: {
        const { event, value } = message.readUserControl(each);
        if (event === message.USER_EVENT.pingRequest) {
          this.#replyWith(message.userControl(message.USER_EVENT.pingResponse, value));
        }
        return;
      }
      case message.MESSAGE.windowSize:
        this.#window = message.readU32(each);
        return;
      case message.MESSAGE.setBandwidth:
        this.#replyWith(message.windowSize(message.readU32(each)));
        return;
      case message.MESSAGE.command:
      case message.MESSAGE.command3:
        this.#takeCommand(message.readCommand(each));
    }
  }

  #takeCommand(command: message.Command): void {
    if (command.name === "_result" || command.name === "_error") {
      const answer = this.#answers.get(command.transaction);
      this.#answers.delete(command.transaction);
      // What is asked by custom only (releaseStream, FCPublish) may be refused.
      if (answer === undefined) return;
      if (command.name === "_result") answer(command.args);
      else this.#refuse(command.args[0]);
    } else if (command.name === "onStatus") {
      this.#takeStatus(command.args[0]);
    } else if (command.name === "close") {
      this.#finishWith({ reason: "lost", message: "closed the connection." });
    }
  }

  #takeStatus(info: Amf0Value): void {
    const { level, code } = propertiesOf(info);
    if (code === "NetStream.Publish.Start") {
      this.#onPublish?.();
    } else if (code === "NetConnection.Connect.ReconnectRequest") {
      const { tcUrl } = propertiesOf(info);
      const end = { reason: "moved", message: "asked to be connected to anew." } as const;
      this.#finishWith(typeof tcUrl === "string" && tcUrl !== "" ? { ...end, tcUrl } : end);
    } else if (code === "NetStream.Unpublish.Success" || code === "NetConnection.Connect.Closed") {
      this.#finishWith({ reason: "lost", message: "ended the stream." });
    } else if (level === "error") {
      this.#refuse(info);
    }
  }

  #refuse(info: Amf0Value): void {
    const { code, description, ex } = propertiesOf(info);
    // Some send publishers on to the server that has room for them.
    const { redirect } = propertiesOf(ex);
    if (typeof redirect === "string" && redirect !== "") {
      return this.#finishWith({ reason: "moved", message: "sent us to another server.", tcUrl: redirect });
    }
    const said = [code, description].filter((part) => typeof part === "string" && part !== "").join(": ");
    const quoted = this.#quote(said);
    const message = `refused the stream${quoted === "" ? "" : ` (${quoted})`}: check its URL and stream key.`;
    this.#finishWith({ reason: "refused", message });
  }

  /** Words of the target that may be shown: short, printable, and without the stream key, which some repeat. */
  #quote(text: string): string {
    const { streamKey } = this.#url;
    const name = streamKey.split("?")[0]!;
    let quoted = text;
    for (const secret of [streamKey, name]) if (secret !== "") quoted = quoted.replaceAll(secret, "…");
    return quoted
      .replace(/\p{C}+/gu, " ")
      .trim()
      .slice(0, MAX_QUOTED_CHARS);
  }

  #ask(transaction: number, name: string, object: Amf0Object | null): Promise<Amf0Value[]> {
    const answered = new Promise<Amf0Value[]>((resolve) => this.#answers.set(transaction, resolve));
    return this.#send(message.command(name, transaction, object)).then(() => answered);
  }

  async #send(each: RtmpMessage): Promise<number> {
    // Chunks refer to the ones before: they are made and handed over in one go.
    const bytes = this.#writer.write(each);
    await this.#socket.write(bytes);
    return bytes.length;
  }

  #acknowledge(): void {
    if (this.#window === 0 || this.#received - this.#acknowledged < this.#window / 2) return;
    this.#acknowledged = this.#received;
    this.#replyWith(message.acknowledgement(this.#received % 2 ** 32));
  }

  #replyWith(each: RtmpMessage): void {
    if (this.#pendingReplies < MAX_PENDING_REPLIES) this.#reply(this.#writer.write(each));
  }

  #reply(bytes: Uint8Array): void {
    this.#pendingReplies++;
    this.#socket.write(bytes).then(
      () => this.#pendingReplies--,
      (error) => this.#finishWith(lostBy(error)),
    );
  }

  #finishWith(end: ConnectionEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    // A write that waits for a target which has said all it had to say would wait for ever.
    this.#socket.destroy();
    this.#ended(end);
  }
}

function propertiesOf(info: Amf0Value): Record<string, Amf0Value> {
  return message.isAmf0Object(info) ? info : {};
}

/** What an error says, with a full stop. */
export function sentenceOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/[.\s]*$/, ".");
}

/** How a connection ends that breaks. */
export function lostBy(error: unknown): ConnectionEnd {
  return { reason: "lost", message: `was lost: ${sentenceOf(error)}` };
}
