/**
 * One program that sends us a stream by RTMP: connect, createStream, publish and their kin in the forms that ffmpeg, OBS, GStreamer
 * and librtmp use. Nothing is said to have started before its key was judged; each refusal has a status for the sender and a log line.
 */
import type { Clock, Random, Timer } from "../../core/clock.ts";
import { type ByteSocket, SocketError } from "../net/byte-socket.ts";
import type { RtmpMessage } from "./chunk-reader.ts";
import { connectRejection, connectResult, understandsReconnect } from "./connect-answer.ts";
import type { Authorise, IngestAnswer, IngestEnd, IngestEndCode } from "./ingest-sink.ts";
import {
  AUTHORISE_MS,
  MAX_COMMANDS_PER_SECOND,
  MAX_MESSAGE_STREAMS,
  MAX_NAME_CHARS,
  SETUP_MS,
} from "./limits.ts";
import * as messages from "./messages.ts";
import { MESSAGE } from "./messages.ts";
import { Publication } from "./publication.ts";
import { PublicationError } from "./publication-error.ts";
import type { Publications } from "./publications.ts";
import { RtmpError } from "./rtmp-error.ts";
import { ServerConnection } from "./server-connection.ts";
import { streamAddress } from "./stream-address.ts";

export interface IngestSessionOptions {
  socket: ByteSocket;
  clock: Clock;
  random: Random;
  authorise: Authorise;
  publications: Publications;
  /** A sentence without a line end. */
  log(line: string): void;
  /** Too many wrong keys came from its address. */
  isBlocked(): boolean;
  onWrongKey(): void;
  /** It publishes now (true), or does not any more. */
  onPublishing(publishing: boolean): void;
}

/** What we send is little: one chunk each. */
const OWN_CHUNK_BYTES = 4_096;
const WINDOW_BYTES = 2_500_000;
const BAD_NAME = "NetStream.Publish.BadName";
/** Calls that librtmp and its kin make beside the specification's; none needs doing. */
const COURTESIES = new Set(["releaseStream", "FCPublish", "FCUnpublish", "_checkbw", "getStreamLength"]);
const ANSWERS = new Set(["_result", "_error", "onStatus", "onBWDone"]);
/** Status of a publication that ends before its sender wanted. */
const END_CODES: Readonly<Record<IngestEndCode, string>> = {
  finished: "NetStream.Unpublish.Success",
  disconnected: "NetStream.Failed",
  "taken-over": BAD_NAME,
  idle: "NetStream.Failed",
  "protocol-error": "NetStream.Failed",
  "codec-refused": "NetStream.Publish.Rejected",
  "ended-here": "NetStream.Unpublish.Success",
};

export class IngestSession {
  readonly #options: IngestSessionOptions;
  readonly #connection: ServerConnection;
  #connect: messages.Command | undefined;
  #app = "";
  #tcUrl = "";
  #streams = 0;
  #publication: Publication | undefined;
  #setupSinceUs: number;
  #commandsThisSecond = 0;

  constructor(options: IngestSessionOptions) {
    this.#options = options;
    this.#setupSinceUs = options.clock.nowUs();
    this.#connection = new ServerConnection({
      socket: options.socket,
      clock: options.clock,
      random: options.random,
      onMessage: (message) => this.#handle(message),
      onTick: () => this.#tick(),
    });
  }

  /** Resolves when the connection is gone; rejects only with faults of ours, when everything is closed. */
  async run(): Promise<void> {
    let end: IngestEnd;
    let fault: unknown;
    try {
      end = { code: "disconnected", message: await this.#connection.run() };
    } catch (error) {
      const known = endOf(error);
      if (known === undefined) fault = error;
      end = known ?? { code: "ended-here", message: "The server has met a fault of its own." };
    }
    const publication = this.#publication;
    if (publication !== undefined && !publication.over) publication.end(end);
    else if (!this.#connection.ending) this.#endUnpublished(end);
    await this.#connection.close();
    if (fault !== undefined) throw fault;
  }

  /** Ends it from our side; who can is asked to connect anew. */
  shutDown(message: string): void {
    if (this.#connect !== undefined && understandsReconnect(this.#connect)) {
      this.#connection.send(messages.status("status", "NetConnection.Connect.ReconnectRequest", message, 0));
    }
    if (this.#publication?.over === false) this.#publication.end({ code: "ended-here", message });
    else this.#connection.end();
  }

  #endUnpublished(end: IngestEnd): void {
    const gone = end.code === "disconnected";
    if (!gone) this.#log(`refused: ${end.message}`);
    else if (this.#publication === undefined) this.#log(`went before it published: ${end.message}`);
    if (gone || !this.#connection.established) return;
    this.#connection.send(messages.status("error", END_CODES[end.code], end.message, 0));
    this.#connection.end();
  }

  #handle(message: RtmpMessage): Promise<void> | undefined {
    switch (message.type) {
      case MESSAGE.audio:
      case MESSAGE.video:
      case MESSAGE.data:
      case MESSAGE.data3:
      case MESSAGE.aggregate:
        this.#publication?.push(message);
        return undefined;
      case MESSAGE.command:
      case MESSAGE.command3:
        return this.#command(messages.readCommand(message), message.streamId);
      default:
        // Shared objects and what may yet be invented.
        return undefined;
    }
  }

  #command(command: messages.Command, streamId: number): Promise<void> | undefined {
    if (++this.#commandsThisSecond > MAX_COMMANDS_PER_SECOND) {
      throw new RtmpError("too-large", `More than ${MAX_COMMANDS_PER_SECOND} commands came within a second.`);
    }
    if (command.name === "connect") this.#onConnect(command);
    else if (this.#connect === undefined) {
      throw new RtmpError("malformed", `The command ${command.name.slice(0, 32)} came before connect.`);
    } else if (command.name === "createStream") this.#onCreateStream(command);
    else if (command.name === "publish") return this.#onPublish(command, streamId);
    else if (
      command.name === "deleteStream" ||
      command.name === "closeStream" ||
      command.name === "FCUnpublish"
    ) {
      this.#onDone(command, streamId);
    } else if (command.name === "play" || command.name === "play2") this.#onPlay(streamId);
    else if (!ANSWERS.has(command.name)) this.#answerOther(command);
    return undefined;
  }

  #onConnect(command: messages.Command): void {
    const { app, tcUrl } = command.object ?? {};
    if (this.#connect !== undefined) throw new RtmpError("malformed", "The command connect came twice.");
    const refusal = this.#options.isBlocked()
      ? "Too many wrong stream keys came from this address. Check the key, and try again in a minute."
      : typeof app !== "string" || app === "" || app.length > MAX_NAME_CHARS
        ? "The URL names no application: it has the form rtmp://host/live/key."
        : undefined;
    if (refusal !== undefined || typeof app !== "string") {
      this.#refuse(connectRejection(command, refusal ?? ""), refusal ?? "");
      return;
    }
    this.#connect = command;
    this.#app = app;
    this.#tcUrl = typeof tcUrl === "string" ? tcUrl.slice(0, MAX_NAME_CHARS) : "";
    this.#connection.send(messages.windowSize(WINDOW_BYTES));
    this.#connection.send(messages.setBandwidth(WINDOW_BYTES));
    this.#connection.send(messages.setChunkSize(OWN_CHUNK_BYTES));
    this.#connection.send(connectResult(command));
  }

  #onCreateStream(command: messages.Command): void {
    const answer =
      this.#streams < MAX_MESSAGE_STREAMS
        ? messages.command("_result", command.transaction, null, [++this.#streams])
        : this.#callFailed(command, "This connection has created too many streams.");
    this.#connection.send(answer);
  }

  async #onPublish(command: messages.Command, streamId: number): Promise<void> {
    const name = typeof command.args[0] === "string" ? command.args[0] : "";
    if (this.#publication?.over === false) {
      const text = "This connection publishes already: open another one for a second stream.";
      this.#log(`publish refused: ${text}`);
      this.#connection.send(messages.status("error", BAD_NAME, text, streamId));
      return;
    }
    if (name.length > MAX_NAME_CHARS) {
      throw new RtmpError("too-large", `The stream name is longer than ${MAX_NAME_CHARS} characters.`);
    }
    const answer = await this.#judge(name);
    if (this.#connection.ending) return;
    if (!answer.granted) {
      if (answer.wrongKey) this.#options.onWrongKey();
      this.#refuse(messages.status("error", BAD_NAME, answer.message, streamId), answer.message);
      return;
    }
    const publication = new Publication(
      { remoteAddress: this.#options.socket.remoteAddress, streamId },
      answer,
      this.#options.publications,
      (end) => this.#onPublicationEnd(publication, end),
    );
    const refusal = publication.begin(answer);
    if (refusal !== undefined) {
      this.#refuse(messages.status("error", BAD_NAME, refusal, streamId), refusal);
      return;
    }
    this.#publication = publication;
    this.#options.onPublishing(true);
    this.#log(`publishes ${publication.name}`);
    this.#connection.takeMedia();
    this.#connection.send(messages.userControl(messages.USER_EVENT.streamBegin, streamId));
    const started = messages.status("status", "NetStream.Publish.Start", "Publishing.", streamId);
    this.#connection.send(started);
  }

  async #judge(name: string): Promise<IngestAnswer> {
    const { authorise, clock, socket } = this.#options;
    const address = streamAddress(this.#app, name, this.#tcUrl);
    let timer: Timer | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = clock.after(AUTHORISE_MS, () => resolve(undefined));
    });
    const fault = (why: string): IngestAnswer => {
      this.#log(`stream key could not be checked: ${why}`);
      return {
        granted: false,
        wrongKey: false,
        message: "The stream key could not be checked: try again soon.",
      };
    };
    try {
      const asked = authorise({ ...address, remoteAddress: socket.remoteAddress });
      return (await Promise.race([asked, late])) ?? fault("no answer came in time");
    } catch (error) {
      return fault(error instanceof Error ? error.message : String(error));
    } finally {
      timer?.cancel();
    }
  }

  /** The sender says that it is done, perhaps in several ways. */
  #onDone(command: messages.Command, streamId: number): void {
    if (command.name === "FCUnpublish") this.#answerOther(command);
    const publication = this.#publication;
    const named = command.name === "deleteStream" ? command.args[0] : streamId;
    if (publication === undefined || publication.over) return;
    // FCUnpublish names the stream by its name, and a connection has one.
    if (command.name !== "FCUnpublish" && named !== publication.streamId) return;
    publication.end({ code: "finished", message: "The sender has finished." });
  }

  #onPublicationEnd(publication: Publication, end: IngestEnd): void {
    const { videoUnits, audioUnits, bytes, dropped, falseKeyframes } = publication.stats;
    const left = Object.entries(dropped).filter(([, count]) => count > 0);
    const lost = left.length === 0 ? "" : `, left out: ${left.map(([why, n]) => `${n} ${why}`).join(", ")}`;
    const taken = `${videoUnits} pictures, ${audioUnits} sounds, ${bytes} bytes${lost}`;
    this.#log(`${publication.name} is over (${end.code}: ${end.message} ${taken})`);
    if (falseKeyframes > 0) {
      this.#log(
        `sent ${falseKeyframes} keyframes that nobody can join at: turn off open GOP and intra refresh`,
      );
    }
    this.#setupSinceUs = this.#options.clock.nowUs();
    this.#options.onPublishing(false);
    const failed = end.code !== "finished" && end.code !== "ended-here";
    if (end.code === "disconnected") return;
    const level = failed ? "error" : "status";
    this.#connection.send(messages.status(level, END_CODES[end.code], end.message, publication.streamId));
    // Who has finished may publish something else.
    if (end.code !== "finished") this.#connection.end();
  }

  #onPlay(streamId: number): void {
    const text = "Streams are taken here, not played: watch the room's page or its HLS.";
    this.#refuse(messages.status("error", "NetStream.Play.Failed", text, streamId), text);
  }

  #answerOther(command: messages.Command): void {
    if (command.transaction === 0) return;
    this.#connection.send(
      COURTESIES.has(command.name)
        ? messages.command("_result", command.transaction, null, [undefined])
        : this.#callFailed(command, `There is no ${command.name} here.`),
    );
  }

  #callFailed(command: messages.Command, description: string): RtmpMessage {
    const info = { level: "error", code: "NetConnection.Call.Failed", description };
    return messages.command("_error", command.transaction, null, [info]);
  }

  #refuse(reply: RtmpMessage, message: string): void {
    this.#log(`refused: ${message}`);
    this.#connection.send(reply);
    this.#connection.end();
  }

  #tick(): void {
    this.#commandsThisSecond = 0;
    const waitingMs = (this.#options.clock.nowUs() - this.#setupSinceUs) / 1000;
    if (this.#publication?.over === false || waitingMs < SETUP_MS) return;
    this.#log(`refused: it published nothing within ${SETUP_MS / 1000} s`);
    this.#connection.end();
  }

  #log(line: string): void {
    this.#options.log(`RTMP from ${this.#options.socket.remoteAddress} ${line}`);
  }
}

/** What an error that ended the connection means for the publication; undefined for faults of ours. */
function endOf(error: unknown): IngestEnd | undefined {
  if (error instanceof PublicationError) return { code: error.code, message: error.message };
  if (error instanceof RtmpError) return { code: "protocol-error", message: error.message };
  if (error instanceof SocketError)
    return { code: "disconnected", message: `It broke off: ${error.message}.` };
  return undefined;
}
