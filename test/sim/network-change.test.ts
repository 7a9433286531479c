/**
 * Participants, kept in their room by a SessionKeeper, whose networks are cut, away, or forbid what they did before: how long it takes
 * until they are back, by what, and what others see of it. The gateway is away in most of it.
 */
import { afterEach, beforeEach, expect, it } from "vitest";
import type { ParticipantEvent } from "../../core/participant/events.ts";
import { GatewayError } from "../../core/participant/joining/gateway-join.ts";
import { SessionKeeper } from "../../core/participant/joining/session-keeper.ts";
import type { RelayCandidate } from "../../core/participant/participant-api.ts";
import type { MemorySessionPair } from "../../core/session/memory.ts";
import { type Session, SessionClosedError } from "../../core/session/session.ts";
import { RESUME_TICKET_SECONDS } from "../../core/wire/limits.ts";
import { CAMERA, MICROPHONE, SimulatedCluster, type SimulatedMember, unitOf } from "./simulated-cluster.ts";

const ONE_WAY_MS = 20;
/** Handshakes of UDP and TLS, roughly. */
const OPENING_MS = 3 * 2 * ONE_WAY_MS;
const PICTURE_MS = 33;

/** A device with a network that can be taken away, and every socket that it has with it. */
class Device {
  readonly keeper: SessionKeeper;
  readonly told: string[] = [];
  readonly sessions: MemorySessionPair[] = [];
  /** What the gateway says; an error in place of relays. */
  gateway: readonly RelayCandidate[] | GatewayError = [];
  asked = 0;
  isAway = false;
  isOffline = false;
  readonly #sim: SimulatedCluster;

  constructor(sim: SimulatedCluster) {
    this.#sim = sim;
    const { clock, random } = sim;
    this.keeper = new SessionKeeper(
      {
        clock,
        random,
        connect: (url, { timeoutMs }) => this.#connect(new URL(url).hostname.split(".")[0]!, timeoutMs),
        ask: () => this.#ask(),
        isOffline: () => this.isOffline,
        client: "simulation",
      },
      {
        onJoined: () => void this.told.push("joined"),
        onReconnecting: (reason) => void this.told.push(`reconnecting: ${reason}`),
        onBack: () => void this.told.push("back"),
        onClosed: (code, reason) => void this.told.push(`closed ${code}: ${reason}`),
        onEvent: () => undefined,
        onAccessUnit: () => undefined,
      },
    );
  }

  #connect(relayId: string, timeoutMs: number): Promise<Session> {
    const { clock } = this.#sim;
    const mustFail = this.isAway;
    return new Promise((resolve, reject) => {
      if (mustFail) return void clock.after(timeoutMs, () => reject(new SessionClosedError("no answer")));
      clock.after(OPENING_MS, () => {
        const pair = this.#sim.dial(relayId, { delayMs: ONE_WAY_MS });
        this.sessions.push(pair);
        resolve(pair.dialled);
      });
    });
  }

  async #ask(): Promise<readonly RelayCandidate[]> {
    this.asked++;
    await new Promise<void>((resolve) => void this.#sim.clock.after(4 * ONE_WAY_MS, resolve));
    if (this.isAway) throw new GatewayError("gateway-unreachable", "no answer", false);
    if (this.gateway instanceof GatewayError) throw this.gateway;
    return this.gateway;
  }

  /** Nothing passes any more of the sessions that there are. */
  cut(): void {
    for (const { up, down } of this.sessions) {
      up.options.down = true;
      down.options.down = true;
    }
  }

  leaveNetwork(): void {
    this.isAway = true;
    this.cut();
  }

  /** Sockets that were opened meanwhile are of no use, either. */
  enterNetwork(): void {
    this.isAway = false;
    this.cut();
  }
}

let sim: SimulatedCluster;
let ann: Device;
let bob: SimulatedMember;
/** When Bob's newest unit of Ann's picture came. */
let heardUs = 0;
const news: ParticipantEvent[] = [];

const OWN_AFFAIRS = new Set(["encoder-rate", "track-wanted", "keyframe-requested", "speakers", "decodable"]);

beforeEach(async () => {
  sim = new SimulatedCluster(5);
  await sim.addRelay("relay1");
  ann = new Device(sim);
  await sim.clock.until(ann.keeper.start([sim.candidate({ identity: "ann" })], sim.clock.nowUs()));
  const camera = await sim.clock.until(ann.keeper.participant!.publish(CAMERA));
  news.length = 0;
  bob = await sim.joined({
    identity: "bob",
    onEvent: (event) => {
      if (!OWN_AFFAIRS.has(event.type)) news.push(event);
    },
    onAccessUnit: () => {
      heardUs = sim.clock.nowUs();
    },
  });
  await sim.clock.until(bob.participant.subscribe(camera.trackId));
  const sound = await sim.clock.until(bob.participant.publish(MICROPHONE));
  await sim.clock.until(ann.keeper.participant!.subscribe(sound.trackId));
  let frameId = 0;
  const send = (): void => {
    camera.send(unitOf(frameId, sim.clock.nowUs(), { keyframe: frameId % 5 === 0, size: 1_500 }));
    frameId++;
    sim.clock.after(PICTURE_MS, send);
  };
  send();
  await sim.clock.advance(1_000);
  news.length = 0;
  ann.told.length = 0;
  ann.gateway = new GatewayError("gateway-unreachable", "no gateway", false);
});

afterEach(async () => {
  await sim.clock.until(ann.keeper.leave());
});

/** Milliseconds from now until Bob sees Ann's pictures again. */
async function untilSeen(patienceMs: number): Promise<number> {
  const startUs = sim.clock.nowUs();
  const endUs = startUs + patienceMs * 1000;
  // What was on its way comes first.
  await sim.clock.advance(2 * ONE_WAY_MS);
  const before = heardUs;
  while (heardUs <= before && sim.clock.nowUs() < endUs) await sim.clock.advance(5);
  expect(heardUs).toBeGreaterThan(before);
  console.info(`  seen again after ${((heardUs - startUs) / 1000).toFixed(0)} ms`);
  return (heardUs - startUs) / 1000;
}

/** Milliseconds from now until Ann is in the room again, in another session than `before`. */
async function untilIn(before: number, patienceMs: number): Promise<number> {
  const startUs = sim.clock.nowUs();
  const { keeper } = ann;
  while (!(keeper.participant?.isOpen === true && keeper.reconnects > before)) {
    expect(sim.clock.nowUs() - startUs).toBeLessThan(patienceMs * 1000);
    await sim.clock.advance(5);
  }
  return (sim.clock.nowUs() - startUs) / 1000;
}

/** Ann is who she was, where she was, and nobody saw anything of it. */
async function expectUnseen(): Promise<void> {
  await sim.clock.advance(10_000);
  expect(news).toEqual([]);
  expect(ann.keeper.participant?.isOpen).toBe(true);
  expect(ann.keeper.participant?.relayId).toBe("relay1");
  expect(ann.told.some((text) => /joined|closed/.test(text))).toBe(false);
  expect(sim.relays.get("relay1")!.metrics()).toContain("tributary_resume_tickets_taken_total 1\n");
}

it("a path that is cut is replaced without the gateway in less than a second", async () => {
  ann.cut();
  expect(await untilSeen(5_000)).toBeLessThan(800);
  await expectUnseen();
});

it("sooner where something says that the network has changed", async () => {
  ann.cut();
  ann.keeper.noteChange();
  expect(await untilSeen(5_000)).toBeLessThan(650);
  await expectUnseen();
});

it("a sign of change on a network that works changes nothing", async () => {
  for (let i = 0; i < 20; i++) {
    ann.keeper.noteChange();
    await sim.clock.advance(500);
  }
  expect(ann.sessions.length).toBe(1);
  expect(ann.told).toEqual([]);
});

it("a session that the relay gives up is gone on from at once", async () => {
  const { members } = sim.relays.get("relay1")!.rooms.get("room")!;
  members.get("ann")!.session.close(2, "lost for a test");
  expect(await untilIn(0, 5_000)).toBeLessThan(300);
  expect(sim.relays.get("relay1")!.metrics()).toContain("tributary_resume_tickets_taken_total 1\n");
});

it.each([600, 1_000, 1_500, 2_000])(
  "%d ms without any network: back within a second of the next one",
  async (awayMs) => {
    ann.leaveNetwork();
    await sim.clock.advance(awayMs);
    ann.enterNetwork();
    expect(await untilSeen(8_000)).toBeLessThan(1_000);
    await expectUnseen();
  },
);

it("two minutes without any network, known to the browser: nothing is dialled meanwhile, and it is back at once", async () => {
  ann.leaveNetwork();
  ann.isOffline = true;
  ann.keeper.noteChange();
  await sim.clock.advance(120_000);
  const dialled = ann.sessions.length;
  news.length = 0;
  ann.isOffline = false;
  ann.enterNetwork();
  ann.keeper.noteChange();
  expect(await untilIn(0, 8_000)).toBeLessThan(400);
  expect(ann.sessions.length).toBe(dialled + 1);
  await sim.clock.advance(10_000);
  // Her relay has given her up meanwhile.
  expect(news.some(({ type }) => type === "participant-joined")).toBe(true);
  expect(ann.told.some((text) => text.startsWith("closed"))).toBe(false);
});

it("longer than the ticket is good: back by the gateway", async () => {
  ann.leaveNetwork();
  ann.isOffline = true;
  await sim.clock.advance((RESUME_TICKET_SECONDS + 60) * 1000);
  ann.gateway = [sim.candidate({ identity: "ann" })];
  ann.isOffline = false;
  ann.enterNetwork();
  ann.keeper.noteChange();
  expect(await untilIn(0, 8_000)).toBeLessThan(1_500);
  expect(sim.relays.get("relay1")!.metrics()).toContain("tributary_resume_tickets_taken_total 0\n");
});

it("longer, and the join token has expired: it is over, with a sentence", async () => {
  ann.leaveNetwork();
  ann.isOffline = true;
  await sim.clock.advance((RESUME_TICKET_SECONDS + 60) * 1000);
  ann.gateway = new GatewayError("token-expired", "The join token has expired: ask for a new one.", true);
  ann.isOffline = false;
  ann.enterNetwork();
  ann.keeper.noteChange();
  await sim.clock.advance(20_000);
  expect(ann.told.at(-1)).toBe("closed token-expired: The join token has expired: ask for a new one.");
});

it("who was removed meanwhile stays out", async () => {
  ann.leaveNetwork();
  await sim.clock.advance(1_000);
  sim.relays.get("relay1")!.remove("room", "ann");
  ann.gateway = new GatewayError("removed", "An admin removed this participant from the room.", true);
  ann.enterNetwork();
  await sim.clock.advance(20_000);
  expect(ann.told.at(-1)).toMatch(/^closed removed/);
  expect(sim.relays.get("relay1")!.rooms.get("room")!.members.has("ann")).toBe(false);
});
