import { beforeEach, describe, expect, it } from "vitest";
import { seededRandom } from "../../test/sim/seeded-random.ts";
import { memorySocketPair } from "../net/memory-socket.ts";
import { makeFourCcAudioTag } from "./flv-audio.ts";
import { MESSAGE, readU32, USER_EVENT, userControl, windowSize } from "./messages.ts";
import { TestClient } from "./testing/test-client.ts";
import { TestIngest } from "./testing/test-ingest.ts";

let ingest: TestIngest;
beforeEach(() => {
  ingest = new TestIngest();
});

describe("time and flow", () => {
  it("cuts off who makes no handshake, and who publishes nothing", async () => {
    const [near, far] = memorySocketPair();
    void ingest.server.accept(far);
    await ingest.clock.advance(10_001);
    await expect(near.read()).rejects.toThrow("cut off");
    expect(ingest.log.at(-1)).toContain("no RTMP handshake");
    const client = await ingest.dial();
    client.connect();
    // Says something all the time, so that it is not idle.
    for (let i = 0; i < 32; i++) {
      await ingest.clock.advance(1_000);
      client.send(userControl(USER_EVENT.pingResponse, 0));
    }
    expect(ingest.log.at(-1)).toContain("published nothing");
    expect(client.ended).toBe(true);
  });

  it("pings who is silent, and gives up on who stays so", async () => {
    const client = await ingest.publisher();
    await ingest.clock.advance(6_000);
    const pings = client.received.filter(
      ({ type, payload }) => type === MESSAGE.userControl && payload[1] === 6,
    );
    expect(pings).toHaveLength(1);
    client.send(userControl(USER_EVENT.pingResponse, 0));
    await ingest.clock.advance(19_000);
    expect(ingest.taken[0]!.ends).toEqual([]);
    await ingest.clock.advance(2_000);
    expect(ingest.taken[0]!.ends).toMatchObject([{ code: "disconnected" }]);
    expect(ingest.taken[0]!.ends[0]!.message).toContain("Nothing came for 20 s");
    expect(ingest.server.connections).toBe(0);
  });

  it("answers pings and acknowledges what it was asked to", async () => {
    const client = await ingest.publisher();
    client.send(userControl(USER_EVENT.pingRequest, 77));
    client.send(windowSize(10_000));
    client.media("audio", 0, makeFourCcAudioTag("Opus", "frame", new Uint8Array(25_000)));
    await ingest.clock.advance(1);
    const pong = client.received.find(
      ({ type, payload }) => type === MESSAGE.userControl && payload[1] === 7,
    );
    expect(pong?.payload).toEqual(Uint8Array.of(0, 7, 0, 0, 0, 77));
    const acknowledged = client.received.filter(({ type }) => type === MESSAGE.acknowledgement).map(readU32);
    expect(acknowledged[0]).toBeGreaterThan(3_073);
  });

  it("cuts off who floods with commands, or asks without reading", async () => {
    const flood = await ingest.dial();
    flood.connect();
    for (let i = 0; i < 60; i++) flood.call("_checkbw", i + 2);
    await ingest.clock.advance(10);
    expect(flood.lastDescription).toContain("commands came within a second");
    const [near, far] = memorySocketPair(["192.0.2.3:1", "198.51.100.1:1935"], 400_000);
    void ingest.server.accept(far);
    const deaf = new TestClient(near, seededRandom(3));
    deaf.begin();
    await ingest.clock.advance(1);
    near.read = () => new Promise(() => undefined);
    await ingest.clock.advance(1);
    for (let i = 0; i < 60_000; i++) {
      deaf.send(userControl(USER_EVENT.pingRequest, i));
      if (i % 1_000 === 0) await ingest.clock.advance(1);
    }
    await ingest.clock.advance(1_500);
    expect(ingest.log.at(-1)).toContain("does not read what it is told");
  });

  it("closes: who can is asked to connect anew, sinks hear of the end, nobody is let in", async () => {
    const client = await ingest.publisher({}, { capsEx: 1 });
    ingest.server.close("The bridge restarts.");
    await ingest.clock.advance(1);
    expect(client.codes.slice(2)).toEqual([
      "NetConnection.Connect.ReconnectRequest",
      "NetStream.Unpublish.Success",
    ]);
    expect(ingest.taken[0]!.ends).toEqual([{ code: "ended-here", message: "The bridge restarts." }]);
    await ingest.clock.advance(1_500);
    expect(ingest.server.connections).toBe(0);
    const late = await ingest.dial();
    expect(late.ended).toBe(true);
    expect(ingest.log.at(-1)).toContain("closing");
  });

  it("ends when the room says so", async () => {
    const client = await ingest.publisher();
    ingest.taken[0]!.control.end("The ingest was deleted.");
    await ingest.clock.advance(1);
    expect(client.lastDescription).toBe("The ingest was deleted.");
    expect(ingest.taken[0]!.ends).toHaveLength(1);
  });

  it("a sink that throws ends its connection and is heard of", async () => {
    ingest.authorise = async () => ({
      granted: true,
      publication: "x",
      open: (control) => ({
        ...ingest.open(control),
        onAudio: () => {
          throw new Error("a fault of ours");
        },
      }),
    });
    const client = await ingest.publisher();
    client.media("audio", 0, makeFourCcAudioTag("Opus", "frame", Uint8Array.of(1)));
    await ingest.clock.advance(1_500);
    expect(ingest.taken[0]!.ends).toMatchObject([{ code: "ended-here" }]);
    expect(ingest.faults).toMatchObject([{ message: "a fault of ours" }]);
    expect(ingest.server.connections).toBe(0);
  });

  it("so does one that cannot be opened, and its key is free again", async () => {
    ingest.authorise = async () => ({
      granted: true,
      publication: "x",
      open: () => {
        throw new Error("no room");
      },
    });
    const client = await ingest.dial();
    client.publish("any");
    await ingest.clock.advance(1_500);
    expect(client.lastDescription).toContain("a fault of its own");
    expect(ingest.faults).toMatchObject([{ message: "no room" }]);
    expect([ingest.server.publications, ingest.server.connections]).toEqual([0, 0]);
  });
});
