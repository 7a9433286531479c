/** A relay process that is asked to end: it drains, and goes when it is empty, when its time is over, or when it is asked twice. */
import assert from "node:assert/strict";
import type { ParticipantEvent } from "../../core/participant/events.ts";
import { joinRelay } from "../../core/participant/participant.ts";
import type { Participant } from "../../core/participant/participant-api.ts";
import { RelayProcess } from "../../test/cluster/relay-process.ts";
import { TicketOffice } from "../../test/cluster/ticket-office.ts";
import { pause } from "../../test/etcd/etcd-cluster.ts";
import { systemClock } from "../serving/clock.ts";
import { connectSession } from "./session.ts";

const office = await TicketOffice.open();
/** Longer than the time in which signals are one wish. */
const ANOTHER_WISH_MS = 700;

interface Scene {
  relay: RelayProcess;
  ada: Participant;
  events: ParticipantEvent[];
}

/** A relay with one participant. */
function relayTest(name: string, drainSeconds: number, run: (scene: Scene) => Promise<void>): void {
  const fn = async (): Promise<void> => {
    const relay = await RelayProcess.start({
      TRIBUTARY_TICKET_JWKS: office.jwks,
      RELAY_DRAIN_SECONDS: String(drainSeconds),
    });
    const events: ParticipantEvent[] = [];
    try {
      const ada = await joinRelay({
        connect: connectSession,
        clock: systemClock,
        random: Math.random,
        relay: await office.candidateFor(relay.record, "ada", "room"),
        client: "test",
        onEvent: (event) => void events.push(event),
        onAccessUnit: () => undefined,
      });
      await run({ relay, ada, events });
      await ada.leave();
    } finally {
      await relay.end();
    }
  };
  // The QUIC endpoint of a client outlives its session by the linger of the layer below.
  Deno.test({ name, sanitizeOps: false, sanitizeResources: false, fn });
}

relayTest("it tells everybody to move, and ends when they have", 60, async ({ relay, ada, events }) => {
  relay.kill("SIGTERM");
  await relay.until(() => events.length > 0, "tells its participants");
  assert.deepEqual(events[0], { type: "go-away", withinMs: 60_000 });
  await ada.leave();
  assert.deepEqual(await relay.ended, { code: 0, signal: null });
  assert.match(relay.output, /^relay: draining for at most 60 s: 1 participant in 1 room$/m);
  assert.match(relay.output, /^relay: drained in \d+\.\d s: 1 of 1 participant moved, 0 rooms left$/m);
});

relayTest("who has not moved in time is told that it drains", 1, async ({ relay, events }) => {
  relay.kill("SIGTERM");
  assert.deepEqual(await relay.ended, { code: 0, signal: null });
  await pause(200);
  const last = events.at(-1);
  assert.equal(last?.type, "interrupted");
  assert.equal(last?.type === "interrupted" && last.reason, "draining");
  assert.match(relay.output, /: 0 of 1 participant moved, 1 room left$/m);
});

relayTest("a second signal ends it at once, one right behind the first does not", 60, async (scene) => {
  const { relay, events } = scene;
  relay.kill("SIGTERM");
  relay.kill("SIGINT");
  await pause(ANOTHER_WISH_MS);
  assert.equal(events.at(-1)?.type, "go-away");
  relay.kill("SIGTERM");
  assert.deepEqual(await relay.ended, { code: 0, signal: null });
});
