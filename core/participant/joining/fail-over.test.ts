/** Which relay is dialled when, and who wins; sessions are played. */
import { expect, it } from "vitest";
import { seededRandom } from "../../../test/sim/seeded-random.ts";
import { VirtualClock } from "../../../test/sim/virtual-clock.ts";
import { JoinFailedError } from "../participant.ts";
import type { MoveOptions, RelayCandidate } from "../participant-api.ts";
import { FailOver } from "./fail-over.ts";
import { GatewayError } from "./gateway-join.ts";
import { RelayCandidates } from "./relay-candidates.ts";

/** What comes of dialling a relay: in after so long, or this error. */
type Answer = number | Error;

class Stage {
  readonly clock = new VirtualClock();
  readonly dialled: string[] = [];
  readonly answers = new Map<string, Answer>();
  /** Relays that the gateway names, or what it says instead; and how long it takes. */
  gateway: readonly string[] | Error = [];
  gatewayMs = 20;
  asked = 0;
  isNeeded = true;
  isLeaving = false;
  relayId = "home";
  /** What the relay has given us to come back with. */
  ticket: string | undefined;
  readonly tickets: string[] = [];
  readonly refusedTickets = new Set<string>();
  readonly candidates = new RelayCandidates(this.clock, () => this.#ask());

  hold(...relayIds: string[]): void {
    this.candidates.replace(relayIds.map(candidate), this.clock.nowUs());
  }

  async #ask(): Promise<RelayCandidate[]> {
    this.asked++;
    await this.#pass(this.gatewayMs);
    if (this.gateway instanceof Error) throw this.gateway;
    return this.gateway.map(candidate);
  }

  #pass(durationMs: number): Promise<void> {
    return new Promise((resolve) => this.clock.after(durationMs, resolve));
  }

  async #moveTo({ relayId, ticket }: RelayCandidate, { isWanted, turn }: MoveOptions = {}): Promise<void> {
    this.dialled.push(relayId);
    this.tickets.push(ticket);
    const answer = this.answers.get(relayId) ?? 40;
    if (answer instanceof Error) throw answer;
    await this.#pass(answer);
    await turn;
    if (this.refusedTickets.has(ticket)) throw new JoinFailedError("ticket-expired", "");
    if (isWanted?.() === false) throw new JoinFailedError("lost", "called off");
    this.relayId = relayId;
  }

  isOffline = false;
  readonly failOver = new FailOver(this.clock, seededRandom(1), this.candidates, () => this.isOffline);

  run(): Promise<boolean> {
    const { ticket } = this;
    const participant = {
      relayId: "home",
      resumeAt: ticket === undefined ? undefined : { ...candidate("home"), ticket },
      moveTo: (relay: RelayCandidate, options?: MoveOptions) => this.#moveTo(relay, options),
    };
    return this.clock.until(
      this.failOver.run(participant, {
        isNeeded: () => this.isNeeded,
        isLeaving: () => this.isLeaving,
      }),
      60_000,
    );
  }
}

function candidate(relayId: string): RelayCandidate {
  return { url: `https://${relayId}.test/`, fallbackUrl: "", relayId, certificateHashes: [], ticket: "" };
}

it("a relay that was named before is dialled at once, while the gateway is asked", async () => {
  const stage = new Stage();
  stage.hold("home", "second");
  stage.gatewayMs = 4_000;
  expect(await stage.run()).toBe(true);
  expect(stage).toMatchObject({ dialled: ["second"], relayId: "second", asked: 1 });
});

it("the gateway's answer wins where the relay that was named before is slow, and only one is entered", async () => {
  const stage = new Stage();
  stage.hold("second");
  stage.answers.set("second", 2_000);
  stage.gateway = ["second", "third"];
  expect(await stage.run()).toBe(true);
  expect(stage.dialled).toEqual(["second", "third"]);
  await stage.clock.advance(5_000);
  expect(stage.relayId).toBe("third");
});

it("the next of the answer is tried where one refuses, the relay that we are with last", async () => {
  const stage = new Stage();
  stage.gateway = ["home", "second", "third"];
  stage.answers.set("second", new JoinFailedError("relay-full", ""));
  stage.answers.set("third", new JoinFailedError("lost", ""));
  expect(await stage.run()).toBe(true);
  expect(stage.dialled).toEqual(["second", "third", "home"]);
});

it("goes on with longer and longer pauses until somebody answers", async () => {
  const stage = new Stage();
  stage.gateway = new GatewayError("gateway-unreachable", "", false);
  const running = stage.run();
  stage.clock.after(20_000, () => {
    stage.gateway = ["second"];
  });
  expect(await running).toBe(true);
  expect(stage.asked).toBeGreaterThan(5);
  expect(stage.asked).toBeLessThan(20);
});

it("ends when it is not needed any more, and lets nobody in then", async () => {
  const stage = new Stage();
  stage.hold("second");
  stage.answers.set("second", 1_000);
  stage.clock.after(500, () => {
    stage.isNeeded = false;
  });
  expect(await stage.run()).toBe(false);
  expect(stage.relayId).toBe("home");
});

it("says when trying again is of no use", async () => {
  const stage = new Stage();
  stage.gateway = new GatewayError("removed", "you were removed", true);
  await expect(stage.run()).rejects.toMatchObject({ code: "removed" });
  expect(stage.asked).toBe(1);
});

it("the relay that we are with is gone on with by its ticket, though others answer as fast", async () => {
  const stage = new Stage();
  stage.ticket = "from home";
  stage.hold("second");
  stage.gateway = ["third"];
  expect(await stage.run()).toBe(true);
  expect(stage.relayId).toBe("home");
  expect(stage.dialled).toEqual(["home", "second", "third"]);
  expect(stage.tickets).toEqual(["from home", "", ""]);
});

it("one relay is dialled once, though the gateway names it too", async () => {
  const stage = new Stage();
  stage.ticket = "from home";
  stage.answers.set("home", 200);
  stage.gateway = ["home"];
  expect(await stage.run()).toBe(true);
  await stage.clock.advance(1_000);
  expect(stage.dialled).toEqual(["home"]);
});

it("and with the gateway's ticket where its own is refused", async () => {
  const stage = new Stage();
  stage.ticket = "from home";
  stage.refusedTickets.add("from home");
  stage.gateway = ["home"];
  expect(await stage.run()).toBe(true);
  expect(stage.tickets).toEqual(["from home", ""]);
});

it("another relay is not waited for long where the one that we are with is dead", async () => {
  const stage = new Stage();
  stage.ticket = "from home";
  stage.answers.set("home", 10_000);
  stage.hold("second");
  const startUs = stage.clock.nowUs();
  expect(await stage.run()).toBe(true);
  expect(stage.relayId).toBe("second");
  expect(stage.clock.nowUs() - startUs).toBeLessThan(150_000);
});

it("a relay that is going away is not dialled again", async () => {
  const stage = new Stage();
  stage.ticket = "from home";
  stage.isLeaving = true;
  stage.gateway = ["second"];
  expect(await stage.run()).toBe(true);
  expect(stage.dialled).toEqual(["second"]);
});

it("the relay that we are with is dialled anew while nothing answers, and at once when something has changed", async () => {
  const stage = new Stage();
  stage.ticket = "from home";
  stage.gateway = new GatewayError("gateway-unreachable", "", false);
  stage.answers.set("home", 60_000);
  const running = stage.run();
  const backUs = stage.clock.nowUs() + 20_000_000;
  stage.clock.after(20_000, () => {
    stage.answers.delete("home");
    stage.failOver.hurry();
  });
  expect(await running).toBe(true);
  expect(stage.clock.nowUs() - backUs).toBeLessThan(60_000);
  const dials = stage.dialled.filter((relayId) => relayId === "home").length;
  // Browsers make those who dial in vain wait longer and longer.
  expect(dials).toBeGreaterThan(5);
  expect(dials).toBeLessThan(12);
});

it("nothing is dialled while it is known that there is no network, and at once when there is one", async () => {
  const stage = new Stage();
  stage.ticket = "from home";
  stage.hold("second");
  stage.isOffline = true;
  stage.gateway = new GatewayError("gateway-unreachable", "", false);
  const running = stage.run();
  const backUs = stage.clock.nowUs() + 40_000_000;
  stage.clock.after(40_000, () => {
    expect(stage.dialled).toEqual([]);
    stage.isOffline = false;
    stage.failOver.hurry();
  });
  expect(await running).toBe(true);
  expect(stage.relayId).toBe("home");
  expect(stage.clock.nowUs() - backUs).toBeLessThan(60_000);
});

it("that the gateway answers again is a sign of a network", async () => {
  const stage = new Stage();
  stage.ticket = "from home";
  stage.answers.set("home", 60_000);
  stage.gateway = new GatewayError("gateway-unreachable", "", false);
  const running = stage.run();
  stage.clock.after(30_000, () => {
    stage.answers.delete("home");
    stage.gateway = ["home"];
  });
  const backUs = stage.clock.nowUs() + 30_000_000;
  expect(await running).toBe(true);
  expect(stage.clock.nowUs() - backUs).toBeLessThan(5_200_000);
});

it("without the gateway a relay that was named long ago is entered with the ticket of the one that is dead", async () => {
  const stage = new Stage();
  stage.ticket = "from home";
  stage.hold("home", "second");
  stage.gateway = new GatewayError("gateway-unreachable", "", false);
  stage.answers.set("home", 60_000);
  await stage.clock.advance(120_000);
  expect(await stage.run()).toBe(true);
  expect(stage.relayId).toBe("second");
  expect(stage.tickets.at(-1)).toBe("from home");
});

it("a ticket that was refused is not tried again: the gateway's is", async () => {
  const stage = new Stage();
  stage.ticket = "from home";
  stage.answers.set("home", new JoinFailedError("ticket-replayed", ""));
  stage.gatewayMs = 2_000;
  stage.gateway = ["second"];
  expect(await stage.run()).toBe(true);
  expect(stage.dialled).toEqual(["home", "second"]);
});

it("what the gateway says for good waits for the relay that may still let us in", async () => {
  const stage = new Stage();
  stage.ticket = "from home";
  stage.answers.set("home", 500);
  stage.gateway = new GatewayError("token-expired", "the token has expired", true);
  expect(await stage.run()).toBe(true);
  expect(stage.relayId).toBe("home");
});

it("and is said where that one does not", async () => {
  const stage = new Stage();
  stage.ticket = "from home";
  stage.answers.set("home", new JoinFailedError("ticket-expired", ""));
  stage.gateway = new GatewayError("token-expired", "the token has expired", true);
  await expect(stage.run()).rejects.toMatchObject({ code: "token-expired" });
});
