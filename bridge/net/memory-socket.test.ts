import { describe, expect, it } from "vitest";
import { wallClock } from "../../test/sim/wall-clock.ts";
import { byteSocketContract } from "./byte-socket.contract.ts";
import { memorySocketPair } from "./memory-socket.ts";

describe("memorySocketPair", () => {
  const connect = async () => {
    const [dialled, accepted] = memorySocketPair();
    return { dialled, accepted };
  };
  it.each(byteSocketContract)("$name", ({ run }) => run({ clock: wallClock, connect }));

  it("says what is on its way, and waits above its buffer", async () => {
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
    expect(far.remoteAddress).toBe("192.0.2.1:40000");
  });
});
