import { expect, it } from "vitest";
import { seededRandom } from "../../../test/sim/seeded-random.ts";
import { VirtualClock } from "../../../test/sim/virtual-clock.ts";
import { createMemorySessionPair } from "../../session/memory.ts";
import { UdpReturn } from "./udp-return.ts";

class Stage {
  readonly clock = new VirtualClock();
  readonly participant = {
    isOpen: true,
    isOverTcp: true,
    relay: {
      relayId: "r",
      url: "https://r.test/",
      fallbackUrl: "https://r.test/",
      certificateHashes: [],
      ticket: "",
    },
  };
  isUdpOpen = false;
  looks = 0;
  found = 0;
  readonly udpReturn = new UdpReturn(this.participant, {
    clock: this.clock,
    overUdp: async () => {
      this.looks++;
      if (!this.isUdpOpen) throw new Error("no answer");
      return createMemorySessionPair({ clock: this.clock, random: seededRandom(1) }).dialled;
    },
    onOpen: async () => {
      this.found++;
      this.participant.isOverTcp = false;
    },
  });
}

it("looks less and less often, and finds the road open once", async () => {
  const stage = new Stage();
  await stage.clock.advance(10 * 60_000);
  expect(stage.looks).toBeGreaterThan(8);
  expect(stage.looks).toBeLessThan(20);
  stage.isUdpOpen = true;
  await stage.clock.advance(61_000);
  expect(stage.found).toBe(1);
  const { looks } = stage;
  await stage.clock.advance(10 * 60_000);
  expect(stage.looks).toBe(looks);
});

it("looks at once when the network has changed", async () => {
  const stage = new Stage();
  await stage.clock.advance(10 * 60_000);
  stage.isUdpOpen = true;
  stage.udpReturn.hurry();
  await stage.clock.advance(1_000);
  expect(stage.found).toBe(1);
  stage.udpReturn.stop();
});

it("does not look where the relay has no UDP, nor while the session is over", async () => {
  const stage = new Stage();
  stage.participant.relay.url = "";
  await stage.clock.advance(60_000);
  stage.participant.relay.url = "https://r.test/";
  stage.participant.isOpen = false;
  await stage.clock.advance(60_000);
  expect(stage.looks).toBe(0);
});
