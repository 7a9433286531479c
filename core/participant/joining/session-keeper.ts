/** Keeps us in the room: joins a relay, notices when the road to it is gone or it goes away, and moves on to another. */
import type { Clock, Random } from "../../clock.ts";
import type { Connect } from "../../session/session.ts";
import { MAX_SILENCE_MS } from "../../wire/limits.ts";
import type { ParticipantEvent } from "../events.ts";
import { JoinFailedError, joinRelay } from "../participant.ts";
import type { JoinRelayOptions, Participant, RelayCandidate } from "../participant-api.ts";
import { BackOff } from "./back-off.ts";
import { FailOver } from "./fail-over.ts";
import { codeOf, isFinal, messageOf, sentenceOf } from "./join-refusal.ts";
import { RelayCandidates } from "./relay-candidates.ts";
import { SilenceWatch } from "./silence-watch.ts";
import { UdpReturn } from "./udp-return.ts";

/** Nothing is said of a shorter silence: most are over before anybody has noticed. */
const SHOWN_AFTER_MS = 1_000;
/** A gateway or relay that will not have us is not asked again so soon, as long as a session is open. */
const REFUSED_PAUSE_US = 5_000_000;

/** What a keeper stands on. */
export interface KeeperOptions {
  clock: Clock;
  random: Random;
  connect: Connect;
  /** By UDP alone; where it is given, sessions over TCP are left for one over UDP as soon as there can be one. */
  overUdp?: Connect;
  /** Asks the gateway for relays and fresh tickets. Rejects with GatewayError. */
  ask(): Promise<readonly RelayCandidate[]>;
  /** It is known that no network is there: nothing is dialled in vain. */
  isOffline?: () => boolean;
  /** Name and version of the software, for the relay's logs. */
  client: string;
  /** Picture codecs that we can decode; undefined = not said. Asked at each join. */
  decodes?(): Promise<readonly string[]>;
}

export interface KeeperEvents {
  /** In the room, first or anew, as a new participant; `onEvent` calls follow. */
  onJoined(participant: Participant): void | Promise<void>;
  /** The relay is out of reach; without a participant, `onJoined` comes next, else `onBack`. */
  onReconnecting(reason: string): void;
  /** The participant is in reach again, with everything that it had. */
  onBack(): void;
  /** The session is one over TCP now, or over UDP again; said only when it changes, UDP being the beginning. */
  onRoad?(isOverTcp: boolean): void;
  /** Out for good. */
  onClosed(code: string, reason: string): void;
  onEvent: JoinRelayOptions["onEvent"];
  onAccessUnit: JoinRelayOptions["onAccessUnit"];
}

export class SessionKeeper {
  /** Times that we came back, or moved on. */
  reconnects = 0;
  readonly #options: KeeperOptions;
  readonly #events: KeeperEvents;
  readonly #candidates: RelayCandidates;
  readonly #failOver: FailOver;
  #participant: Participant | undefined;
  #watch: SilenceWatch | undefined;
  /** Between two attempts to join anew. */
  #joinPause: BackOff | undefined;
  #udpReturn: UdpReturn | undefined;
  #isMoving = false;
  /** The relay goes away. */
  #mustGo = false;
  /** No move before, unless the session ends. */
  #nextMoveUs = 0;
  #isShown = false;
  #isOverTcp = false;
  #over = false;

  constructor(options: KeeperOptions, events: KeeperEvents) {
    this.#options = options;
    this.#events = events;
    this.#candidates = new RelayCandidates(options.clock, () => options.ask());
    this.#failOver = new FailOver(options.clock, options.random, this.#candidates, options.isOffline);
  }

  get participant(): Participant | undefined {
    return this.#participant;
  }

  /** First join, with the tickets that were fetched at `askedUs`; goes on trying unless the refusal is final. */
  async start(relays: readonly RelayCandidate[], askedUs: number): Promise<void> {
    this.#candidates.replace(relays, askedUs);
    try {
      await this.#join();
    } catch (error) {
      if (isFinal(error)) return this.#end(codeOf(error), messageOf(error));
      this.#show(messageOf(error));
      await this.#joinAgain();
    }
  }

  /**
   * A sign that the network may have changed, or that the machine has slept: silence counts sooner for a while, and whatever waits for
   * its next attempt makes it now.
   */
  noteChange(): void {
    this.#watch?.suspect();
    this.#failOver.hurry();
    this.#joinPause?.wake();
    this.#udpReturn?.hurry();
    this.#look();
  }

  async leave(): Promise<void> {
    this.#over = true;
    const participant = this.#participant;
    this.#forget();
    await participant?.leave();
  }

  async #join(): Promise<void> {
    const tried = new Set<string>();
    let failure: unknown = new JoinFailedError("lost", "the gateway named no relay");
    for (;;) {
      const relay = this.#candidates.take(tried);
      if (relay === undefined) throw failure;
      tried.add(relay.relayId);
      try {
        return await this.#joinOne(relay);
      } catch (error) {
        failure = error;
        if (isFinal(error)) throw error;
      }
    }
  }

  async #joinOne(relay: RelayCandidate): Promise<void> {
    // Events of this participant count only while it is ours: an old one may still be closing.
    let current: Participant | undefined;
    const early: ParticipantEvent[] = [];
    const { clock, random, connect, overUdp, client } = this.#options;
    const decodes = await this.#options.decodes?.();
    const participant = await joinRelay({
      connect,
      clock,
      random,
      relay,
      client,
      ...(decodes === undefined ? {} : { decodes }),
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
    this.#isShown = false;
    this.#mustGo = false;
    const heardUs = (): number => participant.linkStats().lastHeardUs;
    const isOverTcp = (): boolean => participant.isOverTcp;
    this.#watch = new SilenceWatch(clock, heardUs, isOverTcp, () => this.#look());
    if (overUdp !== undefined) {
      const onOpen = (): Promise<void> => this.#moveToUdp(participant);
      this.#udpReturn = new UdpReturn(participant, { clock, overUdp, onOpen });
    }
    const joined = this.#events.onJoined(participant);
    this.#tellRoad(participant);
    for (const event of early.splice(0)) this.#onEvent(event);
    await joined;
  }

  #onEvent(event: ParticipantEvent): void {
    switch (event.type) {
      case "closed":
        return this.#end(event.reason, sentenceOf(event.reason, event.message));
      case "interrupted":
        this.#show(sentenceOf(event.reason, event.message));
        return this.#look();
      case "go-away":
        this.#mustGo = true;
        return this.#look();
      default:
        this.#events.onEvent(event);
    }
  }

  /** Shows and does what the state of the session calls for. */
  #look(): void {
    const participant = this.#participant;
    if (participant === undefined) return;
    const silentMs = participant.isOpen ? this.#watch!.silentMs : Number.POSITIVE_INFINITY;
    if (silentMs > SHOWN_AFTER_MS) this.#show(sentenceOf("lost", ""));
    else if (silentMs <= MAX_SILENCE_MS && this.#isShown) this.#comeBack();
    const mayMove = !participant.isOpen || this.#options.clock.nowUs() >= this.#nextMoveUs;
    if (mayMove && this.#isMoveNeeded(participant)) void this.#move(participant);
  }

  #isMoveNeeded(participant: Participant): boolean {
    if (participant !== this.#participant) return false;
    return this.#mustGo || !participant.isOpen || this.#watch!.isSilent;
  }

  async #move(participant: Participant): Promise<void> {
    if (this.#isMoving) return;
    this.#isMoving = true;
    try {
      const moved = await this.#failOver.run(participant, {
        isNeeded: () => this.#isMoveNeeded(participant),
        isLeaving: () => this.#mustGo,
      });
      if (participant !== this.#participant) return;
      if (!moved) return this.#watch!.noteFalseAlarm();
      this.#mustGo = false;
      this.#watch!.restart();
      this.#tellRoad(participant);
      this.#comeBack();
    } catch (error) {
      this.#onRefused(participant, error);
    } finally {
      this.#isMoving = false;
    }
  }

  /** From TCP to UDP: nothing is wrong with the session that there is, so that nothing is lost when this does not work. */
  async #moveToUdp(participant: Participant): Promise<void> {
    const { overUdp } = this.#options;
    if (this.#isMoving || overUdp === undefined || participant !== this.#participant) return;
    this.#isMoving = true;
    try {
      await this.#candidates.refresh();
      const relay = this.#candidates.takeOf(participant.relayId);
      if (relay === undefined) return;
      await participant.moveTo(relay, {
        connect: overUdp,
        isWanted: () => participant === this.#participant,
      });
      this.reconnects++;
      this.#watch?.restart();
      this.#tellRoad(participant);
    } catch {
      // It is tried again after a pause.
    } finally {
      this.#isMoving = false;
    }
  }

  #tellRoad({ isOverTcp }: Participant): void {
    if (isOverTcp === this.#isOverTcp) return;
    this.#isOverTcp = isOverTcp;
    this.#events.onRoad?.(isOverTcp);
  }

  #comeBack(): void {
    this.reconnects++;
    if (!this.#isShown) return;
    this.#isShown = false;
    this.#events.onBack();
  }

  /** Nobody takes the participant on as it is: once its session is over, it can only join anew. */
  #onRefused(participant: Participant, error: unknown): void {
    if (participant !== this.#participant) return;
    this.#nextMoveUs = this.#options.clock.nowUs() + REFUSED_PAUSE_US;
    if (participant.isOpen) return;
    this.#forget();
    participant.leave().catch(() => undefined);
    this.#isShown = false;
    this.#show(messageOf(error));
    void this.#joinAgain();
  }

  async #joinAgain(): Promise<void> {
    const backOff = new BackOff(this.#options.clock, this.#options.random);
    this.#joinPause = backOff;
    while (!this.#over) {
      await backOff.pause();
      if (this.#over) return;
      try {
        await this.#candidates.refresh();
        await this.#join();
        this.reconnects++;
        return;
      } catch (error) {
        if (isFinal(error)) return this.#end(codeOf(error), messageOf(error));
      }
    }
  }

  #show(reason: string): void {
    if (this.#isShown || this.#over) return;
    this.#isShown = true;
    this.#events.onReconnecting(reason);
  }

  #forget(): void {
    this.#watch?.stop();
    this.#udpReturn?.stop();
    this.#participant = undefined;
  }

  #end(code: string, reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#forget();
    this.#events.onClosed(code, reason);
  }
}
