import { describe, expect, test } from "vitest";
import { VirtualClock } from "../../test/sim/virtual-clock.ts";
import { MAX_BRIDGE_JOBS } from "../wire/limits.ts";
import { bridgeDirectoryContract } from "./bridge-directory.contract.ts";
import { TooManyJobsError } from "./bridge-directory.ts";
import { bridgeNamed, hlsJob, recordingJob, watched } from "./bridge-directory-harness.contract.ts";
import { MemoryBridges } from "./memory-bridges.ts";

describe("bridge directory: memory", () => {
  test.each(bridgeDirectoryContract)("$name", async ({ run }) => {
    const clock = new VirtualClock();
    const directory = new MemoryBridges(clock);
    await run({
      directory,
      pass: (delayMs) => clock.advance(delayMs),
      cutOff: async (bridgeId) => directory.cutOff(bridgeId),
      reconnect: async (bridgeId) => directory.reconnect(bridgeId),
    });
  });
});

describe("memory directory of bridges", () => {
  test("is full at its maximum; what stands is still returned, and there is room again after a delete", async () => {
    const directory = new MemoryBridges(new VirtualClock());
    await directory.putJob(hlsJob("hls-0001"));
    for (let i = 1; i < MAX_BRIDGE_JOBS; i++) await directory.putJob(recordingJob(`job-${10_000 + i}`));
    await expect(directory.putJob(recordingJob("job-more"))).rejects.toThrow(TooManyJobsError);
    expect((await directory.putJob(hlsJob("hls-0002"))).id).toBe("hls-0001");
    await directory.deleteJob("hls-0001");
    expect((await directory.putJob(recordingJob("job-more"))).id).toBe("job-more");
  });

  test("that forgets loses bridges and jobs, and says that nobody has deleted them", async () => {
    const directory = new MemoryBridges(new VirtualClock());
    const a = await directory.registerBridge(bridgeNamed("a"), 1_000);
    await directory.putJob(hlsJob("hls-0001"));
    await a.claimJob("hls-0001");
    const { events } = watched(directory);
    events.length = 0;
    directory.forget();
    await a.lost;
    expect(events).toEqual([
      { type: "job-gone", jobId: "hls-0001", forgotten: true },
      { type: "bridge-gone", bridgeId: "a" },
    ]);
    expect(await directory.jobs()).toEqual([]);
    expect((await directory.putJob(hlsJob("hls-0002"))).id).toBe("hls-0002");
  });
});
