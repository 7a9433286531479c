import { describe, expect, it } from "vitest";
import { bytesOf } from "../storage/storage.contract.ts";
import { requestedRange } from "./byte-range.ts";

describe("ranges", () => {
  it.each<[string | undefined, unknown]>([
    [undefined, { kind: "whole" }],
    ["bytes=0-", { kind: "part", offset: 0, length: 1000 }],
    ["bytes=0-0", { kind: "part", offset: 0, length: 1 }],
    ["bytes=990-5000", { kind: "part", offset: 990, length: 10 }],
    ["bytes=-10", { kind: "part", offset: 990, length: 10 }],
    ["bytes=-5000", { kind: "part", offset: 0, length: 1000 }],
    ["bytes=-0", { kind: "none" }],
    ["bytes=1000-", { kind: "none" }],
    ["bytes=5-2", { kind: "whole" }],
    ["bytes=0-1,5-6", { kind: "whole" }],
    ["items=0-1", { kind: "whole" }],
    ["bytes=-", { kind: "whole" }],
    ["bytes=99999999999999999999-", { kind: "whole" }],
  ])("%s", (header, range) => expect(requestedRange(header, 1000)).toEqual(range));

  it("fuzzed headers give ranges that lie within", () => {
    const pieces = ["bytes=", "-", "0", "9", "17", "999", ",", " ", "x", "18446744073709551616", "=", "1000"];
    const random = bytesOf(6 * Number(process.env.FUZZ ?? 5_000), 42);
    for (let i = 0; i + 6 <= random.length; i += 6) {
      const header = [...random.subarray(i, i + 6)].map((byte) => pieces[byte % pieces.length]).join("");
      const range = requestedRange(header, 1000);
      if (range.kind !== "part") continue;
      expect(range.offset >= 0 && range.length > 0 && range.offset + range.length <= 1000, header).toBe(true);
    }
  });
});
