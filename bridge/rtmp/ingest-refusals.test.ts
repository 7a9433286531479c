import { beforeEach, describe, expect, it } from "vitest";
import { memorySocketPair } from "../net/memory-socket.ts";
import type { TestClient } from "./testing/test-client.ts";
import { KEY, TestIngest } from "./testing/test-ingest.ts";

let ingest: TestIngest;
beforeEach(() => {
  ingest = new TestIngest();
});

describe("refusals", () => {
  it("wrong keys are told, logged without the key, and block their address after ten", async () => {
    for (let i = 0; i < 10; i++) {
      const client = await ingest.dial(`192.0.2.9:${i}`);
      client.publish(`guess-${i}`);
      await ingest.clock.advance(1_500);
      expect(client.codes.at(-1)).toBe("NetStream.Publish.BadName");
      expect(client.ended).toBe(true);
    }
    const blocked = await ingest.dial("192.0.2.9:99");
    blocked.publish(KEY);
    await ingest.clock.advance(10);
    expect(blocked.codes).toEqual(["NetConnection.Connect.Rejected"]);
    expect(ingest.requests).toHaveLength(10);
    expect(ingest.log.join("\n")).not.toContain("guess-");
    const other = await ingest.dial("192.0.2.10:1");
    other.publish(KEY);
    await ingest.clock.advance(10);
    expect(other.codes.at(-1)).toBe("NetStream.Publish.Start");
    await ingest.clock.advance(60_000);
    const again = await ingest.dial("192.0.2.9:100");
    again.publish(KEY);
    await ingest.clock.advance(10);
    expect(again.codes.at(-1)).toBe("NetStream.Publish.Start");
  });

  it("a key that cannot be judged, or not in time", async () => {
    ingest.authorise = () => Promise.reject(new Error("no directory"));
    const first = await ingest.dial();
    first.publish(KEY);
    await ingest.clock.advance(1);
    expect(first.lastDescription).toContain("try again soon");
    ingest.authorise = () => new Promise(() => undefined);
    const second = await ingest.dial();
    second.publish(KEY);
    await ingest.clock.advance(10_001);
    expect(second.lastDescription).toContain("try again soon");
    expect(ingest.log.join("\n")).toMatch(/no directory[\s\S]*no answer came in time/);
  });

  it("the newest with a key has it, until two take turns", async () => {
    const clients: TestClient[] = [];
    for (let i = 0; i < 6; i++) {
      const client = await ingest.dial(`192.0.2.${i}:1`);
      client.publish(KEY);
      await ingest.clock.advance(100);
      clients.push(client);
    }
    expect(clients.slice(0, 4).map(({ codes }) => codes.at(-1))).toEqual(
      Array(4).fill("NetStream.Publish.BadName"),
    );
    expect(clients[4]!.codes.at(-1)).toBe("NetStream.Publish.Start");
    expect(clients[5]!.lastDescription).toContain("Two programs");
    expect(ingest.taken.map(({ ends }) => ends[0]?.code)).toEqual([
      ...Array(4).fill("taken-over"),
      undefined,
    ]);
    await ingest.clock.advance(2_000);
    expect(ingest.server.connections).toBe(1);
  });

  it("a name that is published already in the same connection, playing, an app that is none, commands out of order", async () => {
    const client = await ingest.publisher();
    client.call("publish", 4, [KEY], 1);
    await ingest.clock.advance(1);
    expect(client.codes.at(-1)).toBe("NetStream.Publish.BadName");
    expect(ingest.taken[0]!.ends).toEqual([]);
    const player = await ingest.dial();
    player.connect();
    player.call("play", 2, ["x"], 1);
    await ingest.clock.advance(1);
    expect(player.codes.at(-1)).toBe("NetStream.Play.Failed");
    const nowhere = await ingest.dial();
    nowhere.connect({ app: "" });
    await ingest.clock.advance(1);
    expect(nowhere.codes).toEqual(["NetConnection.Connect.Rejected"]);
    const early = await ingest.dial();
    early.call("publish", 1, [KEY], 1);
    await ingest.clock.advance(1);
    expect(early.lastDescription).toContain("before connect");
    await ingest.clock.advance(2_000);
    expect(ingest.server.connections).toBe(1);
  });

  it("another protocol, and garbage behind the handshake", async () => {
    const [near, far] = memorySocketPair();
    void ingest.server.accept(far);
    await near.write(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
    await ingest.clock.advance(1);
    expect(ingest.log.at(-1)).toContain("This is not RTMP");
    const client = await ingest.dial();
    client.write(new Uint8Array(100).fill(0xff));
    await ingest.clock.advance(1_500);
    expect(client.ended).toBe(true);
    expect(ingest.log.at(-1)).toContain("refers to an earlier one");
    expect(ingest.server.connections).toBe(0);
  });

  it("too many that do not publish, of one address and of all", async () => {
    for (let i = 0; i < 17; i++) await ingest.dial(`192.0.2.1:${i}`);
    expect(ingest.server.connections).toBe(16);
    for (let i = 0; i < 130; i++) await ingest.dial(`[2001:db8:0:${i}::1]:1`);
    expect(ingest.server.connections).toBe(128);
    expect(ingest.log.filter((line) => line.includes("do not publish yet"))).toHaveLength(19);
    for (let i = 0; i < 17; i++) await ingest.dial(`[2001:db8:0:1::${i}]:1`);
    expect(ingest.server.connections).toBe(128);
    await ingest.clock.advance(40_000);
    expect(ingest.server.connections).toBe(0);
  });

  it("a flood of connections does not flood the log", async () => {
    for (let i = 0; i < 216; i++) {
      const [, far] = memorySocketPair(["192.0.2.1:1", "198.51.100.1:1935"]);
      void ingest.server.accept(far);
    }
    expect(ingest.log).toHaveLength(50);
    await ingest.clock.advance(1_000);
    const [, far] = memorySocketPair(["192.0.2.1:1", "198.51.100.1:1935"]);
    void ingest.server.accept(far);
    expect(ingest.log.slice(50)).toEqual([
      "RTMP: 150 more lines were left out, there were too many at once",
      "RTMP from 192.0.2.1:1 refused: 16 connections from this address do not publish yet",
    ]);
  });
});
