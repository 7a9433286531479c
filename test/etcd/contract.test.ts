import { afterAll, beforeAll, describe, test } from "vitest";
import { bridgeDirectoryContract } from "../../core/directory/bridge-directory.contract.ts";
import { directoryContract } from "../../core/directory/directory.contract.ts";
import { openBridgeHarness, openHarness } from "./etcd-cluster.ts";
import { EtcdProcess } from "./etcd-process.ts";

let etcd: EtcdProcess;
beforeAll(async () => {
  etcd = await EtcdProcess.start();
});
afterAll(() => etcd.stop());

// Each case has keys of its own and mostly waits for leases: together they take as long as the longest.
describe.concurrent("directory: etcd", () => {
  test.each(directoryContract)("$name", async ({ run }) => {
    const harness = openHarness(etcd.url);
    try {
      await run(harness);
    } finally {
      await harness.directory.close();
    }
  });
});

describe.concurrent("bridge directory: etcd", () => {
  test.each(bridgeDirectoryContract)("$name", async ({ run }) => {
    const harness = openBridgeHarness(etcd.url);
    try {
      await run(harness);
    } finally {
      await harness.close();
    }
  });
});
