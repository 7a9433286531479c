/**
 * A relay: takes sessions, lets them into rooms on a good ticket, and forwards between them. Runtime-free: sessions,
 * clock, randomness and directory are handed in; relay/deno/main.ts brings the real ones. docs/wire.md, "Control channel".
 * Long because everything that a relay is made of meets here.
 */
import { every, type Timer } from "../core/clock.ts";
import { BlockPool } from "../core/delivery/reed-solomon/block-pool.ts";
import type { RelayRecord, RoomClaim } from "../core/directory/directory.ts";
import type { Session } from "../core/session/session.ts";
import { bytesOfBase64 } from "../core/wire/base64.ts";
import { CLOSE_CODES, type CloseReason, closeReasonOf } from "../core/wire/close-codes.ts";
import {
  MAX_GOP_CACHE_BYTES_PER_RELAY,
  MAX_RECOVERY_SYMBOLS_PER_RELAY,
  MAX_UNAUTHENTICATED_SESSIONS,
  REPORT_INTERVAL_MS,
  TREE_PATH,
} from "../core/wire/limits.ts";
import type { RemovedParticipant } from "../core/wire/operations-api.ts";
import { SPEAKERS_INTERVAL_MS } from "./active-speakers.ts";
import { Bans } from "./bans.ts";
import { Diagnoses } from "./diagnosis/diagnoses.ts";
import { Forwarder } from "./forwarder.ts";
import { CacheBudget } from "./gop-cache.ts";
import { GopReplays } from "./gop-replay.ts";
import { HOP_SAMPLE_INTERVAL_MS, HopMetrics } from "./hop-metrics.ts";
import { Lanes } from "./lanes.ts";
import { Member } from "./member.ts";
import { MetricsText } from "./metrics-text.ts";
import { type Admitted, type Arrival, type DiagnosisArrival, Newcomer } from "./newcomer.ts";
import { Refusal } from "./refusal.ts";
import { RelayRegistration } from "./registration.ts";
import {
  emptyRelayCounters,
  type RelayCounters,
  writeCounters,
  writeForwarding,
  writeGauges,
} from "./relay-metrics.ts";
import type { RelayIdentity, RelayOptions } from "./relay-options.ts";
import type { Room, RoomSurroundings } from "./room.ts";
import { ResumeTickets, requireNewest } from "./resume-tickets.ts";
import { applyRequest, applyResume } from "./room-requests.ts";
import { Rooms } from "./rooms.ts";
import { addressOf, ClusterView } from "./tree/cluster-view.ts";
import { LinkArrival } from "./tree/link-arrival.ts";
import type { TreeSurroundings } from "./tree/surroundings.ts";
import { sendWelcome } from "./welcome.ts";

/** Networks of subscribers are looked at this often, for what publishers should know of them. */
const AUDIENCES_INTERVAL_MS = 1_000;

export class Relay {
  readonly rooms: Rooms;
  readonly counters: RelayCounters = emptyRelayCounters();
  readonly forwarder = new Forwarder();
  readonly #options: RelayOptions;
  readonly #registration: RelayRegistration;
  readonly #bans: Bans;
  readonly #resumeTickets: ResumeTickets;
  readonly #surroundings: RoomSurroundings;
  readonly #members = new Set<Member>();
  readonly #lanes = new Lanes();
  readonly #newcomers = new Set<Session>();
  readonly #diagnoses: Diagnoses;
  readonly #view: ClusterView;
  readonly #hops = new HopMetrics();
  #identity: RelayIdentity;
  #timers: Timer[] = [];
  #draining = false;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#identity = options.identity;
    const { clock, random, directory, log } = options;
    this.#bans = new Bans(clock, directory, log);
    this.#surroundings = {
      clock,
      random,
      cacheBudget: new CacheBudget(MAX_GOP_CACHE_BYTES_PER_RELAY),
      recoveryPool: new BlockPool({ capacity: MAX_RECOVERY_SYMBOLS_PER_RELAY }),
      replays: new GopReplays(clock),
      forwarded: this.forwarder.counters,
      ban: (room, token, untilSeconds) => this.#bans.ban(room, token, untilSeconds),
      isBanned: (room, token) => this.#bans.has(room, token),
    };
    this.#diagnoses = new Diagnoses({
      clock,
      random,
      relayId: () => this.id,
      addLanes: (key, session) => this.#lanes.add(key, session),
      onRateLimited: () => {
        this.forwarder.counters.dropped["rate-limited"]++;
      },
    });
    this.#view = new ClusterView({
      onClaim: (claim) => this.#onClaim(claim),
      onBan: (room, token, untilSeconds) => this.#bans.remember(room, token, untilSeconds),
    });
    this.#resumeTickets = new ResumeTickets({
      ...options,
      relayId: () => this.id,
      linkKeyOf: (relayId) => this.#view.relays.get(relayId)?.linkKey,
    });
    this.#registration = new RelayRegistration({
      clock,
      directory,
      record: () => this.record,
      rooms: () => this.rooms.rooted(),
      onClaim: (claim) => this.#onClaim(claim),
      log,
    });
    this.rooms = new Rooms(this.#surroundings, this.#treeSurroundings());
  }

  #treeSurroundings(): TreeSurroundings {
    const { clock, random, keys, connect, log } = this.#options;
    const registration = this.#registration;
    return {
      clock,
      random,
      forwarder: this.forwarder,
      view: this.#view,
      keys,
      address: () => addressOf(this.record),
      isDraining: () => this.#draining,
      claimRoom: (room, after) => registration.claimRoom(room, after),
      supersedeRoom: (claim) => registration.supersedeRoom(claim),
      releaseRoom: (room) => registration.releaseRoom(room),
      connect: ({ url, fallbackUrl, certificateHashes }, timeoutMs) =>
        connect(url, { certificateHashes: certificateHashes.map(bytesOfBase64), timeoutMs, fallbackUrl }),
      onEmptier: ({ name }) => this.rooms.endIfEmpty(name),
      log,
    };
  }

  #onClaim(claim: RoomClaim): void {
    this.rooms.tree(claim.room)?.onClaim(claim);
  }

  get id(): string {
    return this.#identity.id;
  }

  /** How the directory knows this relay. */
  get record(): RelayRecord {
    const { linkKey } = this.#options.keys;
    return { ...this.#identity, participants: this.#members.size, draining: this.#draining, linkKey };
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
      every(clock, SPEAKERS_INTERVAL_MS, () => this.rooms.updateNews(clock.nowUs())),
      every(clock, AUDIENCES_INTERVAL_MS, () => this.rooms.updateAudiences()),
      every(clock, HOP_SAMPLE_INTERVAL_MS, () =>
        this.#hops.sample(this.#members, this.rooms.links(), clock.nowUs()),
      ),
    ];
    await this.#registration.start();
    this.#view.start(this.#options.directory);
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
    if (session.path.startsWith(TREE_PATH)) return this.#acceptLink(session);
    this.counters.sessionsAccepted++;
    void session.closed.then(({ code, clean }) => {
      this.counters.sessionsClosed[clean ? closeReasonOf(code) : "lost"]++;
    });
    this.#newcomers.add(session);
    new Newcomer(session, {
      clock: this.#options.clock,
      verifyTicket: (ticket) => this.#resumeTickets.verify(ticket),
      admit: (arrival) => this.#admit(arrival),
      admitDiagnosis: (arrival) => this.#admitDiagnosis(arrival),
      onUnauthenticatedDatagram: () => {
        this.forwarder.counters.dropped.unauthenticated++;
      },
      onSettled: () => this.#newcomers.delete(session),
    });
  }

  #acceptLink(session: Session): void {
    const { clock, keys, log } = this.#options;
    this.#newcomers.add(session);
    void session.closed.then(() => this.#newcomers.delete(session));
    new LinkArrival(session, {
      clock,
      ownId: this.id,
      keys,
      linkKeyOf: (relayId) => this.#view.relays.get(relayId)?.linkKey,
      admit: async (info) => {
        const listener = await this.rooms.entering(info.attach.room, (tree) => tree.admit(info));
        this.#newcomers.delete(session);
        return listener;
      },
      onRefused: (reason, message) => {
        this.counters.linksRefused[reason]++;
        log(`a link of another relay was refused (${reason}): ${message}`);
      },
    });
  }

  /** Rejects with Refusal. */
  async #requireWelcome({ ticket }: Arrival | DiagnosisArrival): Promise<void> {
    if (this.#draining)
      throw new Refusal("draining", "the relay is going away: join anew through the gateway");
    await this.#bans.require(ticket);
  }

  async #admitDiagnosis(arrival: DiagnosisArrival): Promise<Admitted> {
    await this.#requireWelcome(arrival);
    if (arrival.isGone()) throw new Refusal("lost", "the session ended while it was let in");
    return this.#diagnoses.admit(arrival);
  }

  async #admit(arrival: Arrival): Promise<Admitted> {
    await this.#requireWelcome(arrival);
    return await this.rooms.entering(arrival.ticket.room, ({ room }) => {
      if (arrival.isGone()) throw new Refusal("lost", "the session ended while it was let in");
      return this.#join(room, arrival);
    });
  }

  #join(room: Room, arrival: Arrival): Admitted {
    const { session, channel, ticket } = arrival;
    const { clock, random } = this.#options;
    room.requireSpace(ticket.sub);
    requireNewest(room, ticket);
    const member = new Member({
      session,
      channel,
      ticket,
      hello: arrival.hello,
      clock,
      random,
      forwarder: this.forwarder,
      roomTracks: room.tracks,
    });
    this.#members.add(member);
    if (arrival.hello.laneKey !== undefined) this.#lanes.add(arrival.hello.laneKey, session);
    this.#enter(room, member, arrival);
    if (arrival.hello.resumable === true) this.#resumeTickets.begin(member);
    this.#registration.changed();
    void session.closed.then(({ code, clean }) => {
      this.#leave(room, member, clean ? closeReasonOf(code) : "lost");
    });
    return {
      onMessage: (message) => {
        if (message.type === "leave") return member.close("normal", "goodbye");
        if (message.type === "hello" || message.type === "diagnose")
          return member.close("protocol-error", "hello was said before");
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
    this.counters.sessionsResumed++;
    const resumed = room.resume(member, resume.tracks);
    sendWelcome(room, member, arrival, this.id, nowUs, resumed);
    for (const track of member.tracks.values()) track.tellSource();
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
    this.#hops.ended(member);
    room.leave(member, reason);
    member.end();
    this.#registration.changed();
    this.rooms.endIfEmpty(room.name);
  }

  /** Takes a participant out of a room and bans the token it came with; undefined when nobody is called that. */
  remove(room: string, identity: string): RemovedParticipant | undefined {
    const removed = this.rooms.get(room)?.remove(identity);
    return removed && { ...removed, tokenExp: this.#bans.endOf(removed.tokenExp) };
  }

  #tickLinks(): void {
    for (const member of this.#members) member.link.tick();
    this.rooms.tick(this.#options.clock.nowUs());
  }

  /** Takes no more sessions, tells everybody to join elsewhere, and after `withinMs` closes those who have not. */
  async drain(withinMs: number): Promise<void> {
    this.#draining = true;
    this.#registration.changed();
    for (const member of this.#members) member.send({ type: "go-away", withinMs });
    for (const tree of this.rooms.trees()) tree.drain();
    await new Promise<void>((resolve) => {
      const deadlineUs = this.#options.clock.nowUs() + withinMs * 1000;
      const look = every(this.#options.clock, REPORT_INTERVAL_MS, () => {
        if (this.rooms.size > 0 && this.#options.clock.nowUs() < deadlineUs) return;
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
    this.#diagnoses.end();
    for (const member of this.#members) member.close("draining", "the relay is going away");
    for (const tree of this.rooms.trees()) tree.end();
    this.#view.stop();
    await this.#registration.end();
  }

  /** Everything counted, as Prometheus text. */
  metrics(): string {
    const text = new MetricsText();
    writeGauges(text, {
      ...this.rooms.figures,
      participants: this.#members.size,
      subscriptions: [...this.#members].reduce((sum, { subscriptions }) => sum + subscriptions.size, 0),
      unauthenticated: this.#newcomers.size,
      lanes: this.#lanes.count,
      lanesRefused: this.#lanes.refused,
      cacheBytes: this.#surroundings.cacheBudget.takenBytes,
      replays: this.#surroundings.replays.running,
      bans: this.#bans.size,
      registered: this.#registration.registered,
      draining: this.#draining,
    });
    writeCounters(text, this.counters, this.#resumeTickets.taken);
    this.#diagnoses.write(text);
    writeForwarding(text, this.forwarder.counters, this.#hops.totals(this.#members, this.rooms.links()));
    this.#hops.write(text);
    return text.toString();
  }
}
