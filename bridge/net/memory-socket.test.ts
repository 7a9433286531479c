import { describe, expect, it } from "vitest";
import { SocketError } from "./byte-socket.ts";
import { memorySocketPair } from "./memory-socket.ts";

describe("memorySocketPair", () => {
  it("carries bytes both ways; each direction ends by itself", async () => {
    const [near, far] = memorySocketPair();
    await near.write(Uint8Array.of(1, 2));
    near.finish();
    expect(await far.read()).toEqual(Uint8Array.of(1, 2));
    expect(await far.read()).toBeUndefined();
    await far.write(Uint8Array.of(3));
    expect(await near.read()).toEqual(Uint8Array.of(3));
    await expect(near.write(Uint8Array.of(4))).rejects.toThrow(SocketError);
    expect(far.remoteAddress).toBe("192.0.2.1:40000");
  });

  it("a write waits while too much is on its way", async () => {
    const [near, far] = memorySocketPair(undefined, 10);
    await near.write(new Uint8Array(10));
    let done = false;
    const second = near.write(new Uint8Array(5)).then(() => {
      done = true;
    });
    await Promise.resolve();
    expect([done, near.queuedBytes]).toEqual([false, 15]);
    await far.read();
    await second;
    expect(near.queuedBytes).toBe(5);
  });

  it("destroy rejects whatever waits, on both sides", async () => {
    const [near, far] = memorySocketPair(undefined, 1);
    const reading = far.read();
    const blocked = far.write(new Uint8Array(5));
    near.destroy();
    await expect(reading).rejects.toThrow("cut off");
    await expect(blocked).rejects.toThrow("cut off");
    await expect(near.read()).rejects.toThrow("cut off");
  });
});
