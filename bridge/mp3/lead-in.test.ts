import { describe, expect, it } from "vitest";
import { readFrameHeader } from "./frame-header.ts";
import { leadIn } from "./lead-in.ts";

/** At 64 kbit/s (192 bytes, 156 of main data), numbered through so that each byte tells where it is from. */
function frame(fill: number, reservoirBytes: number): Uint8Array {
  const bytes = Uint8Array.from({ length: 192 }, (_, i) => (fill + i) & 0xff);
  bytes.set([0xff, 0xfb, 0x54, 0x64, reservoirBytes >> 1, (reservoirBytes & 1) << 7]);
  return bytes;
}
const mainData = (bytes: Uint8Array): number[] => [...bytes.subarray(36)];

describe("leadIn", () => {
  it("is empty where a frame needs nothing", () => {
    expect(leadIn(frame(0, 0), [frame(1, 0)]).length).toBe(0);
  });
  it.each([1, 155, 156, 157, 312, 313, 511])(
    "carries %i bytes of the reservoir right before the frame",
    (need) => {
      const before = [frame(10, 0), frame(50, 0), frame(90, 0), frame(130, 0)];
      const bytes = leadIn(frame(0, need), before);
      expect(bytes.length).toBe(192 * Math.ceil(need / 156));
      const carried: number[] = [];
      for (let at = 0; at < bytes.length; at += 192) {
        expect(readFrameHeader(bytes, at)).toMatchObject({
          frameBytes: 192,
          reservoirBytes: (at / 192) * 156,
        });
        // Side information of zeros decodes from no bits.
        expect(bytes.subarray(at + 6, at + 36).every((value) => value === 0)).toBe(true);
        carried.push(...mainData(bytes.subarray(at, at + 192)));
      }
      expect(carried.slice(-need)).toEqual(before.flatMap(mainData).slice(-need));
      expect(carried.slice(0, -need).every((value) => value === 0)).toBe(true);
    },
  );
  it("has zeros for what nobody has kept", () => {
    const bytes = leadIn(frame(0, 200), [frame(10, 0)]);
    expect(bytes.length).toBe(384);
    expect([...bytes.subarray(-156)]).toEqual(mainData(frame(10, 0)));
    expect(bytes.subarray(36, 192).every((value) => value === 0)).toBe(true);
  });
});
