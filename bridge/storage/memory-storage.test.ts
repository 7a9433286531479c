import { test } from "vitest";
import { storageContract } from "./storage.contract.ts";
import { MemoryStorage } from "./testing/memory-storage.ts";

for (const { name, run } of storageContract) {
  test(`memory: ${name}`, () => {
    const storage = new MemoryStorage();
    const afterCrash = async (): Promise<MemoryStorage> => {
      storage.crash();
      return storage;
    };
    return run({ storage, afterCrash });
  });
}
