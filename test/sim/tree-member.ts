/**
 * A participant of a simulated cluster: speaks or listens, and moves to another relay when its own falls silent, as
 * a client does (client/worker/session-keeper.ts). Driven by test/sim/tree-chaos.ts.
 */
import { every, type Timer } from "../../core/clock.ts";
import type { ParticipantEvent } from "../../core/participant/events.ts";
import type { PublishedTrack } from "../../core/participant/participant-api.ts";
import { MICROPHONE, type SimulatedCluster, type SimulatedMember, unitOf } from "./simulated-cluster.ts";

const SILENT_US = 450_000;
const LOOK_MS = 100;
const RETRY_MS = 250;
/** A relay that has not let us in by then is taken for dead. */
const PATIENCE_MS = 700;

export interface TreeMemberOptions {
  cluster: SimulatedCluster;
  identity: string;
  room: string;
  speaks: boolean;
  unitEveryMs: number;
  /** A live relay to go to, another one than this. */
  chooseRelay(except: string | undefined): string | undefined;
  /** It was told that somebody has left. */
  onLeft(identity: string, reason: string): void;
}

export class TreeMember {
  readonly identity: string;
  readonly room: string;
  readonly speaks: boolean;
  member: SimulatedMember | undefined;
  track: PublishedTrack | undefined;
  /** By publisher: units received, and when the last one came. */
  readonly heard = new Map<string, { units: number; lastUs: number }>();
  /** Units that came out of the participant more than once. */
  heardTwice = 0;
  /** Frame ids received, by track. */
  readonly #units = new Map<number, Set<number>>();
  readonly #options: TreeMemberOptions;
  readonly #timers: Timer[] = [];
  readonly #subscribed = new Set<number>();
  readonly #publisherOf = new Map<number, string>();
  #nextFrameId = 0;
  #isBusy = false;
  #mustMove = false;
  #isOver = false;
  /** When it came to its relay, which it may never have heard since. */
  #sinceUs = 0;
  relayId: string | undefined;

  constructor(options: TreeMemberOptions) {
    this.#options = options;
    this.identity = options.identity;
    this.room = options.room;
    this.speaks = options.speaks;
    const { clock } = options.cluster;
    this.#timers.push(every(clock, LOOK_MS, () => this.#look()));
    if (options.speaks) this.#timers.push(every(clock, options.unitEveryMs, () => this.#speak()));
    void this.#join();
  }

  get isIn(): boolean {
    return this.member !== undefined && !this.#isBusy;
  }

  async leave(): Promise<void> {
    this.#isOver = true;
    for (const timer of this.#timers) timer.cancel();
    const { member } = this;
    this.member = undefined;
    await member?.participant.leave();
  }

  async #join(): Promise<void> {
    const { cluster, chooseRelay } = this.#options;
    this.#isBusy = true;
    while (!this.#isOver && this.member === undefined) {
      this.relayId = chooseRelay(undefined);
      if (this.relayId !== undefined) {
        try {
          const { identity, room, relayId } = this;
          const member = await cluster.join({
            identity,
            room,
            relayId,
            network: { delayMs: 8 },
            timeoutMs: PATIENCE_MS,
            onEvent: (event) => this.#onEvent(event),
            onAccessUnit: (trackId, { frameId }) => this.#onUnit(trackId, frameId),
          });
          if (this.#isOver) return void (await member.participant.leave());
          this.member = member;
          this.#sinceUs = cluster.clock.nowUs();
          if (this.speaks) this.track = await member.participant.publish(structuredClone(MICROPHONE));
          break;
        } catch {
          // Its relay has died in the middle: another one.
        }
      }
      await this.#pause();
    }
    this.#isBusy = false;
  }

  #pause(): Promise<void> {
    const { clock, random } = this.#options.cluster;
    return new Promise((resolve) => void clock.after(RETRY_MS * (0.5 + random()), resolve));
  }

  #onEvent(event: ParticipantEvent): void {
    if (event.type === "interrupted" || event.type === "go-away") void this.#move();
    if (event.type === "track-unpublished") this.#subscribed.delete(event.trackId);
    if (event.type === "participant-left") this.#options.onLeft(event.identity, event.reason);
    if (event.type === "participant-left")
      for (const [trackId, publisher] of this.#publisherOf)
        if (publisher === event.identity) this.#subscribed.delete(trackId);
    if (event.type === "closed" && !this.#isOver) {
      this.member = undefined;
      this.track = undefined;
      this.#subscribed.clear();
      void this.#join();
    }
  }

  async #move(): Promise<void> {
    const { member } = this;
    this.#mustMove = true;
    if (this.#isBusy || member === undefined) return;
    this.#isBusy = true;
    const { cluster, chooseRelay } = this.#options;
    while (!this.#isOver && this.member === member && this.#mustMove) {
      const relayId = chooseRelay(this.relayId);
      try {
        if (relayId !== undefined) {
          this.#mustMove = false;
          await cluster.move(member, { relayId, timeoutMs: PATIENCE_MS });
          this.relayId = relayId;
          this.#sinceUs = cluster.clock.nowUs();
          continue;
        }
      } catch {
        // That one is gone too.
        this.#mustMove = true;
      }
      await this.#pause();
    }
    this.#isBusy = false;
  }

  #look(): void {
    const { member } = this;
    if (member === undefined || this.#isBusy) return;
    const { clock } = this.#options.cluster;
    const { lastHeardUs } = member.participant.linkStats();
    if (clock.nowUs() - Math.max(lastHeardUs, this.#sinceUs) > SILENT_US) return void this.#move();
    for (const { identity, tracks } of member.participant.participants.values()) {
      for (const { trackId } of tracks) {
        this.#publisherOf.set(trackId, identity);
        if (this.#subscribed.has(trackId)) continue;
        this.#subscribed.add(trackId);
        member.participant.subscribe(trackId).catch(() => this.#subscribed.delete(trackId));
      }
    }
  }

  #speak(): void {
    const { clock } = this.#options.cluster;
    const frameId = this.#nextFrameId++;
    this.track?.send(unitOf(frameId, clock.nowUs(), { keyframe: true, size: 60, audioLevel: 30 }));
  }

  #onUnit(trackId: number, frameId: number): void {
    const units = this.#units.get(trackId) ?? new Set();
    this.#units.set(trackId, units);
    if (units.has(frameId)) this.heardTwice++;
    units.add(frameId);
    const publisher = this.#publisherOf.get(trackId);
    if (publisher === undefined) return;
    const heard = this.heard.get(publisher) ?? { units: 0, lastUs: 0 };
    heard.units++;
    heard.lastUs = this.#options.cluster.clock.nowUs();
    this.heard.set(publisher, heard);
  }
}
