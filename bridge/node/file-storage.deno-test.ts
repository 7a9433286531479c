/** The Storage contract on files under Deno, whose file system calls differ from Node's in places. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { storageContract } from "../storage/storage.contract.ts";
import { FileStorage } from "./file-storage.ts";

for (const { name, run } of storageContract) {
  Deno.test({
    name: `files: ${name}`,
    // What a killed process has open is not closed by it.
    sanitizeResources: false,
    fn: async () => {
      const root = await mkdtemp(join(tmpdir(), "files-"));
      try {
        await run({ storage: new FileStorage({ root }), afterCrash: async () => new FileStorage({ root }) });
      } finally {
        await rm(root, { recursive: true, force: true });
      }
    },
  });
}
