/** Opens a link to another relay: dials, shows the credential, and hears whether it is taken, sent elsewhere or refused. */
import type { Clock } from "../../core/clock.ts";
import { ControlChannel } from "../../core/session/control-channel.ts";
import type { Session } from "../../core/session/session.ts";
import { CLOSE_CODES, type CloseReason, closeReasonOf } from "../../core/wire/close-codes.ts";
import {
  MAX_TREE_MESSAGE_BURST,
  MAX_TREE_MESSAGES_PER_SECOND,
  MAX_TREE_QUEUE_BYTES,
} from "../../core/wire/limits.ts";
import {
  type RelayAddress,
  type TreeMessage,
  type TreeMessageInput,
  type TreePosition,
  treeMessageSchema,
} from "../../core/wire/tree-messages.ts";
import type { TreeChannel } from "./relay-link.ts";

export const TREE_RATE = { perSecond: MAX_TREE_MESSAGES_PER_SECOND, burst: MAX_TREE_MESSAGE_BURST };

export type DialOutcome =
  | { type: "attached" }
  | { type: "redirect"; to: RelayAddress }
  | { type: "refused"; message: string }
  | { type: "unreachable"; message: string };

/** Who takes the channel over once the link is there. */
export interface LinkListener {
  onMessage(message: TreeMessage): void;
  onEnd(reason: CloseReason, message: string): void;
}

export interface DialOptions {
  clock: Clock;
  timeoutMs: number;
  connect(): Promise<Session>;
  attach: Extract<TreeMessageInput, { type: "attach" }>;
  /** False once another one has taken us. */
  isWanted(): boolean;
  /** Session and channel are the callee's from now on. */
  onAttached(session: Session, channel: TreeChannel, position: TreePosition): LinkListener;
}

/** Never rejects. Whatever does not end in `attached` is closed. */
export async function dialLink(options: DialOptions): Promise<DialOutcome> {
  const { clock, timeoutMs, connect } = options;
  let session: Session | undefined;
  let isOver = false;
  let late: { cancel(): void } | undefined;
  const timeout = new Promise<DialOutcome>((resolve) => {
    late = clock.after(timeoutMs, () => {
      isOver = true;
      resolve({ type: "unreachable", message: `no answer within ${timeoutMs} ms` });
    });
  });
  const attempt = async (): Promise<DialOutcome> => {
    try {
      session = await connect();
      if (isOver) session.close(CLOSE_CODES.normal, "no answer in time");
      return await converse(session, options, () => isOver);
    } catch (cause) {
      return { type: "unreachable", message: cause instanceof Error ? cause.message : String(cause) };
    }
  };
  const outcome = await Promise.race([attempt(), timeout]);
  isOver = true;
  late?.cancel();
  if (outcome.type !== "attached") session?.close(CLOSE_CODES.normal, "not attached");
  return outcome;
}

async function converse(session: Session, options: DialOptions, isOver: () => boolean): Promise<DialOutcome> {
  const { clock, attach, isWanted, onAttached } = options;
  const stream = await session.openStream();
  return await new Promise<DialOutcome>((resolve) => {
    let listener: LinkListener | undefined;
    const answer = (message: TreeMessage): void => {
      if (isOver()) return;
      if (!isWanted()) resolve({ type: "refused", message: "another relay was faster" });
      else if (message.type === "attached") {
        listener = onAttached(session, channel, message);
        resolve({ type: "attached" });
      } else if (message.type === "redirect") resolve({ type: "redirect", to: message.to });
      else resolve({ type: "refused", message: `it said ${message.type} before it took the link` });
    };
    const handlers = {
      onMessage: (message: TreeMessage) =>
        listener === undefined ? answer(message) : listener.onMessage(message),
      onEnd: (reason: CloseReason, message: string) => listener?.onEnd(reason, message),
    };
    const channel: TreeChannel = new ControlChannel(
      stream,
      treeMessageSchema,
      clock,
      TREE_RATE,
      handlers,
      MAX_TREE_QUEUE_BYTES,
    );
    void session.closed.then(({ code, reason }) => {
      const message = `${closeReasonOf(code)}: ${reason}`;
      resolve({ type: code === CLOSE_CODES.lost ? "unreachable" : "refused", message });
    });
    channel.send(attach);
  });
}
