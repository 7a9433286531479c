/** A room on a relay of Node and one of Deno, each a process as an operator starts it, with a real etcd: they link over TCP. */
import assert from "node:assert/strict";
import { joinRelay } from "../../core/participant/participant.ts";
import type { Participant } from "../../core/participant/participant-api.ts";
import { RelayProcess } from "../../test/cluster/relay-process.ts";
import { TicketOffice } from "../../test/cluster/ticket-office.ts";
import { newPrefix } from "../../test/etcd/etcd-cluster.ts";
import { EtcdProcess } from "../../test/etcd/etcd-process.ts";
import { MICROPHONE, unitOf } from "../../test/sim/simulated-cluster.ts";
import { denoRuntime } from "../deno/runtime.ts";
import { systemClock } from "../serving/clock.ts";

const office = await TicketOffice.open();

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}

async function until(what: string, condition: () => boolean): Promise<void> {
  for (let i = 0; i < 1_000 && !condition(); i++) await pause(10);
  assert.ok(condition(), `it did not come to this: ${what}`);
}

async function join(relay: RelayProcess, name: string, onUnit: () => void): Promise<Participant> {
  return await joinRelay({
    connect: denoRuntime.connect,
    clock: systemClock,
    random: Math.random,
    relay: await office.candidateFor(relay.record, name, "room"),
    client: "test",
    onEvent: () => undefined,
    onAccessUnit: onUnit,
  });
}

/** Sends until the other has heard enough. */
async function hears(from: Participant, to: Participant, units: () => number): Promise<void> {
  const track = await from.publish(MICROPHONE);
  await until("the track is seen", () => to.participants.get(from.identity)?.tracks.length === 1);
  await to.subscribe(track.trackId);
  for (let frameId = 0; units() < 20 && frameId < 500; frameId++) {
    track.send(unitOf(frameId, Math.round(systemClock.nowUs()), { keyframe: true, size: 80 }));
    await pause(10);
  }
  assert.ok(units() >= 20, `${from.identity} was not heard`);
}

for (const [first, second] of [
  ["node", "deno"],
  ["deno", "node"],
] as const) {
  Deno.test({
    name: `a room on two relays, its root on ${first}, the other on ${second}`,
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      const etcd = await EtcdProcess.start();
      const settings = {
        TRIBUTARY_TICKET_JWKS: office.jwks,
        TRIBUTARY_ETCD: etcd.url,
        TRIBUTARY_ETCD_PREFIX: newPrefix(),
      };
      const relays = await Promise.all(
        [first, second].map((runtime) =>
          RelayProcess.start({ ...settings, RELAY_ID: `on-${runtime}` }, undefined, runtime),
        ),
      );
      try {
        let [heardByAda, heardByBob] = [0, 0];
        const ada = await join(relays[0]!, "ada", () => heardByAda++);
        const bob = await join(relays[1]!, "bob", () => heardByBob++);
        await until("both see each other", () => bob.participants.has("ada") && ada.participants.has("bob"));
        await hears(ada, bob, () => heardByBob);
        await hears(bob, ada, () => heardByAda);
        await Promise.all([ada.leave(), bob.leave()]);
      } finally {
        for (const relay of relays) relay.kill("SIGTERM");
        const endings = await Promise.all(relays.map(({ ended }) => ended));
        await etcd.stop();
        assert.deepEqual(endings, Array(2).fill({ code: 0, signal: null }));
      }
    },
  });
}
