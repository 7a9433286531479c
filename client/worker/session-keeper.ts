/** Keeps us in the room: joins a relay, notices when the session is dead, and joins again with capped, jittered back-off. */
import { JoinFailedError, joinRelay } from "../../core/participant/participant.ts";
import type {
  JoinRelayOptions,
  Participant,
  RelayCandidate,
} from "../../core/participant/participant-api.ts";
import { connectBrowser } from "../session/browser-session.ts";
import { fetchJoin, GatewayError } from "../session/gateway-join.ts";
import { workerClock, workerRandom } from "./worker-clock.ts";

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;
/** The relay probes several times a second: silence for this long means that the road is gone. */
const SILENCE_LIMIT_US = 6_000_000;
const SILENCE_CHECK_MS = 1_000;
const CLIENT_NAME = "tributary-web/0.1";

export interface KeeperEvents {
  /** In the room, first or again; `onEvent` calls follow. */
  onJoined(participant: Participant): void | Promise<void>;
  onReconnecting(reason: string): void;
  /** Out for good. */
  onClosed(code: string, reason: string): void;
  onEvent: JoinRelayOptions["onEvent"];
  onAccessUnit: JoinRelayOptions["onAccessUnit"];
}

export class SessionKeeper {
  reconnects = 0;
  readonly #gateway: string;
  readonly #token: string;
  readonly #events: KeeperEvents;
  #participant: Participant | undefined;
  #over = false;
  #watch: ReturnType<typeof setInterval> | undefined;

  constructor(gateway: string, token: string, events: KeeperEvents) {
    this.#gateway = gateway;
    this.#token = token;
    this.#events = events;
  }

  get participant(): Participant | undefined {
    return this.#participant;
  }

  /** First join, with the tickets that the page fetched; goes on trying unless the refusal is final. */
  async start(relays: readonly RelayCandidate[]): Promise<void> {
    try {
      await this.#join(relays);
    } catch (error) {
      if (isFinal(error)) return this.#end(codeOf(error), messageOf(error));
      this.#events.onReconnecting(messageOf(error));
      await this.#joinAgain();
    }
  }

  async leave(): Promise<void> {
    this.#over = true;
    clearInterval(this.#watch);
    const participant = this.#participant;
    this.#participant = undefined;
    await participant?.leave();
  }

  async #join(relays: readonly RelayCandidate[]): Promise<void> {
    let failure: unknown;
    for (const relay of relays) {
      try {
        await this.#joinOne(relay);
        return;
      } catch (error) {
        failure = error;
        if (isFinal(error)) break;
      }
    }
    throw failure;
  }

  async #joinOne(relay: RelayCandidate): Promise<void> {
    // Events of this session count only while it is ours: an old one may still be closing.
    let current: Participant | undefined;
    const early: Parameters<JoinRelayOptions["onEvent"]>[0][] = [];
    const participant = await joinRelay({
      connect: connectBrowser,
      clock: workerClock,
      random: workerRandom,
      relay,
      client: CLIENT_NAME,
      onEvent: (event) => {
        if (current === undefined) early.push(event);
        else if (this.#participant === current) this.#onEvent(event);
      },
      onAccessUnit: (trackId, unit, arrivedUs) => {
        if (this.#participant === current) this.#events.onAccessUnit(trackId, unit, arrivedUs);
      },
    });
    if (this.#over) {
      await participant.leave();
      return;
    }
    current = participant;
    this.#participant = participant;
    this.#watchSilence(participant);
    const joined = this.#events.onJoined(participant);
    for (const event of early.splice(0)) this.#onEvent(event);
    await joined;
  }

  #onEvent(event: Parameters<JoinRelayOptions["onEvent"]>[0]): void {
    if (event.type === "closed") {
      this.#lost(event.reason, event.message, event.final);
    } else if (event.type === "go-away") {
      const participant = this.#participant;
      this.#lost("draining", "the relay is going away", false);
      participant?.leave().catch(() => undefined);
    } else {
      this.#events.onEvent(event);
    }
  }

  #lost(code: string, message: string, final: boolean): void {
    if (this.#over || this.#participant === undefined) return;
    this.#participant = undefined;
    clearInterval(this.#watch);
    const sentence = sentenceOf(code, message);
    if (final) return this.#end(code, sentence);
    this.#events.onReconnecting(sentence);
    void this.#joinAgain();
  }

  async #joinAgain(): Promise<void> {
    let pauseMs = FIRST_PAUSE_MS;
    while (!this.#over) {
      // Full jitter keeps a thousand clients of one dead relay from coming back at once.
      await pause(pauseMs * (0.5 + workerRandom() / 2));
      pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2);
      if (this.#over) return;
      try {
        const answer = await fetchJoin(this.#gateway, this.#token);
        this.reconnects++;
        await this.#join(answer.relays);
        return;
      } catch (error) {
        if (isFinal(error)) return this.#end(codeOf(error), messageOf(error));
      }
    }
  }

  #watchSilence(participant: Participant): void {
    clearInterval(this.#watch);
    this.#watch = setInterval(() => {
      const { lastHeardUs } = participant.linkStats();
      if (lastHeardUs === 0 || workerClock.nowUs() - lastHeardUs < SILENCE_LIMIT_US) return;
      this.#lost("lost", "the relay fell silent", false);
      participant.leave().catch(() => undefined);
    }, SILENCE_CHECK_MS);
  }

  #end(code: string, reason: string): void {
    if (this.#over) return;
    this.#over = true;
    clearInterval(this.#watch);
    this.#participant = undefined;
    this.#events.onClosed(code, reason);
  }
}

/** What people are told of a close. */
function sentenceOf(code: string, message: string): string {
  switch (code) {
    case "removed":
      return "You were removed from the room.";
    case "room-closed":
      return "The room was closed.";
    case "identity-taken-over":
      return "You joined this room from somewhere else.";
    case "unsupported-version":
      return "This page is too old for the relay: reload it.";
    case "draining":
      return "The relay is being restarted.";
    case "lost":
      return "The connection was lost.";
    default:
      return message || `The session ended: ${code}.`;
  }
}

function isFinal(error: unknown): boolean {
  if (error instanceof GatewayError || error instanceof JoinFailedError) return error.final;
  return false;
}

function codeOf(error: unknown): string {
  if (error instanceof GatewayError) return error.code;
  return error instanceof JoinFailedError ? error.reason : "failed";
}

function messageOf(error: unknown): string {
  if (error instanceof JoinFailedError) return sentenceOf(error.reason, error.message);
  return error instanceof Error ? error.message : String(error);
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
