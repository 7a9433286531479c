/**
 * Real relays and real participants in one process, on a virtual clock and a seeded network.
 */
import type { Random } from "../../core/clock.ts";
import type { AccessUnit } from "../../core/delivery/access-unit.ts";
import { MemoryDirectory } from "../../core/directory/memory.ts";
import type { ParticipantEvent } from "../../core/participant/events.ts";
import { joinRelay } from "../../core/participant/participant.ts";
import type { Participant, RelayCandidate } from "../../core/participant/participant-api.ts";
import { createMemorySessionPair, type MemorySessionPair } from "../../core/session/memory.ts";
import type { NetworkOptions, NetworkPath } from "../../core/session/network-path.ts";
import type { Session } from "../../core/session/session.ts";
import { type Grants, grantsSchema, type TrackOffer } from "../../core/wire/room-model.ts";
import type { RelayTicket } from "../../core/wire/tokens.ts";
import { Relay } from "../../relay/relay.ts";
import { FaultyDirectory } from "./faulty-directory.ts";
import { seededRandom } from "./seeded-random.ts";
import { simulatedKeys, ticketOf } from "./simulated-tickets.ts";
import { VirtualClock } from "./virtual-clock.ts";

export const ALL_GRANTS: Grants = grantsSchema.parse({
  publish: ["microphone", "camera", "screen"],
});

/** A camera of one rendition that would like to send this much. */
export function cameraOf(maxBitrateBps: number): TrackOffer {
  return {
    ...CAMERA,
    renditions: [{ width: 640, height: 360, maxBitrateBps, temporalLayers: 3 }],
  } as TrackOffer;
}

export const CAMERA: TrackOffer = {
  kind: "video",
  source: "camera",
  codec: "avc1.42E01F",
  frameRate: 30,
  renditions: [
    { width: 640, height: 360, maxBitrateBps: 1_000_000, temporalLayers: 2 },
    { width: 320, height: 180, maxBitrateBps: 250_000, temporalLayers: 2 },
  ],
  muted: false,
  encrypted: false,
};
export const MICROPHONE: TrackOffer = {
  kind: "audio",
  source: "microphone",
  codec: "opus",
  sampleRateHz: 48_000,
  channels: 1,
  frameDurationUs: 20_000,
  muted: false,
  encrypted: false,
};

export interface JoinWish {
  identity: string;
  room?: string;
  grants?: Partial<Grants>;
  relayId?: string;
  network?: Partial<NetworkOptions>;
  /** The way to the relay, shared with others. */
  up?: NetworkPath;
  /** Its session is one over TCP. */
  overTcp?: boolean;
  token?: string;
  /** Seconds since the Unix epoch. */
  tokenExp?: number;
  timeoutMs?: number;
  decodes?: readonly string[];
  onEvent?(event: ParticipantEvent): void;
  onAccessUnit?(trackId: number, unit: AccessUnit): void;
}

/** A participant with everything that it saw, in order (unless the wish brought its own listeners). */
export interface SimulatedMember {
  identity: string;
  participant: Participant;
  events: ParticipantEvent[];
  units: { trackId: number; unit: AccessUnit; arrivedUs: number }[];
  /** Of its newest session. */
  readonly wires: MemorySessionPair;
  /** What it joined with, and moves with. */
  wish: JoinWish;
}

/** A session to a relay, of another relay or (from "") of a participant. */
interface Wire {
  from: string;
  to: string;
  pair: MemorySessionPair;
  /** An end of it is dead; another relay of the same id has other wires. */
  isDead: boolean;
}

export class SimulatedCluster {
  readonly seed: number;
  readonly clock = new VirtualClock();
  readonly random: Random;
  readonly directory: MemoryDirectory;
  readonly relays = new Map<string, Relay>();
  /** The directory as each relay has it. */
  readonly directories = new Map<string, FaultyDirectory>();
  readonly log: string[] = [];
  /** The network between two relays, from the one that dials. */
  networkBetween: (from: string, to: string) => Partial<NetworkOptions> = () => ({ delayMs: 5 });
  #isCut: (from: string, to: string) => boolean = () => false;
  /** Sessions to relays, of other relays and (from "") of participants. */
  readonly #wires: Wire[] = [];
  #tickets = 0;

  constructor(seed: number) {
    this.seed = seed;
    this.random = seededRandom(seed);
    this.directory = new MemoryDirectory(this.clock);
  }

  async addRelay(id: string, region = ""): Promise<Relay> {
    const directory = new FaultyDirectory(this.directory, id);
    this.directories.set(id, directory);
    const relay = new Relay({
      identity: {
        id,
        region,
        url: `https://${id}.test:4433/`,
        fallbackUrl: "",
        certificateHashes: [],
        operationsUrl: `http://${id}.test:9090/`,
        capacity: 1000,
        version: "0.0.0",
      },
      clock: this.clock,
      random: this.random,
      directory,
      verifyTicket: async (ticket) => ticketOf(ticket),
      connect: async (url) => this.#dialRelay(id, url),
      keys: simulatedKeys(id, this.clock),
      log: (line) => this.log.push(line),
    });
    this.relays.set(id, relay);
    await relay.start();
    return relay;
  }

  /** Nothing is heard from the relay any more, from one moment to the next. */
  kill(id: string): void {
    const relay = this.relays.get(id);
    if (relay === undefined) return;
    this.relays.delete(id);
    this.directories.get(id)!.kill();
    this.directories.delete(id);
    for (const wire of this.#wires) {
      if (wire.from !== id && wire.to !== id) continue;
      wire.isDead = true;
      setDown(wire.pair, true);
    }
    void relay.stop();
  }

  /** Nothing passes any more in the session that was opened last with this relay by a participant. */
  cutNewest(relayId: string): void {
    const wire = this.#wires.findLast(({ from, to }) => from === "" && to === relayId);
    if (wire !== undefined) setDown(wire.pair, true);
  }

  /** Lets what still waits for dead relays go. */
  mendWires(): void {
    for (const { pair } of this.#wires) setDown(pair, false);
  }

  /** Cuts all that there is, or will be, between relays for which `isCut` holds; mended by calling it with other answers. */
  partition(isCut: (from: string, to: string) => boolean): void {
    this.#isCut = isCut;
    for (const { from, to, pair, isDead } of this.#wires)
      if (from !== "" && !isDead) setDown(pair, isCut(from, to));
  }

  async #dialRelay(from: string, url: string): Promise<Session> {
    const { hostname, pathname } = new URL(url);
    const to = hostname.replace(/\.test$/, "");
    const { clock, random } = this;
    const network = { ...this.networkBetween(from, to), down: this.#isCut(from, to) };
    const pair = createMemorySessionPair({
      clock,
      random,
      up: network,
      down: { ...network },
      path: pathname,
    });
    this.#wires.push({ from, to, pair, isDead: !this.relays.has(to) });
    // A dead one does not even say that it is.
    const relay = this.relays.get(to);
    if (relay === undefined) setDown(pair, true);
    else relay.accept(pair.accepted);
    return pair.dialled;
  }

  /** A session to a relay, as a browser dials it; the relay's end is handed to the relay. */
  dial(
    relayId: string,
    network: Partial<NetworkOptions> = {},
    path = "/",
    { up, overTcp = false }: Pick<JoinWish, "up" | "overTcp"> = {},
  ): MemorySessionPair {
    const { clock, random } = this;
    const pair = createMemorySessionPair({
      clock,
      random,
      up: up ?? network,
      down: network,
      path,
      isReliable: overTcp,
    });
    this.#wires.push({ from: "", to: relayId, pair, isDead: !this.relays.has(relayId) });
    const relay = this.relays.get(relayId);
    if (relay === undefined) setDown(pair, true);
    else relay.accept(pair.accepted);
    return pair;
  }

  ticket(wish: JoinWish): string {
    const nowSeconds = Math.floor(this.clock.nowUs() / 1_000_000);
    return JSON.stringify({
      aud: wish.relayId ?? "relay1",
      sub: wish.identity,
      name: wish.identity,
      room: wish.room ?? "room",
      grants: { ...ALL_GRANTS, ...wish.grants },
      iat: nowSeconds,
      exp: nowSeconds + 60,
      jti: `ticket-${++this.#tickets}`,
      token: wish.token ?? `token-of-${wish.identity}`,
      tokenExp: wish.tokenExp ?? nowSeconds + 3600,
    } satisfies RelayTicket);
  }

  /** What a gateway would answer. */
  candidate(wish: JoinWish): RelayCandidate {
    const relayId = wish.relayId ?? "relay1";
    return {
      url: `https://${relayId}.test:4433/`,
      fallbackUrl: "",
      relayId,
      certificateHashes: [],
      ticket: this.ticket(wish),
    };
  }

  /** Starts to join; time must pass (`clock.until`) for it to happen. Rejects with JoinFailedError. */
  async join(given: JoinWish): Promise<SimulatedMember> {
    const wish = { ...given };
    const events: ParticipantEvent[] = [];
    const units: SimulatedMember["units"] = [];
    let wires: MemorySessionPair;
    const participant = await joinRelay({
      connect: async (url) => {
        wires = this.dial(new URL(url).hostname.split(".")[0]!, wish.network, "/", wish);
        return wires.dialled;
      },
      clock: this.clock,
      random: this.random,
      relay: this.candidate(wish),
      ...(wish.timeoutMs === undefined ? {} : { timeoutMs: wish.timeoutMs }),
      client: "simulation",
      ...(wish.decodes === undefined ? {} : { decodes: wish.decodes }),
      onEvent: wish.onEvent ?? ((event) => void events.push(event)),
      onAccessUnit:
        wish.onAccessUnit ?? ((trackId, unit, arrivedUs) => void units.push({ trackId, unit, arrivedUs })),
    });
    return {
      identity: wish.identity,
      participant,
      events,
      units,
      get wires() {
        return wires;
      },
      wish,
    };
  }

  /** Starts to go on in another session, with what is changed of its wish; time must pass for it to happen. */
  async move(member: SimulatedMember, change: Partial<JoinWish> = {}): Promise<void> {
    Object.assign(member.wish, change);
    const { timeoutMs } = member.wish;
    await member.participant.moveTo(
      this.candidate(member.wish),
      timeoutMs === undefined ? {} : { timeoutMs },
    );
  }

  /** Joins and lets the time pass that it takes. */
  joined(wish: JoinWish): Promise<SimulatedMember> {
    return this.clock.until(this.join(wish));
  }
}

function setDown({ up, down }: MemorySessionPair, isDown: boolean): void {
  up.options.down = isDown;
  down.options.down = isDown;
}

/** An access unit of `bytes` bytes with a recognisable content. */
export function unitOf(
  frameId: number,
  captureTimeUs: number,
  options: Partial<AccessUnit> & { size?: number } = {},
): AccessUnit {
  const { size = 3000, ...rest } = options;
  return {
    frameId,
    captureTimeUs,
    keyframe: false,
    discardable: false,
    temporalLayer: 0,
    reference: rest.keyframe === true ? 0 : 1,
    rendition: 0,
    audioLevel: 127,
    voice: false,
    encrypted: false,
    bytes: Uint8Array.from({ length: size }, (_, i) => (i * 7 + frameId * 13) & 0xff),
    ...rest,
  };
}
