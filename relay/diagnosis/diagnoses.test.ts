/** A client measures the way to a real relay over made-up networks, on a virtual clock; and what a relay bears of it. */
import { describe, expect, it } from "vitest";
import { measurePath, type PathFigures } from "../../core/participant/diagnosis/path-measurement.ts";
import { createMemorySessionPair } from "../../core/session/memory.ts";
import type { NetworkOptions } from "../../core/session/network-path.ts";
import { closeReasonOf } from "../../core/wire/close-codes.ts";
import { type ClientMessageInput, relayMessageSchema } from "../../core/wire/control-messages.ts";
import { DATAGRAM_PROBE, HOP_HEADER_BYTES, writeHopHeader } from "../../core/wire/datagram.ts";
import { writeEchoProbe } from "../../core/wire/echo-probe.ts";
import {
  MAX_DIAGNOSES_PER_RELAY,
  MAX_DIAGNOSIS_BPS,
  MAX_DIAGNOSIS_BURST_BYTES,
  MAX_DIAGNOSIS_LOAD_MS,
  MAX_DIAGNOSIS_MS,
  MAX_LINK_OUTSTANDING_BYTES,
} from "../../core/wire/limits.ts";
import { frameMessage, MessageReader } from "../../core/wire/message-framing.ts";
import { SimulatedCluster } from "../../test/sim/simulated-cluster.ts";
import type { Relay } from "../relay.ts";

interface Networks {
  up?: Partial<NetworkOptions>;
  down?: Partial<NetworkOptions>;
}

async function stage(seed = 3): Promise<{ sim: SimulatedCluster; relay: Relay }> {
  const sim = new SimulatedCluster(seed);
  return { sim, relay: await sim.addRelay("relay1") };
}

async function measured(networks: Networks, seed = 3): Promise<PathFigures> {
  const { sim, relay } = await stage(seed);
  const { clock, random } = sim;
  const { dialled, accepted } = createMemorySessionPair({ clock, random, ...networks });
  relay.accept(accepted);
  const ticket = sim.ticket({ identity: "eve" });
  const shares: number[] = [];
  const figures = await clock.until(
    measurePath({
      session: dialled,
      clock,
      random,
      ticket,
      client: "test",
      steadyMs: 2_600,
      loadMs: 1_200,
      onProgress: (share) => shares.push(share),
    }),
    20_000,
  );
  expect(shares).toEqual([...shares].sort((a, b) => a - b));
  await clock.advance(500);
  // It was no participant, and nothing of it is left.
  expect(relay.rooms.size).toBe(0);
  expect(relay.metrics()).toContain("tributary_diagnoses 0");
  expect(relay.metrics()).toContain('tributary_diagnoses_ended_total{how="normal"} 1');
  return figures;
}

describe("measuring a path", () => {
  it.each([1, 20, 150])("a clean one of %d ms each way", async (delayMs) => {
    const figures = await measured({ up: { delayMs }, down: { delayMs } });
    expect(figures.relayId).toBe("relay1");
    expect(figures.rttMs.p50).toBeCloseTo(2 * delayMs, 0);
    expect(figures.rttMs.p95).toBeCloseTo(2 * delayMs, 0);
    expect(figures.echoesReceived).toBe(figures.echoesSent);
    for (const { loss, jitterMs, throughputBps, isLimited } of [figures.up, figures.down]) {
      expect(loss).toBe(0);
      expect(jitterMs).toBeLessThan(2);
      expect(isLimited).toBe(false);
      expect(throughputBps).toBeGreaterThan(3_000_000);
      expect(throughputBps).toBeLessThan(1.05 * MAX_DIAGNOSIS_BPS);
    }
    expect(figures.timeline.length).toBeGreaterThan(25);
    expect(figures.timeline.every(({ lost }) => lost === 0)).toBe(true);
  });

  it.each([
    { up: 0.1, down: 0 },
    { up: 0, down: 0.2 },
    { up: 0.05, down: 0.05 },
  ])("loss of $up up and $down down is told apart", async ({ up, down }) => {
    const figures = await measured({ up: { delayMs: 50, loss: up }, down: { delayMs: 50, loss: down } });
    expect(Math.abs(figures.up.loss - up)).toBeLessThan(up === 0 ? 0.005 : 0.05);
    expect(Math.abs(figures.down.loss - down)).toBeLessThan(down === 0 ? 0.005 : 0.05);
    expect(figures.rttMs.p50).toBeCloseTo(100, -1);
  });

  it("jitter is of the direction that has it", async () => {
    const figures = await measured({ up: { delayMs: 20, jitterMs: 120 }, down: { delayMs: 20 } });
    expect(figures.up.jitterMs).toBeGreaterThan(40);
    expect(figures.up.jitterMs).toBeLessThan(70);
    expect(figures.down.jitterMs).toBeLessThan(2);
  });

  it.each([
    { rateBps: 300_000, direction: "up" as const },
    { rateBps: 900_000, direction: "up" as const },
    { rateBps: 300_000, direction: "down" as const },
    { rateBps: 2_000_000, direction: "down" as const },
  ])("a bottleneck of $rateBps bit/s $direction", async ({ rateBps, direction }) => {
    const networks = { up: { delayMs: 20 }, down: { delayMs: 20 } };
    const figures = await measured({ ...networks, [direction]: { delayMs: 20, rateBps } });
    const [slow, free] = direction === "up" ? [figures.up, figures.down] : [figures.down, figures.up];
    expect(slow.isLimited).toBe(true);
    expect(slow.throughputBps! / rateBps).toBeGreaterThan(0.8);
    expect(slow.throughputBps! / rateBps).toBeLessThan(1.02);
    expect(slow.loss).toBe(0);
    expect(free.isLimited).toBe(false);
    expect(free.throughputBps).toBeGreaterThan(2_500_000);
  });

  it("a path that swallows datagrams is no path", async () => {
    const lossy = { delayMs: 5, loss: 1 };
    await expect(measured({ up: lossy, down: lossy })).rejects.toMatchObject({ reason: "no-echo" });
  });

  it("a bad ticket is said by name", async () => {
    const { sim, relay } = await stage();
    const { clock, random } = sim;
    const { dialled, accepted } = createMemorySessionPair({ clock, random });
    relay.accept(accepted);
    const options = { session: dialled, clock, random, client: "", steadyMs: 500, loadMs: 0 };
    const result = measurePath({ ...options, ticket: "bad", onProgress: () => undefined });
    await expect(clock.until(result)).rejects.toMatchObject({ reason: "ticket-malformed" });
  });
});

/** Speaks by hand, as a hostile client may. */
async function begun() {
  const { sim, relay } = await stage();
  const open = async () => {
    const { clock, random } = sim;
    const { dialled, accepted } = createMemorySessionPair({ clock, random });
    relay.accept(accepted);
    const stream = await clock.until(dialled.openStream());
    const say = (message: ClientMessageInput) => clock.until(stream.write(frameMessage(message)));
    const reader = new MessageReader(relayMessageSchema);
    const heard: string[] = [];
    void (async () => {
      for (let bytes = await stream.read(); bytes !== undefined; bytes = await stream.read())
        for (const message of reader.push(bytes)) heard.push(message.type);
    })().catch(() => undefined);
    const closedBy = dialled.closed.then(({ code }) => closeReasonOf(code));
    await say({ type: "diagnose", version: 1, ticket: sim.ticket({ identity: "eve" }), sentAtUs: 1 });
    await clock.advance(50);
    return { session: dialled, say, closedBy, heard };
  };
  return { sim, relay, clock: sim.clock, open };
}

function echoRequest(sequence: number, headroom: number, bytes: number): Uint8Array {
  const buffer = new Uint8Array(headroom + bytes);
  writeHopHeader(buffer, headroom, DATAGRAM_PROBE, sequence & 0xffff, 0);
  writeEchoProbe(buffer.subarray(headroom + HOP_HEADER_BYTES), { isAnswer: false, id: sequence });
  return buffer;
}

describe("what a relay bears", () => {
  it("sends no more back than came, at no more than the allowed rate, and counts the rest", async () => {
    const { relay, clock, open } = await begun();
    const { session } = await open();
    let bytesBack = 0;
    session.onDatagram = (bytes) => {
      bytesBack += bytes.length;
    };
    let bytesSent = 0;
    for (let sequence = 0; sequence < 3_000; sequence++) {
      if (session.sendDatagram(echoRequest(sequence, session.datagramHeadroom, 1000)) === undefined)
        bytesSent += 1000;
      await clock.advance(1);
    }
    const allowedBytes = (3 * MAX_DIAGNOSIS_BPS) / 8 + MAX_DIAGNOSIS_BURST_BYTES;
    expect(bytesSent).toBeGreaterThan(allowedBytes * 1.2);
    // Reports come beside the echoes.
    expect(bytesBack).toBeLessThan(allowedBytes * 1.05);
    // Who reports nothing back is sent no more than a link may have outstanding.
    expect(bytesBack).toBeLessThan(MAX_LINK_OUTSTANDING_BYTES * 1.05);
    expect(bytesBack).toBeGreaterThan(MAX_LINK_OUTSTANDING_BYTES * 0.9);
    expect(relay.forwarder.counters.dropped["rate-limited"]).toBeGreaterThan(500);
  });

  it("takes an answer for no question: two relays' clients cannot be set on each other", async () => {
    const { clock, open } = await begun();
    const { session } = await open();
    let echoes = 0;
    session.onDatagram = (bytes) => {
      if (bytes.length === 500) echoes++;
    };
    const answer = echoRequest(1, session.datagramHeadroom, 500);
    writeEchoProbe(answer.subarray(session.datagramHeadroom + HOP_HEADER_BYTES), { isAnswer: true, id: 1 });
    session.sendDatagram(answer);
    await clock.advance(100);
    expect(echoes).toBe(0);
  });

  it("sends load for so long in all, at so much, whatever is asked for", async () => {
    const { clock, open } = await begun();
    const { session, say, heard } = await open();
    let bytes = 0;
    session.onDatagram = (datagram) => {
      bytes += datagram.length;
    };
    for (let round = 0; round < 3; round++) {
      await say({ type: "send-load", maxBps: 200_000_000, durationMs: 2_000 });
      await clock.advance(2_100);
    }
    expect(heard.filter((type) => type === "load-sent")).toHaveLength(3);
    expect(bytes).toBeLessThan((MAX_DIAGNOSIS_LOAD_MS * MAX_DIAGNOSIS_BPS) / 8_000);
  });

  it("ends one that takes too long", async () => {
    const { relay, clock, open } = await begun();
    const { closedBy } = await open();
    await clock.advance(MAX_DIAGNOSIS_MS + 100);
    expect(await closedBy).toBe("normal");
    expect(relay.metrics()).toContain('tributary_diagnoses_ended_total{how="timed-out"} 1');
    expect(relay.metrics()).toContain("tributary_diagnoses 0");
  });

  it("has a maximum at once", async () => {
    const { relay, clock, open } = await begun();
    const all = [];
    for (let i = 0; i < MAX_DIAGNOSES_PER_RELAY; i++) all.push(await open());
    expect(all.every(({ heard }) => heard[0] === "diagnosing")).toBe(true);
    const late = await open();
    expect(await clock.until(late.closedBy)).toBe("relay-full");
    expect(relay.metrics()).toContain('tributary_diagnoses_ended_total{how="relay-full"} 1');
    all[0]!.session.close(0, "");
    await clock.advance(50);
    expect((await open()).heard).toEqual(["diagnosing"]);
  });

  it.each<ClientMessageInput>([
    { type: "hello", version: 1, ticket: "x", sentAtUs: 1 },
    { type: "unsubscribe", request: 1, trackId: 1 },
    { type: "diagnose", version: 1, ticket: "x", sentAtUs: 1 },
  ])("closes one that goes on with $type", async (message) => {
    const { clock, open } = await begun();
    const { say, closedBy } = await open();
    await say(message);
    expect(await clock.until(closedBy)).toBe("protocol-error");
  });

  it("tells who measures that it is going away", async () => {
    const { relay, clock, open } = await begun();
    const { closedBy } = await open();
    await clock.until(relay.stop());
    expect(await clock.until(closedBy)).toBe("draining");
  });
});
