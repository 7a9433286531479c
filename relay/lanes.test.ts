import { describe, expect, it } from "vitest";
import type { Session } from "../core/session/session.ts";
import { closeReasonOf } from "../core/wire/close-codes.ts";
import { DATAGRAM_PROBE, HOP_HEADER_BYTES, writeHopHeader } from "../core/wire/datagram.ts";
import { LANE_PATH, MAX_LANES } from "../core/wire/limits.ts";
import { frameMessage } from "../core/wire/message-framing.ts";
import { SimulatedCluster } from "../test/sim/simulated-cluster.ts";

const KEY = "k".repeat(24);

async function setUp() {
  const sim = new SimulatedCluster(5);
  const relay = await sim.addRelay("relay1");
  const { clock } = sim;
  const connect = (path: string): Session => sim.dial("relay1", {}, path).dialled;
  const session = connect("/");
  const stream = await clock.until(session.openStream());
  const ticket = sim.ticket({ identity: "ada" });
  await clock.until(
    stream.write(frameMessage({ type: "hello", version: 1, ticket, laneKey: KEY, sentAtUs: 1 })),
  );
  await clock.advance(100);
  const link = [...relay.rooms.values()][0]!.members.get("ada")!.link;
  const probe = (over: Session, sequence: number): void => {
    const bytes = new Uint8Array(over.datagramHeadroom + HOP_HEADER_BYTES);
    writeHopHeader(bytes, over.datagramHeadroom, DATAGRAM_PROBE, sequence, 0);
    expect(over.sendDatagram(bytes)).toBeUndefined();
  };
  const endOf = async (lane: Session): Promise<string> =>
    closeReasonOf((await clock.until(lane.closed)).code);
  return { sim, relay, clock, connect, session, link, probe, endOf };
}

describe("Lanes", () => {
  it("carry datagrams of the session whose key they have", async () => {
    const { relay, clock, connect, session, link, probe } = await setUp();
    const lane = connect(LANE_PATH + KEY);
    expect(relay.metrics()).toContain("tributary_lanes 1\n");
    for (let sequence = 0; sequence < 10; sequence++) probe(sequence % 2 === 0 ? lane : session, sequence);
    await clock.advance(100);
    expect(link.stats().datagramsReceived).toBe(10);
    expect(link.stats().datagramsLostInbound).toBe(0);
  });

  it("end with their session, and the session not with them", async () => {
    const { relay, clock, connect, session, endOf } = await setUp();
    connect(LANE_PATH + KEY).close(0, "");
    await clock.advance(100);
    expect(relay.metrics()).toContain("tributary_participants 1\n");
    expect(relay.metrics()).toContain("tributary_lanes 0\n");
    const lane = connect(LANE_PATH + KEY);
    session.close(0, "");
    expect(await endOf(lane)).toBe("normal");
    expect(await endOf(connect(LANE_PATH + KEY))).toBe("protocol-error");
  });

  it("are few, and nobody else's", async () => {
    const { relay, connect, endOf } = await setUp();
    expect(await endOf(connect(`${LANE_PATH}x${KEY}`))).toBe("protocol-error");
    expect(relay.metrics()).toContain("tributary_lanes_refused_total 1\n");
    for (let i = 0; i < MAX_LANES; i++) connect(LANE_PATH + KEY);
    expect(await endOf(connect(LANE_PATH + KEY))).toBe("protocol-error");
  });

  it("of a key that somebody has stay with the first", async () => {
    const { sim, clock, connect, link, probe } = await setUp();
    const other = connect("/");
    const stream = await clock.until(other.openStream());
    const ticket = sim.ticket({ identity: "eve" });
    await clock.until(
      stream.write(frameMessage({ type: "hello", version: 1, ticket, laneKey: KEY, sentAtUs: 1 })),
    );
    await clock.advance(100);
    probe(connect(LANE_PATH + KEY), 0);
    await clock.advance(100);
    expect(link.stats().datagramsReceived).toBe(1);
  });
});
