/**
 * A relay: takes sessions, lets them into rooms on a good ticket, and forwards between them. Runtime-free: sessions,
 * clock, randomness and directory are handed in; relay/deno/main.ts brings the real ones. docs/wire.md, "Control channel".
 */
import { type Clock, every, type Random, type Timer } from "../core/clock.ts";
import { BlockPool } from "../core/delivery/reed-solomon/block-pool.ts";
import type { Directory, RelayRecord } from "../core/directory/directory.ts";
import type { Session } from "../core/session/session.ts";
import { CLOSE_CODES, type CloseReason, closeReasonOf } from "../core/wire/close-codes.ts";
import {
  MAX_GOP_CACHE_BYTES_PER_RELAY,
  MAX_RECOVERY_SYMBOLS_PER_RELAY,
  MAX_ROOMS_PER_RELAY,
  MAX_UNAUTHENTICATED_SESSIONS,
  REPORT_INTERVAL_MS,
} from "../core/wire/limits.ts";
import type { RelayTicket } from "../core/wire/tokens.ts";
import { SPEAKERS_INTERVAL_MS } from "./active-speakers.ts";
import { BanList } from "./ban-list.ts";
import { Forwarder } from "./forwarder.ts";
import { CacheBudget } from "./gop-cache.ts";
import { GopReplays } from "./gop-replay.ts";
import { Lanes } from "./lanes.ts";
import { Member } from "./member.ts";
import { type Admitted, type Arrival, Newcomer } from "./newcomer.ts";
import { Refusal } from "./refusal.ts";
import { RelayRegistration } from "./registration.ts";
import {
  addLink,
  emptyLinkTotals,
  emptyRelayCounters,
  metricsText,
  type RelayCounters,
} from "./relay-metrics.ts";
import { Room, type RoomSurroundings } from "./room.ts";
import { applyRequest, applyResume } from "./room-requests.ts";
import { sendWelcome } from "./welcome.ts";

/** Networks of subscribers are looked at this often, for what publishers should know of them. */
const AUDIENCES_INTERVAL_MS = 1_000;

/** What a relay says of itself; load and draining are filled in. */
export type RelayIdentity = Omit<RelayRecord, "participants" | "draining">;

export interface RelayOptions {
  identity: RelayIdentity;
  clock: Clock;
  random: Random;
  directory: Directory;
  /** Rejects with Refusal. */
  verifyTicket(ticket: string): Promise<RelayTicket>;
  log(line: string): void;
}

export class Relay {
  readonly rooms = new Map<string, Room>();
  readonly counters: RelayCounters = emptyRelayCounters();
  readonly forwarder = new Forwarder();
  readonly #options: RelayOptions;
  readonly #registration: RelayRegistration;
  readonly #bans: BanList;
  readonly #surroundings: RoomSurroundings;
  readonly #members = new Set<Member>();
  readonly #lanes = new Lanes();
  readonly #newcomers = new Set<Session>();
  /** Verified newcomers on their way into a room, by its name. */
  readonly #entering = new Map<string, number>();
  readonly #pastLinks = emptyLinkTotals();
  #identity: RelayIdentity;
  #timers: Timer[] = [];
  #draining = false;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#identity = options.identity;
    const { clock, random, directory, log } = options;
    this.#bans = new BanList(clock);
    this.#surroundings = {
      clock,
      random,
      cacheBudget: new CacheBudget(MAX_GOP_CACHE_BYTES_PER_RELAY),
      recoveryPool: new BlockPool({ capacity: MAX_RECOVERY_SYMBOLS_PER_RELAY }),
      replays: new GopReplays(clock),
      forwarded: this.forwarder.counters,
      ban: (room, token, untilSeconds) => this.#ban(room, token, untilSeconds),
    };
    this.#registration = new RelayRegistration({
      clock,
      directory,
      record: () => this.record,
      rooms: () => this.rooms.keys(),
      log,
    });
  }

  get id(): string {
    return this.#identity.id;
  }

  /** How the directory knows this relay. */
  get record(): RelayRecord {
    return { ...this.#identity, participants: this.#members.size, draining: this.#draining };
  }

  /** True when sessions may come: registered and not draining. */
  get ready(): boolean {
    return this.#registration.registered && !this.#draining;
  }

  /** Starts the timers and registers. Rejects when the directory does not take the relay. */
  async start(): Promise<void> {
    const { clock } = this.#options;
    this.#timers = [
      every(clock, REPORT_INTERVAL_MS, () => this.#tickLinks()),
      every(clock, SPEAKERS_INTERVAL_MS, () => this.#tickSpeakers()),
      every(clock, AUDIENCES_INTERVAL_MS, () => {
        for (const room of this.rooms.values()) room.updateAudiences();
      }),
    ];
    await this.#registration.start();
  }

  /** For a renewed certificate or another address: what browsers are told from now on. */
  setIdentity(identity: RelayIdentity): void {
    this.#identity = identity;
    this.#registration.changed();
  }

  /** Why a session should not even be opened now (HTTP 503), or undefined. */
  refusal(): string | undefined {
    if (this.#draining) return "the relay is going away";
    if (this.#newcomers.size >= MAX_UNAUTHENTICATED_SESSIONS) return "too many sessions without a hello";
    return undefined;
  }

  /** Takes a session over. It is closed with a named code when it does not say a valid hello in time. */
  accept(session: Session): void {
    if (this.#lanes.take(session)) return;
    this.counters.sessionsAccepted++;
    void session.closed.then(({ code, clean }) => {
      this.counters.sessionsClosed[clean ? closeReasonOf(code) : "lost"]++;
    });
    const { clock, verifyTicket } = this.#options;
    this.#newcomers.add(session);
    new Newcomer(session, {
      clock,
      verifyTicket,
      admit: (arrival) => this.#admit(arrival),
      onUnauthenticatedDatagram: () => {
        this.forwarder.counters.dropped.unauthenticated++;
      },
      onSettled: () => this.#newcomers.delete(session),
    });
  }

  async #admit(arrival: Arrival): Promise<Admitted> {
    const { room } = arrival.ticket;
    // While somebody is on the way in, the room is not given up under them.
    this.#entering.set(room, (this.#entering.get(room) ?? 0) + 1);
    try {
      await this.#requireAdmission(arrival.ticket);
      if (arrival.isGone()) throw new Refusal("lost", "the session ended while it was let in");
      return this.#join(arrival);
    } finally {
      const others = this.#entering.get(room)! - 1;
      if (others > 0) this.#entering.set(room, others);
      else this.#entering.delete(room);
      this.#endRoomIfEmpty(room);
    }
  }

  async #requireAdmission(ticket: RelayTicket): Promise<void> {
    if (this.#draining)
      throw new Refusal("draining", "the relay is going away: join anew through the gateway");
    if (await this.#isBanned(ticket)) {
      throw new Refusal("removed", "an admin removed this participant from the room");
    }
    await this.#claim(ticket.room);
  }

  async #isBanned({ room, token }: RelayTicket): Promise<boolean> {
    if (this.#bans.has(room, token)) return true;
    try {
      return await this.#options.directory.isBanned(room, token);
    } catch (error) {
      // A directory that is down keeps nobody out who was not removed on this relay.
      this.#options.log(`the directory did not answer about a ban: ${String(error)}`);
      return false;
    }
  }

  async #claim(name: string): Promise<void> {
    if (this.rooms.has(name)) return;
    if (this.rooms.size >= MAX_ROOMS_PER_RELAY) {
      throw new Refusal("relay-full", `the relay has ${MAX_ROOMS_PER_RELAY} rooms, its maximum`);
    }
    const holder = await this.#registration.claimRoom(name);
    if (holder !== this.id) {
      throw new Refusal("draining", `the room lives on relay ${holder}: join anew through the gateway`);
    }
  }

  #join(arrival: Arrival): Admitted {
    const { session, channel, ticket } = arrival;
    const { clock, random } = this.#options;
    let room = this.rooms.get(ticket.room);
    if (room === undefined) {
      room = new Room(ticket.room, this.#surroundings);
      this.rooms.set(room.name, room);
    }
    room.requireSpace(ticket.sub);
    const member = new Member({
      session,
      channel,
      ticket,
      clock,
      random,
      forwarder: this.forwarder,
      roomTracks: room.tracks,
    });
    this.#members.add(member);
    if (arrival.hello.laneKey !== undefined) this.#lanes.add(arrival.hello.laneKey, session);
    this.#enter(room, member, arrival);
    this.#registration.changed();
    void session.closed.then(({ code, clean }) => {
      this.#leave(room, member, clean ? closeReasonOf(code) : "lost");
    });
    return {
      onMessage: (message) => {
        if (message.type === "leave") return member.close("normal", "goodbye");
        if (message.type === "hello") return member.close("protocol-error", "hello was said before");
        applyRequest(room, member, message, clock.nowUs());
      },
      onChannelEnd: (reason, text) => this.#onChannelEnd(room, member, reason, text),
    };
  }

  #enter(room: Room, member: Member, arrival: Arrival): void {
    const nowUs = this.#options.clock.nowUs();
    const { resume } = arrival.hello;
    if (resume === undefined) {
      // Welcome first: nothing about the room may reach the newcomer before it.
      sendWelcome(room, member, arrival, this.id, nowUs);
      return room.join(member);
    }
    const resumed = room.resume(member, resume.tracks);
    sendWelcome(room, member, arrival, this.id, nowUs, resumed);
    for (const track of member.tracks.values()) track.moveTo(member);
    applyResume(room, member, resume);
  }

  #onChannelEnd(room: Room, member: Member, reason: CloseReason, message: string): void {
    // The session is mostly over when its control stream is cut; what it died of comes from `closed`, if at all.
    if (reason === "lost") {
      this.#options.clock.after(REPORT_INTERVAL_MS, () => member.close("internal-error", message));
      return;
    }
    member.close(reason, message);
    this.#leave(room, member, reason);
  }

  #leave(room: Room, member: Member, reason: CloseReason): void {
    if (!this.#members.delete(member)) return;
    addLink(this.#pastLinks, member.link.stats(), member.recovery.totals());
    room.leave(member, reason);
    member.end();
    this.#registration.changed();
    this.#endRoomIfEmpty(room.name);
  }

  #endRoomIfEmpty(name: string): void {
    const members = this.rooms.get(name)?.members.size ?? 0;
    if (members > 0 || this.#entering.has(name)) return;
    this.rooms.delete(name);
    void this.#registration.releaseRoom(name);
  }

  /** Takes a participant out of a room and bans the token it came with; undefined when nobody is called that. */
  remove(room: string, identity: string): Member | undefined {
    return this.rooms.get(room)?.remove(identity);
  }

  #ban(room: string, token: string, untilSeconds: number): void {
    this.#bans.add(room, token, untilSeconds);
    this.#options.directory.ban({ room, token, untilSeconds }).catch((error: unknown) => {
      this.#options.log(`the directory did not take a ban, this relay keeps it alone: ${String(error)}`);
    });
  }

  #tickLinks(): void {
    for (const member of this.#members) member.link.tick();
  }

  #tickSpeakers(): void {
    const nowUs = this.#options.clock.nowUs();
    for (const room of this.rooms.values()) room.updateSpeakers(nowUs);
  }

  /** Takes no more sessions, tells everybody to join elsewhere, and after `withinMs` closes those who have not. */
  async drain(withinMs: number): Promise<void> {
    this.#draining = true;
    this.#registration.changed();
    for (const member of this.#members) member.send({ type: "go-away", withinMs });
    await new Promise<void>((resolve) => {
      const deadlineUs = this.#options.clock.nowUs() + withinMs * 1000;
      const look = every(this.#options.clock, REPORT_INTERVAL_MS, () => {
        if (this.#members.size > 0 && this.#options.clock.nowUs() < deadlineUs) return;
        look.cancel();
        resolve();
      });
    });
  }

  /** Closes every session with `draining` and leaves the directory. */
  async stop(): Promise<void> {
    this.#draining = true;
    for (const timer of this.#timers) timer.cancel();
    this.#surroundings.replays.stop();
    for (const session of this.#newcomers) session.close(CLOSE_CODES.draining, "the relay is going away");
    for (const member of this.#members) member.close("draining", "the relay is going away");
    await this.#registration.end();
  }

  /** Everything counted, as Prometheus text. */
  metrics(): string {
    const links = structuredClone(this.#pastLinks);
    let tracks = 0;
    let subscriptions = 0;
    for (const member of this.#members) {
      addLink(links, member.link.stats(), member.recovery.totals());
      tracks += member.tracks.size;
      subscriptions += member.subscriptions.size;
    }
    const gauges = {
      rooms: this.rooms.size,
      participants: this.#members.size,
      unauthenticated: this.#newcomers.size,
      lanes: this.#lanes.count,
      lanesRefused: this.#lanes.refused,
      tracks,
      subscriptions,
      cacheBytes: this.#surroundings.cacheBudget.takenBytes,
      replays: this.#surroundings.replays.running,
      bans: this.#bans.size,
      registered: this.#registration.registered,
      draining: this.#draining,
    };
    return metricsText(gauges, this.counters, this.forwarder.counters, links);
  }
}
