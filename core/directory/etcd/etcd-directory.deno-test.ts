/** The contract on Deno, whose fetch and streams are its own, against a real etcd. */
import { openHarness } from "../../../test/etcd/etcd-cluster.ts";
import { EtcdProcess } from "../../../test/etcd/etcd-process.ts";
import { directoryContract } from "../directory.contract.ts";

Deno.test("directory: etcd on Deno", async (t) => {
  const etcd = await EtcdProcess.start();
  try {
    // Each case has keys of its own and mostly waits for leases: together they take as long as the longest.
    const passed = await Promise.all(
      directoryContract.map(({ name, run }) =>
        t.step({
          name,
          sanitizeOps: false,
          sanitizeResources: false,
          sanitizeExit: false,
          fn: async () => {
            const harness = openHarness(etcd.url);
            try {
              await run(harness);
            } finally {
              await harness.directory.close();
            }
          },
        }),
      ),
    );
    if (passed.includes(false)) throw new Error("a case of the contract failed");
  } finally {
    await etcd.stop();
  }
});
