import { describe, expect, it } from "vitest";
import { IcyInserter, icyTitle } from "./icy-metadata.ts";
import { ICY_INTERVAL_BYTES } from "./limits.ts";

const text = (block: Uint8Array): string => new TextDecoder().decode(block.subarray(1)).replace(/\0+$/, "");

describe("icyTitle", () => {
  it("fills up to units of sixteen", () => {
    const { block } = icyTitle("Ada");
    expect(block.length).toBe(1 + block[0]! * 16);
    expect(text(block)).toBe("StreamTitle='Ada';");
  });
  it("lets nobody end the title early", () => {
    expect(text(icyTitle("Ada'; StreamUrl='x\n").block)).toBe("StreamTitle='Ada’; StreamUrl=’x ';");
  });
  it("cuts long titles at a character", () => {
    const { block } = icyTitle("ж".repeat(3_000));
    expect(text(block)).toBe(`StreamTitle='${"ж".repeat(200)}';`);
    expect(block.length).toBeLessThan(4_081);
  });
});

describe("IcyInserter", () => {
  it("puts a block after each interval, however the sound is cut, the title once", () => {
    for (const step of [1_000, 3_840, ICY_INTERVAL_BYTES, 50_000]) {
      const sound = Uint8Array.from({ length: 5 * ICY_INTERVAL_BYTES + 77 }, (_, i) => (i * 7) & 0xff);
      const inserter = new IcyInserter();
      const [first, second] = [icyTitle("Ada"), icyTitle("Bob")];
      const pieces: Uint8Array[] = [];
      for (let at = 0; at < sound.length; at += step) {
        const title = at < 2.5 * ICY_INTERVAL_BYTES ? first : second;
        for (const piece of inserter.pieces(sound.subarray(at, at + step), title)) pieces.push(piece);
      }
      const sent = Buffer.concat(pieces);
      const titles: string[] = [];
      const plain: Uint8Array[] = [];
      let at = 0;
      while (at < sent.length) {
        plain.push(sent.subarray(at, at + ICY_INTERVAL_BYTES));
        at += ICY_INTERVAL_BYTES;
        if (at >= sent.length) break;
        const size = sent[at]! * 16;
        if (size > 0) titles.push(text(sent.subarray(at, at + 1 + size)));
        at += 1 + size;
      }
      expect(Buffer.concat(plain).equals(sound)).toBe(true);
      expect(titles).toEqual(["StreamTitle='Ada';", "StreamTitle='Bob';"]);
    }
  });
});
