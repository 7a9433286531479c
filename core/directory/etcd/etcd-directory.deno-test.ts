/** The contracts on Deno, whose fetch and streams are its own, against a real etcd. */
import { openBridgeHarness, openHarness } from "../../../test/etcd/etcd-cluster.ts";
import { EtcdProcess } from "../../../test/etcd/etcd-process.ts";
import { bridgeDirectoryContract } from "../bridge-directory.contract.ts";
import { directoryContract } from "../directory.contract.ts";

Deno.test("directory: etcd on Deno", async (t) => {
  const etcd = await EtcdProcess.start();
  const step = (name: string, fn: () => Promise<void>): Promise<boolean> =>
    t.step({ name, sanitizeOps: false, sanitizeResources: false, sanitizeExit: false, fn });
  try {
    // Each case has keys of its own and mostly waits for leases: together they take as long as the longest.
    const passed = await Promise.all([
      ...directoryContract.map(({ name, run }) =>
        step(name, async () => {
          const harness = openHarness(etcd.url);
          try {
            await run(harness);
          } finally {
            await harness.directory.close();
          }
        }),
      ),
      ...bridgeDirectoryContract.map(({ name, run }) =>
        step(`bridges: ${name}`, async () => {
          const harness = openBridgeHarness(etcd.url);
          try {
            await run(harness);
          } finally {
            await harness.close();
          }
        }),
      ),
    ]);
    if (passed.includes(false)) throw new Error("a case of the contract failed");
  } finally {
    await etcd.stop();
  }
});
