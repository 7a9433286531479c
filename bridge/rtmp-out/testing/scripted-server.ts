/** An RTMP server in memory for tests of targets: takes what is published, or does not, as its script says, and remembers what came. */
import type { Clock, Random } from "../../../core/clock.ts";
import type { ByteSocket } from "../../net/byte-socket.ts";
import type { Amf0Object } from "../../rtmp/amf0.ts";
import { ChunkReader, type RtmpMessage } from "../../rtmp/chunk-reader.ts";
import { ChunkWriter } from "../../rtmp/chunk-writer.ts";
import { Handshake } from "../../rtmp/handshake.ts";
import * as message from "../../rtmp/messages.ts";

export interface ServerScript {
  /** Answers this command with an error. */
  refuse?: {
    command: "connect" | "createStream" | "publish";
    code: string;
    description: string;
    redirect?: string;
  };
  /** Answers nothing after the handshake, or not even that. */
  silent?: "handshake" | "commands";
  /** Stops reading after so many messages of sound and picture. */
  readsMedia?: number;
}

/** Names of the commands that came, and sound and picture messages. */
export class ScriptedServer {
  readonly commands: string[] = [];
  readonly commandObjects: (Amf0Object | null)[] = [];
  readonly media: RtmpMessage[] = [];
  readonly data: RtmpMessage[] = [];
  /** Answers to our pings, acknowledgements. */
  readonly control: RtmpMessage[] = [];
  endedByClient = false;
  readonly #socket: ByteSocket;
  readonly #script: ServerScript;
  readonly #writer = new ChunkWriter();

  constructor(socket: ByteSocket, script: ServerScript, random: Random) {
    this.#socket = socket;
    this.#script = script;
    if (script.silent !== "handshake") void this.#run(new Handshake("server", random));
  }

  say(each: RtmpMessage): void {
    // A client that has gone is what some tests are about.
    this.#socket.write(this.#writer.write(each)).catch(() => undefined);
  }

  saySomethingElse(bytes: Uint8Array): void {
    this.#socket.write(bytes).catch(() => undefined);
  }

  reset(): void {
    this.#socket.destroy();
  }

  async #run(handshake: Handshake): Promise<void> {
    const reader = new ChunkReader((each) => this.#take(each));
    reader.takeMedia();
    let isShaking = true;
    try {
      while (this.media.length < (this.#script.readsMedia ?? Number.POSITIVE_INFINITY)) {
        let bytes = await this.#socket.read();
        if (bytes === undefined) break;
        if (isShaking) {
          const { reply, rest } = handshake.push(bytes);
          if (reply !== undefined) await this.#socket.write(reply);
          if (rest === undefined) continue;
          isShaking = false;
          bytes = rest;
        }
        reader.push(bytes);
      }
      this.endedByClient = this.#script.readsMedia === undefined;
      if (this.endedByClient) this.#socket.finish();
    } catch {
      // Cut off by one side or the other.
      this.endedByClient = false;
    }
  }

  #take(each: RtmpMessage): void {
    if (each.type === message.MESSAGE.audio || each.type === message.MESSAGE.video) this.media.push(each);
    else if (each.type === message.MESSAGE.data) this.data.push(each);
    else if (each.type === message.MESSAGE.command) this.#answer(message.readCommand(each));
    else this.control.push(each);
  }

  #answer(command: message.Command): void {
    const { name, transaction } = command;
    this.commands.push(`${name}(${command.args.join(", ")})`);
    this.commandObjects.push(command.object);
    const { refuse, silent } = this.#script;
    if (silent === "commands") return;
    if (refuse?.command === name) {
      const info = {
        level: "error",
        code: refuse.code,
        description: refuse.description,
        ex: { redirect: refuse.redirect },
      };
      if (name === "publish") this.say(message.status("error", refuse.code, refuse.description, 1));
      else this.say(message.command("_error", transaction, null, [info]));
    } else if (name === "connect") {
      const info = { level: "status", code: "NetConnection.Connect.Success", description: "in" };
      this.say(message.command("_result", transaction, { fmsVer: "FMS/3,0,1,123" }, [info]));
    } else if (name === "createStream") {
      this.say(message.command("_result", transaction, null, [1]));
    } else if (name === "publish") {
      this.say(message.status("status", "NetStream.Publish.Start", "go", 1));
    }
  }
}

/** What a target meets, one script a connection; the last is for all further ones. `refused`: nobody listens; `unanswered`: nothing comes back. */
export type MeetingPlan = readonly (ServerScript | "refused" | "unanswered")[];

export class ScriptedServers {
  readonly servers: ScriptedServer[] = [];
  /** When each connection was tried, microseconds. */
  readonly triedUs: number[] = [];
  readonly #clock: Clock;
  readonly #random: Random;
  #plan: MeetingPlan;

  constructor(clock: Clock, random: Random, plan: MeetingPlan) {
    this.#clock = clock;
    this.#random = random;
    this.#plan = plan;
  }

  set plan(plan: MeetingPlan) {
    this.#plan = [...this.triedUs.map(() => plan[0]!), ...plan];
  }

  get last(): ScriptedServer {
    return this.servers.at(-1)!;
  }

  /** Undefined where nobody listens. */
  async meet(socket: ByteSocket): Promise<ScriptedServer | undefined> {
    const script = this.#plan[Math.min(this.triedUs.length, this.#plan.length - 1)]!;
    this.triedUs.push(this.#clock.nowUs());
    if (script === "unanswered") await new Promise<void>((resolve) => this.#clock.after(10_000, resolve));
    if (typeof script === "string") return undefined;
    const server = new ScriptedServer(socket, script, this.#random);
    this.servers.push(server);
    return server;
  }
}
