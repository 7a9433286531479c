import { describe, expect, it } from "vitest";
import { adtsFrame, makeAacConfig, readAacConfig } from "./aac-config.ts";
import { annexBOfAvcc, avcConfigOfAnnexB, avccOfAnnexB, readAvcConfig } from "./avc-config.ts";

const SPS = [0x67, 0x42, 0xe0, 0x1f, 0xda];
const PPS = [0x68, 0xce, 0x3c, 0x80];
const IDR = [0x65, 0x88, 0x84, 0x00, 0x33];
const SLICE = [0x41, 0x9a, 0x22];
const AUD = [0x09, 0xf0];
const annexB = (...units: number[][]): Uint8Array =>
  Uint8Array.from(units.flatMap((unit) => [0, 0, 0, 1, ...unit]));
const avcc = (...units: number[][]): Uint8Array =>
  Uint8Array.from(units.flatMap((unit) => [0, 0, 0, unit.length, ...unit]));

describe("H.264 in FLV and in Annex B", () => {
  const record = avcConfigOfAnnexB(annexB(SPS, PPS, IDR))!;
  const config = readAvcConfig(record);

  it("makes and reads the configuration record", () => {
    expect([...record]).toEqual([1, 0x42, 0xe0, 0x1f, 0xff, 0xe1, 0, 5, ...SPS, 1, 0, 4, ...PPS]);
    expect(config).toEqual({
      lengthBytes: 4,
      profile: 0x42,
      level: 0x1f,
      common: true,
      parameterSets: annexB(SPS, PPS),
    });
    expect(avcConfigOfAnnexB(annexB(SPS, IDR))).toBeUndefined();
    expect(readAvcConfig(Uint8Array.from([1, 110, 0, 31, 0xff, 0xe0, 0])).common).toBe(false);
    expect(() => readAvcConfig(record.subarray(0, -1))).toThrow("ends within");
    expect(() => readAvcConfig(Uint8Array.of(2, 0, 0, 0, 0, 0, 0))).toThrow("version");
  });

  it("puts parameter sets in front of keyframes that have none, behind the delimiter", () => {
    expect(annexBOfAvcc(avcc(IDR), config)).toEqual({ keyframe: true, bytes: annexB(SPS, PPS, IDR) });
    expect(annexBOfAvcc(avcc(AUD, IDR), config)).toEqual({
      keyframe: true,
      bytes: annexB(AUD, SPS, PPS, IDR),
    });
    expect(annexBOfAvcc(avcc(SPS, PPS, IDR), config)?.bytes).toEqual(annexB(SPS, PPS, IDR));
    expect(annexBOfAvcc(avcc(SLICE), config)).toEqual({ keyframe: false, bytes: annexB(SLICE) });
    expect(annexBOfAvcc(avcc([], []), config)).toBeUndefined();
  });

  it("takes lengths of one and two bytes", () => {
    const short = { ...config, lengthBytes: 1 };
    expect(annexBOfAvcc(Uint8Array.of(3, ...SLICE, 0, 3, ...SLICE), short)?.bytes).toEqual(
      annexB(SLICE, SLICE),
    );
    expect(annexBOfAvcc(Uint8Array.of(0, 3, ...SLICE), { ...config, lengthBytes: 2 })?.bytes).toEqual(
      annexB(SLICE),
    );
  });

  it("refuses lengths that run over", () => {
    expect(() => annexBOfAvcc(Uint8Array.of(0, 0, 0, 9, 1), config)).toThrow("longer than its tag");
    expect(() => annexBOfAvcc(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 1), config)).toThrow(
      "longer than its tag",
    );
    expect(() => annexBOfAvcc(Uint8Array.of(0, 0), config)).toThrow("cut off");
  });

  it("the way back leaves parameter sets to the record", () => {
    expect(avccOfAnnexB(annexB(AUD, SPS, PPS, IDR, IDR))).toEqual(avcc(IDR, IDR));
  });
});

describe("AAC configuration", () => {
  it("makes and reads LC", () => {
    expect([...makeAacConfig(48_000, 2)]).toEqual([0x11, 0x90]);
    expect([...makeAacConfig(44_100, 1)]).toEqual([0x12, 0x08]);
    for (const rate of [96_000, 48_000, 44_100, 7_350]) {
      for (const channels of [1, 2, 8]) {
        expect(readAacConfig(makeAacConfig(rate, channels))).toEqual({
          objectType: 2,
          sampleRateHz: rate,
          channels,
          frameSamples: 1024,
          sbr: false,
        });
      }
    }
    expect(() => makeAacConfig(47_999, 2)).toThrow(RangeError);
  });

  it("reads explicit HE-AAC as its core, and an odd rate", () => {
    expect(readAacConfig(Uint8Array.of(0x2b, 0x92, 0x08, 0x00))).toMatchObject({
      objectType: 2,
      sampleRateHz: 22_050,
      channels: 2,
      sbr: true,
    });
    // Type 2, index 15, 24 bits of 47,999, stereo.
    const odd = (2n << 35n) | (15n << 31n) | (47_999n << 7n) | (2n << 3n);
    const bytes = Uint8Array.from({ length: 5 }, (_, i) => Number((odd >> BigInt(32 - 8 * i)) & 255n));
    expect(readAacConfig(bytes)).toMatchObject({ sampleRateHz: 47_999, channels: 2 });
  });

  it("refuses what is cut off, unknown, or no AAC-LC", () => {
    expect(() => readAacConfig(Uint8Array.of(0x11))).toThrow("cut off");
    expect(() => readAacConfig(Uint8Array.of(0x17, 0x10, 0))).toThrow("sampling rate");
    expect(() => readAacConfig(Uint8Array.of(0xf9, 0x46, 0x40))).toThrow("AAC-LC");
    expect(() => readAacConfig(Uint8Array.of(0x11, 0xf8))).toThrow("stereo");
  });

  it("writes ADTS", () => {
    const config = readAacConfig(makeAacConfig(48_000, 2));
    expect([...adtsFrame(config, Uint8Array.of(1, 2, 3))!]).toEqual([
      255, 0xf1, 0x4c, 0x80, 1, 0x5f, 0xfc, 1, 2, 3,
    ]);
    expect(adtsFrame(config, new Uint8Array(8_185))).toBeUndefined();
  });
});
