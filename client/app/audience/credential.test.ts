import { expect, test, vi } from "vitest";
import { credentialFrom, keepCredential, loadCredential } from "./credential.ts";

function memoryStore() {
  const kept = new Map<string, string>();
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  };
}

test("a credential is kept, read back and forgotten", () => {
  const store = memoryStore();
  expect(loadCredential(store)).toBe("");
  keepCredential(store, "ops:secret");
  expect(loadCredential(store)).toBe("ops:secret");
  keepCredential(store, "");
  expect(loadCredential(store)).toBe("");
  expect(loadCredential(undefined)).toBe("");
});

test("storage that is full keeps nothing and breaks nothing", () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  const full = {
    ...memoryStore(),
    setItem: () => {
      throw new Error("QuotaExceededError");
    },
  };
  keepCredential(full, "ops:secret");
  expect(loadCredential(full)).toBe("");
  expect(warn).toHaveBeenCalledOnce();
  warn.mockRestore();
});

test.each([
  ["  ops:secret\n", "ops:secret"],
  ['"eyJh.eyJy.sig"', "eyJh.eyJy.sig"],
  ["Bearer eyJh.eyJy.sig", "eyJh.eyJy.sig"],
  ["Authorization: Bearer ops:secret", "ops:secret"],
  ["   ", ""],
])("%j pasted is %j", (pasted, credential) => expect(credentialFrom(pasted)).toBe(credential));
