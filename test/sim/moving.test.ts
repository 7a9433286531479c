/** Participants who go on in another session: what others see of it, and that nothing of the call is lost or doubled. */
import { describe, expect, it } from "vitest";
import type { SessionClosedError } from "../../core/session/session.ts";
import type { TrackOffer } from "../../core/wire/room-model.ts";
import { relayFaults, viewFaults } from "./invariants.ts";
import { type Caller, MovingCall } from "./moving-call.ts";
import { MICROPHONE } from "./simulated-cluster.ts";

const PAIR = ["ada", "bob"];
const TRIO = ["ada", "bob", "cyd"];
const SCREEN_AUDIO = { ...MICROPHONE, source: "screen-audio" } as TrackOffer;
/** MOVE_SEEDS=500 runs more, MOVE_SEED=17 that one alone. */
const ONE = process.env.MOVE_SEED;
const SEEDS =
  ONE === undefined
    ? Array.from({ length: Number(process.env.MOVE_SEEDS ?? 24) }, (_, i) => i + 1)
    : [Number(ONE)];

/** Nobody was told anything of anybody. */
function expectNoNews(call: MovingCall): void {
  for (const { member } of call.callers) expect(call.news(member.identity)).toEqual([]);
}

async function expectEnd(call: MovingCall): Promise<void> {
  const relay = call.cluster.relays.get("relay1")!;
  expect(relayFaults(relay)).toEqual([]);
  for (const { member } of call.callers) expect(viewFaults(relay, "room", member)).toEqual([]);
  await call.end();
  for (const gauge of ["rooms", "participants", "tracks", "subscriptions"])
    expect(relay.metrics()).toContain(`tributary_${gauge} 0\n`);
  await relay.stop();
  await call.pass(20_000);
  expect(call.cluster.clock.waiting).toBe(0);
}

async function expectWhole(call: MovingCall): Promise<void> {
  await call.settle();
  expect(call.faults()).toEqual([]);
  expectNoNews(call);
  await expectEnd(call);
}

describe("nothing is lost, doubled or told when on a clean network", () => {
  it.each([
    ["one moves", ["ada"]],
    ["both move at once", PAIR],
  ])("%s", async (_, movers) => {
    const call = await MovingCall.begin(1, PAIR);
    for (let turn = 0; turn < 3; turn++) {
      await call.move(movers);
      await call.pass(700);
    }
    await call.pass(2_000);
    await expectWhole(call);
  });

  it("somebody moves again and again, before the older sessions are left", async () => {
    const call = await MovingCall.begin(2, TRIO);
    for (let turn = 0; turn < 6; turn++) {
      await call.move(["ada"]);
      await call.pass(turn * 30);
    }
    await call.pass(2_000);
    await expectWhole(call);
  });

  it("the newer session brings pictures late, since a keyframe is waited for that does not come", async () => {
    const call = await MovingCall.begin(3, PAIR);
    await call.pass(4_000);
    await call.move(["bob"]);
    await call.pass(4_000);
    await expectWhole(call);
  });

  it("datagrams overtake each other, and the newer session takes a longer road", async () => {
    const call = await MovingCall.begin(4, PAIR, { jitterMs: 15 });
    for (const delayMs of [70, 10]) {
      await call.move(PAIR, { network: { delayMs, jitterMs: 15 } });
      await call.pass(1_500);
    }
    await expectWhole(call);
  });
});

it("with losses, what comes is what comes without a move, and once", async () => {
  const call = await MovingCall.begin(5, PAIR, { loss: 0.1 });
  for (let turn = 0; turn < 5; turn++) {
    await call.move(PAIR);
    await call.pass(2_000);
  }
  await call.settle();
  const [ada, bob] = call.callers as [Caller, Caller];
  for (const [listener, { camera, microphone }] of [
    ["ada", bob],
    ["bob", ada],
  ] as const) {
    const pictures = call.received(listener, camera);
    const sounds = call.received(listener, microphone);
    expect([...pictures.wrong, ...sounds.wrong]).toEqual([]);
    expect(pictures.missing.length / camera.sent.size).toBeLessThan(0.005);
    expect(sounds.missing.length / microphone.sent.size).toBeLessThan(0.002);
  }
  expectNoNews(call);
  await expectEnd(call);
});

describe("a session that dies", () => {
  it("without a word is moved on from, and nobody sees more than the gap", async () => {
    const call = await MovingCall.begin(6, PAIR);
    call.cut("ada", 15_000);
    await call.pass(500);
    await call.move(["ada"]);
    const { camera, microphone } = call.caller("ada");
    const first = [Math.max(...camera.sent.keys()) + 1, Math.max(...microphone.sent.keys()) + 1];
    await call.pass(12_000);
    await call.settle();
    for (const [index, sending] of [camera, microphone].entries()) {
      const { missing, wrong } = call.received("bob", sending);
      expect(wrong).toEqual([]);
      // Of what was sent since, all came.
      expect(missing.filter((frameId) => frameId >= first[index]!)).toEqual([]);
    }
    // The older session times out meanwhile, which is of no interest.
    expectNoNews(call);
    await expectEnd(call);
  });

  it("leaves the participant interrupted: tracks go on, requests wait, and moving on makes all good", async () => {
    const call = await MovingCall.begin(7, PAIR);
    const { member, camera, microphone } = call.caller("ada");
    const { participant } = member;
    const bobs = call.caller("bob");
    member.wires.dialled.vanish();
    await call.pass(10);
    expect(call.news("ada")).toEqual([{ type: "interrupted", reason: "lost", message: "vanished" }]);
    const lostBefore = camera.track.counters().datagramsLost;
    await call.pass(500);
    expect(camera.track.counters().datagramsLost).toBeGreaterThan(lostBefore + 30);
    const waiting = [
      microphone.track.setMuted(true),
      participant.unsubscribe(bobs.camera.track.trackId),
      participant.subscribe(bobs.microphone.track.trackId, { playoutDelayMs: 100 }),
    ];
    const published = participant.publish(SCREEN_AUDIO);
    await expect(participant.sendData("chat", new Uint8Array(3))).rejects.toMatchObject({
      code: "unavailable",
    });
    await call.move(["ada"]);
    await call.cluster.clock.until(Promise.all([...waiting, published]));
    expect((await published).trackId).toBeGreaterThan(0);
    call.forget();
    await call.pass(1_000);
    await call.settle();
    expect(call.received("bob", camera)).toEqual({ missing: [], wrong: [] });
    expect(call.received("ada", bobs.microphone)).toEqual({ missing: [], wrong: [] });
    expect(call.received("ada", bobs.camera).missing).toHaveLength(bobs.camera.sent.size);
    expect(call.received("bob", microphone).missing).toHaveLength(microphone.sent.size);
    const ada = bobs.member.participant.participants.get("ada")!;
    expect(ada.tracks.map(({ offer }) => `${offer.source} ${offer.muted}`)).toEqual([
      "camera false",
      "microphone true",
      "screen-audio false",
    ]);
    await expectEnd(call);
  });

  it("may be the end, if its participant wants it so", async () => {
    const call = await MovingCall.begin(8, PAIR);
    const { member } = call.caller("ada");
    member.wires.dialled.vanish();
    await call.pass(10);
    const waiting = member.participant.subscribe(77).catch((error: SessionClosedError) => error.name);
    await member.participant.leave();
    expect(await waiting).toBe("SessionClosedError");
    expect(call.news("ada").map(({ type }) => type)).toEqual(["interrupted", "closed"]);
    await expect(call.cluster.move(member)).rejects.toMatchObject({ name: "JoinFailedError" });
  });

  it("with a final reason ends the participant, while another is opened too", async () => {
    const call = await MovingCall.begin(9, PAIR);
    const { member } = call.caller("ada");
    call.cluster.relays.get("relay1")!.remove("room", "ada");
    await expect(call.move(["ada"])).rejects.toMatchObject({ name: "JoinFailedError" });
    expect(call.news("ada")).toMatchObject([{ type: "closed", reason: "removed", final: true }]);
    expect(member.wires.dialled.sendDatagram(new Uint8Array(20))).toBe("closed");
  });
});

describe("during a move", () => {
  it("others who mute, leave, come and publish are seen once", async () => {
    const call = await MovingCall.begin(10, TRIO);
    const { clock } = call.cluster;
    const bob = call.caller("bob");
    const moving = call.cluster.move(call.caller("ada").member);
    await call.pass(25);
    const muting = bob.microphone.track.setMuted(true);
    const leaving = call.caller("cyd").member.participant.leave();
    const coming = call.cluster.join({ identity: "dan", network: { delayMs: 5 } });
    await clock.until(Promise.all([moving, muting, leaving, coming]));
    await call.pass(2_000);
    const told = call.news("ada").map(({ type }) => type);
    expect(told.sort()).toEqual(["participant-joined", "participant-left", "track-muted"]);
    const relay = call.cluster.relays.get("relay1")!;
    expect(viewFaults(relay, "room", call.caller("ada").member)).toEqual([]);
  });

  it.each([0, 10, 21, 30, 41, 50, 61, 90])(
    "own requests take effect once, %d ms into it",
    async (afterMs) => {
      const call = await MovingCall.begin(11, PAIR);
      const { clock } = call.cluster;
      const { member, microphone } = call.caller("ada");
      const bob = call.caller("bob");
      const moving = call.cluster.move(member);
      await call.pass(afterMs);
      const asked = [
        microphone.track.setMuted(true),
        member.participant.unsubscribe(bob.camera.track.trackId),
        member.participant.sendData("chat", new Uint8Array([1])),
      ];
      const publishing = member.participant.publish(SCREEN_AUDIO);
      await clock.until(Promise.all([moving, publishing, ...asked]));
      await call.pass(100);
      call.caller("bob").member.units.length = 0;
      member.units.length = 0;
      await call.pass(3_000);
      expect(bob.member.units.some(({ trackId }) => trackId === microphone.track.trackId)).toBe(false);
      expect(member.units.some(({ trackId }) => trackId === bob.camera.track.trackId)).toBe(false);
      const told = call.news("bob").map(({ type }) => type);
      expect(told.filter((type) => type === "data")).toHaveLength(1);
      expect(told.filter((type) => type === "track-muted")).toHaveLength(1);
      const publisher = bob.member.participant.participants.get("ada")!;
      expect(publisher.tracks.map(({ trackId }) => trackId)).toContain((await publishing).trackId);
      expect(publisher.tracks).toHaveLength(3);
      await call.settle();
      await expectEnd(call);
    },
  );
});

/** Six seconds in which everybody moves, loses sessions, mutes and changes subscriptions in an order that the seed says. */
class Restless {
  readonly call: MovingCall;
  readonly #random: () => number;
  readonly #muted = new Map<string, boolean>();
  /** Cameras that nobody watches, as "listener publisher". */
  readonly #unwatched = new Set<string>();
  readonly #asked: Promise<unknown>[] = [];

  constructor(call: MovingCall) {
    this.call = call;
    this.#random = call.cluster.random;
  }

  #pick(): Caller {
    return this.call.callers[Math.floor(this.#random() * this.call.callers.length)]!;
  }

  #move({ member }: Caller): Promise<void> {
    const candidate = this.call.cluster.candidate(member.wish);
    // Some are called off, or meet a network that was cut.
    return member.participant.moveTo(candidate, { timeoutMs: 1_000 }).catch(() => undefined);
  }

  #act(): void {
    const { clock } = this.call.cluster;
    const caller = this.#pick();
    const { member, microphone } = caller;
    const dice = this.#random();
    if (dice < 0.35) void this.#move(caller);
    else if (dice < 0.45) {
      this.call.cut(member.identity, 15_000);
      clock.after(450 + this.#random() * 200, () => void this.#move(caller));
    } else if (dice < 0.55) {
      member.wires.dialled.vanish();
      clock.after(this.#random() * 600, () => void this.#move(caller));
    } else if (dice < 0.7) {
      const muted = this.#random() < 0.5;
      this.#muted.set(member.identity, muted);
      this.#asked.push(microphone.track.setMuted(muted));
    } else if (dice < 0.9) this.#changeSubscription(caller);
    else this.#asked.push(member.participant.sendData("chat", new Uint8Array(9)).catch(() => undefined));
  }

  #changeSubscription({ member }: Caller): void {
    const other = this.#pick();
    if (other.member === member) return;
    const key = `${member.identity} ${other.member.identity}`;
    const { trackId } = other.camera.track;
    if (this.#unwatched.delete(key)) this.#asked.push(member.participant.subscribe(trackId));
    else {
      this.#unwatched.add(key);
      // A new subscription may begin with pictures that are known from the one before.
      const { units } = member;
      units.splice(0, units.length, ...units.filter((one) => one.trackId !== trackId));
      this.#asked.push(member.participant.unsubscribe(trackId));
    }
  }

  async run(): Promise<void> {
    const { clock } = this.call.cluster;
    const endUs = clock.nowUs() + 6_000_000;
    while (clock.nowUs() < endUs) {
      this.#act();
      await this.call.pass(this.#random() * 200);
    }
    await this.call.pass(3_000);
    for (const caller of this.call.callers) {
      caller.member.wish.network = { delayMs: 20 };
      await clock.until(this.#move(caller));
    }
    await clock.until(Promise.all(this.#asked));
    await this.call.pass(3_000);
  }

  /** What everybody has of everybody's is as was asked for last. */
  async expectAsAsked(): Promise<void> {
    this.call.forget();
    await this.call.pass(1_000);
    await this.call.settle();
    for (const { member, camera, microphone } of this.call.callers) {
      for (const listener of this.call.callers) {
        const { identity } = listener.member;
        if (listener.member === member) continue;
        const isWatched = !this.#unwatched.has(`${identity} ${member.identity}`);
        const isHeard = this.#muted.get(member.identity) !== true;
        const pictures = this.call.received(identity, camera);
        const sounds = this.call.received(identity, microphone);
        expect([...pictures.wrong, ...sounds.wrong]).toEqual([]);
        expect(pictures.missing).toHaveLength(isWatched ? 0 : camera.sent.size);
        expect(sounds.missing).toHaveLength(isHeard ? 0 : microphone.sent.size);
      }
    }
  }
}

it.each(SEEDS)("restless people agree in the end, and nobody comes or goes: seed %d", async (seed) => {
  const isBad = seed % 2 === 0;
  const network = { jitterMs: isBad ? 20 : 0, loss: isBad ? 0.05 : 0 };
  const call = await MovingCall.begin(seed, TRIO, network);
  const restless = new Restless(call);
  await restless.run();
  for (const identity of TRIO) {
    const told = call.news(identity).map(({ type }) => type);
    expect(told.filter((type) => /joined|left|published|closed/.test(type))).toEqual([]);
  }
  await restless.expectAsAsked();
  await call.pass(15_000);
  await expectEnd(call);
});
