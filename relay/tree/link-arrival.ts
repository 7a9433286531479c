/** A session of another relay until it is known to be one and is taken, sent elsewhere or refused. docs/wire.md, "Tree of relays". */
import type { Clock } from "../../core/clock.ts";
import { ControlChannel } from "../../core/session/control-channel.ts";
import type { ByteStream, Session } from "../../core/session/session.ts";
import { CLOSE_CODES, type CloseReason } from "../../core/wire/close-codes.ts";
import { HELLO_TIMEOUT_MS, MAX_TREE_QUEUE_BYTES, PROTOCOL_VERSION } from "../../core/wire/limits.ts";
import { type TreeMessage, type TreeMessageInput, treeMessageSchema } from "../../core/wire/tree-messages.ts";
import { Refusal } from "../refusal.ts";
import type { RelayKeys } from "./credential.ts";
import { type LinkListener, TREE_RATE } from "./link-dial.ts";
import type { TreeChannel } from "./relay-link.ts";

export type Attach = Extract<TreeMessage, { type: "attach" }>;

/** A relay whose credential is good. */
export interface LinkArrivalInfo {
  session: Session;
  channel: TreeChannel;
  attach: Attach;
  isGone(): boolean;
}

export interface LinkArrivalOptions {
  clock: Clock;
  ownId: string;
  keys: RelayKeys;
  /** `linkKey` of a relay's directory record; undefined: the directory knows no such relay. */
  linkKeyOf(relayId: string): string | undefined;
  /** Makes the link and answers, or redirects; rejects with Refusal. The listener is undefined after a redirect. */
  admit(info: LinkArrivalInfo): Promise<LinkListener | undefined>;
  onRefused(reason: CloseReason, message: string): void;
}

export class LinkArrival {
  readonly #session: Session;
  readonly #options: LinkArrivalOptions;
  #channel: TreeChannel | undefined;
  #listener: LinkListener | undefined;
  #isAsked = false;
  #isGone = false;
  #isSettled = false;

  constructor(session: Session, options: LinkArrivalOptions) {
    this.#session = session;
    this.#options = options;
    const timer = options.clock.after(HELLO_TIMEOUT_MS, () => {
      if (!this.#isAsked) this.#refuse("hello-timeout", `no attach within ${HELLO_TIMEOUT_MS} ms`);
    });
    session.onStream = (stream) => this.#onStream(stream);
    void session.closed.then(() => {
      this.#isGone = true;
      timer.cancel();
    });
  }

  #onStream(stream: ByteStream): void {
    if (this.#channel !== undefined) {
      stream.finish().catch(() => {
        // The session went meanwhile, which is heard of elsewhere.
      });
      return;
    }
    const handlers = {
      onMessage: (message: TreeMessage) => this.#onMessage(message),
      onEnd: (reason: CloseReason, message: string) => {
        if (this.#listener !== undefined) this.#listener.onEnd(reason, message);
        else if (!this.#isSettled) this.#refuse(reason, message);
      },
    };
    this.#channel = new ControlChannel<TreeMessageInput, typeof treeMessageSchema>(
      stream,
      treeMessageSchema,
      this.#options.clock,
      TREE_RATE,
      handlers,
      MAX_TREE_QUEUE_BYTES,
    );
  }

  #onMessage(message: TreeMessage): void | Promise<void> {
    if (this.#listener !== undefined) return this.#listener.onMessage(message);
    if (message.type !== "attach" || this.#isAsked)
      return this.#refuse("protocol-error", `the first message must be attach, not ${message.type}`);
    this.#isAsked = true;
    // What follows is held back until there is somebody to take it.
    return this.#greet(message);
  }

  async #greet(attach: Attach): Promise<void> {
    try {
      await this.#require(attach);
      const info = {
        session: this.#session,
        channel: this.#channel!,
        attach,
        isGone: () => this.#isGone,
      };
      this.#listener = await this.#options.admit(info);
      this.#isSettled = true;
      // Whoever was sent elsewhere closes the session; here is what happens to it otherwise.
      if (this.#listener === undefined)
        this.#options.clock.after(HELLO_TIMEOUT_MS, () =>
          this.#session.close(CLOSE_CODES.normal, "sent elsewhere"),
        );
    } catch (cause) {
      if (cause instanceof Refusal) this.#refuse(cause.reason, cause.message);
      else this.#refuse("internal-error", cause instanceof Error ? cause.message : String(cause));
    }
  }

  async #require({ version, room, relay, credential }: Attach): Promise<void> {
    if (version !== PROTOCOL_VERSION) {
      const text = `this relay speaks protocol version ${PROTOCOL_VERSION}, not ${version}`;
      throw new Refusal("unsupported-version", text);
    }
    const { ownId, keys, linkKeyOf } = this.#options;
    const linkKey = linkKeyOf(relay.id);
    if (linkKey === undefined || linkKey === "")
      throw new Refusal("relay-refused", `the directory knows no relay ${relay.id}`);
    const claims = await keys.verify(credential, linkKey, ownId);
    if (claims.iss !== relay.id || claims.aud !== ownId || claims.room !== room)
      throw new Refusal("relay-refused", "the credential is for another relay or room");
  }

  #refuse(reason: CloseReason, message: string): void {
    if (this.#isGone || this.#isSettled) return;
    this.#isSettled = true;
    this.#channel?.stop();
    this.#session.close(CLOSE_CODES[reason], message);
    this.#options.onRefused(reason, message);
  }
}
