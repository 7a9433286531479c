import { expect, test } from "vitest";
import { loadPreferences, savePreferences } from "./preferences.ts";

function memoryStore(initial?: string) {
  let value = initial ?? null;
  return {
    getItem: () => value,
    setItem: (_key: string, next: string) => {
      value = next;
    },
  };
}

test("what was saved comes back, and a change keeps the rest", () => {
  const store = memoryStore();
  savePreferences(store, { name: "Ada", cameraId: "cam-1" });
  savePreferences(store, { microphoneOn: false });
  expect(loadPreferences(store)).toMatchObject({
    name: "Ada",
    cameraId: "cam-1",
    microphoneOn: false,
    cameraOn: true,
  });
});

test.each(["", "{", "null", "[1]", '{"name":7,"cameraOn":"x"}', `{"name":"${"x".repeat(999)}"}`])(
  "damaged storage %j reads as defaults",
  (damaged) => {
    expect(loadPreferences(memoryStore(damaged))).toMatchObject({
      name: "",
      cameraOn: true,
      microphoneOn: true,
    });
  },
);

test("a browser without storage is no error", () => {
  expect(savePreferences(undefined, { name: "Ada" })).toBe(false);
  const full = {
    getItem: () => null,
    setItem: () => {
      throw new Error("quota");
    },
  };
  expect(savePreferences(full, { name: "Ada" })).toBe(false);
});
