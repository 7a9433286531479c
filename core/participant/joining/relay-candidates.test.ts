import { expect, it } from "vitest";
import { VirtualClock } from "../../../test/sim/virtual-clock.ts";
import type { RelayCandidate } from "../participant-api.ts";
import { RelayCandidates } from "./relay-candidates.ts";

function relay(relayId: string): RelayCandidate {
  return {
    url: `https://${relayId}.test/`,
    fallbackUrl: "",
    relayId,
    certificateHashes: [],
    ticket: relayId,
  };
}

const NONE = new Set<string>();

it("each ticket is used once, the best first, and relays that were tried last", () => {
  const clock = new VirtualClock();
  const candidates = new RelayCandidates(clock, async () => []);
  candidates.replace([relay("a"), relay("b"), relay("c")], clock.nowUs());
  expect(candidates.take(new Set(["a"]))?.relayId).toBe("b");
  expect(candidates.take(NONE)?.relayId).toBe("a");
  expect(candidates.take(new Set(["c"]))?.relayId).toBe("c");
  expect(candidates.take(NONE)).toBeUndefined();
});

it("tickets are not used when they are about to end, counted from the question", async () => {
  const clock = new VirtualClock();
  const candidates = new RelayCandidates(clock, async () => [relay("b")]);
  candidates.replace([relay("a"), relay("a")], clock.nowUs() - 5_000_000);
  await clock.advance(44_000);
  expect(candidates.take(NONE)?.relayId).toBe("a");
  await clock.advance(2_000);
  expect(candidates.take(NONE)).toBeUndefined();
  await candidates.refresh();
  expect(candidates.take(NONE)?.relayId).toBe("b");
});

it("a gateway that says nothing is given up, but not for good", async () => {
  const clock = new VirtualClock();
  const candidates = new RelayCandidates(clock, () => new Promise(() => undefined));
  await expect(clock.until(candidates.refresh())).rejects.toMatchObject({
    code: "gateway-unreachable",
    final: false,
  });
  expect(clock.waiting).toBe(0);
});
