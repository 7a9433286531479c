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
  relayId = "home";
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

  async #moveTo({ relayId }: RelayCandidate, { isWanted }: MoveOptions = {}): Promise<void> {
    this.dialled.push(relayId);
    const answer = this.answers.get(relayId) ?? 40;
    if (answer instanceof Error) throw answer;
    await this.#pass(answer);
    if (isWanted?.() === false) throw new JoinFailedError("lost", "called off");
    this.relayId = relayId;
  }

  run(): Promise<boolean> {
    const failOver = new FailOver(this.clock, seededRandom(1), this.candidates);
    const participant = {
      relayId: "home",
      moveTo: (relay: RelayCandidate, options?: MoveOptions) => this.#moveTo(relay, options),
    };
    return this.clock.until(
      failOver.run(participant, () => this.isNeeded),
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
