import { describe, expect, it } from "vitest";
import type { ByteStream } from "../core/session/session.ts";
import { closeReasonOf } from "../core/wire/close-codes.ts";
import type { ClientMessageInput } from "../core/wire/control-messages.ts";
import {
  DATAGRAM_MEDIA,
  emptyMediaHeader,
  HOP_HEADER_BYTES,
  MEDIA_HEADER_BYTES,
  writeHopHeader,
  writeMediaHeader,
} from "../core/wire/datagram.ts";
import {
  HELLO_TIMEOUT_MS,
  MAX_CONTROL_MESSAGE_BURST,
  MAX_INGRESS_DATAGRAM_BURST,
  MAX_UNAUTHENTICATED_SESSIONS,
} from "../core/wire/limits.ts";
import { frameMessage } from "../core/wire/message-framing.ts";
import { CAMERA, SimulatedCluster, unitOf } from "../test/sim/simulated-cluster.ts";
import type { Relay } from "./relay.ts";

async function cluster(): Promise<SimulatedCluster & { relay: Relay }> {
  const sim = new SimulatedCluster(9);
  return Object.assign(sim, { relay: await sim.addRelay("relay1") });
}

function hello(sim: SimulatedCluster, identity = "eve"): ClientMessageInput {
  return { type: "hello", version: 1, ticket: sim.ticket({ identity }), sentAtUs: 1 };
}

function datagram(trackId: number, sequence: number, headroom: number): Uint8Array {
  const bytes = new Uint8Array(headroom + HOP_HEADER_BYTES + MEDIA_HEADER_BYTES + 10);
  writeHopHeader(bytes, headroom, DATAGRAM_MEDIA, sequence, 0);
  writeMediaHeader(bytes, headroom + HOP_HEADER_BYTES, { ...emptyMediaHeader(), trackId });
  return bytes;
}

describe("a session before its hello", () => {
  it.each<{ what: string; act(stream: ByteStream, sim: SimulatedCluster): Promise<void>; reason: string }>([
    { what: "says nothing", act: async () => undefined, reason: "hello-timeout" },
    { what: "starts and stops", act: (s) => s.write(Uint8Array.of(0, 0)), reason: "hello-timeout" },
    {
      what: "says something else",
      act: (s) => s.write(frameMessage({ type: "ping", id: 1, sentAtUs: 1 })),
      reason: "protocol-error",
    },
    {
      what: "speaks another version",
      act: (s, sim) => s.write(frameMessage({ ...hello(sim), version: 2 })),
      reason: "unsupported-version",
    },
    {
      what: "announces too long a message",
      act: (s) => s.write(Uint8Array.of(1, 0, 0, 0)),
      reason: "message-too-large",
    },
    {
      what: "speaks no MessagePack",
      act: (s) => s.write(Uint8Array.of(0, 0, 0, 1, 0xc1)),
      reason: "protocol-error",
    },
    {
      what: "shows a bad ticket",
      act: (s, sim) => s.write(frameMessage({ ...hello(sim), ticket: "bad" })),
      reason: "ticket-malformed",
    },
    { what: "ends its stream", act: (s) => s.finish(), reason: "normal" },
  ])("that $what is closed with $reason, counted, and nobody notices", async ({ act, reason }) => {
    const sim = await cluster();
    const ada = await sim.joined({ identity: "ada" });
    const { dialled } = sim.dial("relay1");
    const stream = await dialled.openStream();
    await act(stream, sim);
    await sim.clock.advance(HELLO_TIMEOUT_MS + 100);
    const close = await sim.clock.until(dialled.closed);
    expect(closeReasonOf(close.code)).toBe(reason);
    expect(sim.relay.metrics()).toContain(`tributary_sessions_closed_total{reason="${reason}"} 1\n`);
    expect(sim.relay.metrics()).toContain("tributary_unauthenticated_sessions 0\n");
    expect(ada.events).toEqual([]);
  });

  it("has its datagrams dropped and counted", async () => {
    const sim = await cluster();
    const { dialled } = sim.dial("relay1");
    for (let i = 0; i < 10; i++) dialled.sendDatagram(datagram(1, i, dialled.datagramHeadroom));
    await sim.clock.advance(10);
    expect(sim.relay.forwarder.counters.dropped.unauthenticated).toBe(10);
  });

  it("is refused at the door when too many are waiting, until they have gone", async () => {
    const sim = await cluster();
    for (let i = 0; i < MAX_UNAUTHENTICATED_SESSIONS; i++) sim.dial("relay1");
    expect(sim.relay.refusal()).toMatch(/too many/);
    await sim.clock.advance(HELLO_TIMEOUT_MS + 100);
    expect(sim.relay.refusal()).toBeUndefined();
    await sim.joined({ identity: "ada" });
  });

  it("may go away at any moment of its way in", async () => {
    const sim = await cluster();
    for (let afterMs = 0; afterMs < 12; afterMs++) {
      const { dialled } = sim.dial("relay1", { delayMs: 2 });
      const stream = await dialled.openStream();
      await stream.write(frameMessage(hello(sim)));
      await sim.clock.advance(afterMs / 2);
      dialled.close(0, "never mind");
      await sim.clock.advance(100);
      expect(sim.relay.rooms.size).toBe(0);
      expect(await sim.directory.rooms()).toEqual([]);
    }
  });
});

describe("a member that breaks the rules", () => {
  it("has datagrams for tracks of nobody, of others and above the rate dropped by name", async () => {
    const sim = await cluster();
    const ada = await sim.joined({ identity: "ada" });
    const track = await sim.clock.until(ada.participant.publish(CAMERA));
    const bob = await sim.joined({ identity: "bob" });
    await sim.clock.until(bob.participant.subscribe(track.trackId));
    const eve = await sim.joined({ identity: "eve" });
    const { dialled } = eve.wires;
    const { dropped } = sim.relay.forwarder.counters;
    dialled.sendDatagram(datagram(track.trackId, 1, 1));
    dialled.sendDatagram(datagram(4711, 2, 1));
    await sim.clock.advance(1);
    expect(dropped).toMatchObject({ "not-publisher": 1, "unknown-track": 1 });
    for (let i = 0; i < MAX_INGRESS_DATAGRAM_BURST + 1000; i++) {
      dialled.sendDatagram(datagram(4711, 3 + i, 1));
      if (i % 100 === 0) await sim.clock.advance(0.1);
    }
    await sim.clock.advance(1);
    expect(dropped["rate-limited"]).toBeGreaterThan(900);
    expect(dropped["rate-limited"]).toBeLessThan(1001);
    expect(bob.units).toEqual([]);
    ada.participant.requestKeyframe(track.trackId, 0);
    track.send(unitOf(0, sim.clock.nowUs(), { keyframe: true }));
    await sim.clock.advance(10);
    expect(bob.units).toHaveLength(1);
  });

  it("is closed with too-many-messages, and the others go on", async () => {
    const sim = await cluster();
    const ada = await sim.joined({ identity: "ada" });
    const eve = await sim.joined({ identity: "eve" });
    for (let i = 0; i < MAX_CONTROL_MESSAGE_BURST + 50; i++) eve.participant.requestKeyframe(4711, 0);
    await sim.clock.advance(20);
    expect(eve.events.at(-1)).toMatchObject({ type: "interrupted", reason: "too-many-messages" });
    expect(ada.events.at(-1)).toMatchObject({ type: "participant-left", reason: "too-many-messages" });
  });

  it("that does not read is closed with slow-reader, and the others go on", async () => {
    const sim = await cluster();
    const { dialled } = sim.dial("relay1");
    const stream = await dialled.openStream();
    await stream.write(frameMessage(hello(sim)));
    const ada = await sim.joined({ identity: "ada" });
    const payload = new Uint8Array(30 * 1024);
    const ends: number[] = [];
    void dialled.closed.then(({ code }) => ends.push(code));
    for (let i = 0; i < 400 && ends.length === 0; i++) {
      await sim.clock.until(ada.participant.sendData("chat", payload));
      await sim.clock.advance(300);
    }
    expect(closeReasonOf(ends[0]!)).toBe("slow-reader");
    expect(ada.events.at(-1)).toMatchObject({ type: "participant-left", reason: "slow-reader" });
  });
});
