import { describe, expect, it } from "vitest";
import { makeAacTag, makeFourCcAudioTag, readAudioTags } from "./flv-audio.ts";
import {
  makeAvcConfigTag,
  makeAvcEndTag,
  makeAvcFrameTag,
  makeFourCcVideoTag,
  readVideoTags,
} from "./flv-video.ts";

const DATA = Uint8Array.of(1, 2, 3, 4, 5);
const ascii = (text: string): number[] => [...text].map((c) => c.charCodeAt(0));

describe("video tags", () => {
  it("legacy AVC, with signed composition times", () => {
    expect(readVideoTags(makeAvcConfigTag(DATA))).toMatchObject([
      { kind: "config", codec: "avc1", data: DATA },
    ]);
    for (const compositionMs of [0, 66, -33, 0x7f_ffff, -0x80_0000]) {
      expect(readVideoTags(makeAvcFrameTag(false, compositionMs, DATA))).toEqual([
        {
          kind: "frame",
          codec: "avc1",
          keyframe: false,
          compositionMs,
          nanoseconds: 0,
          trackId: 0,
          data: DATA,
        },
      ]);
    }
    expect(readVideoTags(makeAvcEndTag())).toMatchObject([{ kind: "end" }]);
  });

  it("FourCC, with and without composition times", () => {
    for (const codec of ["avc1", "hvc1", "av01", "vp09"]) {
      const reordered = codec === "avc1" || codec === "hvc1";
      expect(readVideoTags(makeFourCcVideoTag(codec, "config", true, 0, DATA))).toMatchObject([
        { kind: "config", codec, keyframe: true, data: DATA },
      ]);
      for (const time of [0, -40]) {
        expect(readVideoTags(makeFourCcVideoTag(codec, "frame", true, time, DATA))).toMatchObject([
          { kind: "frame", codec, compositionMs: reordered ? time : 0, data: DATA },
        ]);
      }
      expect(readVideoTags(makeFourCcVideoTag(codec, "end", true, 0, DATA))).toMatchObject([{ kind: "end" }]);
    }
  });

  it("ModEx in front: nanoseconds, unknown kinds, long ones", () => {
    const nano = [0x97, 2, 0x0b, 0x71, 0xb0, 0x03, ...ascii("hvc1"), 9];
    expect(readVideoTags(Uint8Array.from(nano))).toMatchObject([
      { kind: "frame", codec: "hvc1", nanoseconds: 750_000, keyframe: true, data: Uint8Array.of(9) },
    ]);
    const long = [0x97, 255, 1, 0, ...new Uint8Array(257), 0xf7, 0, 0, 0x00, ...ascii("avc1"), 9];
    expect(readVideoTags(Uint8Array.from(long))).toMatchObject([{ kind: "config", nanoseconds: 0 }]);
    const endless = [0x97, ...Array.from({ length: 20 }, () => [0, 0, 7]).flat()];
    expect(() => readVideoTags(Uint8Array.from(endless))).toThrow("ModEx");
  });

  it("multitrack: one track, many of one codec, many of many", () => {
    const one = [0x96, 0x00 | 3, ...ascii("avc1"), 5, 1, 2];
    expect(readVideoTags(Uint8Array.from(one))).toMatchObject([{ trackId: 5, data: Uint8Array.of(1, 2) }]);
    const same = [0xa6, 0x10 | 1, ...ascii("avc1"), 0, 0, 0, 4, 0xff, 0xff, 0xf6, 7, 1, 0, 0, 3, 0, 0, 1];
    expect(readVideoTags(Uint8Array.from(same))).toMatchObject([
      { trackId: 0, compositionMs: -10, data: Uint8Array.of(7), keyframe: false },
      { trackId: 1, compositionMs: 1, data: new Uint8Array(0) },
    ]);
    const mixed = [0x96, 0x20, ...ascii("avc1"), 0, 0, 0, 1, 8, ...ascii("vp09"), 1, 0, 0, 2, 9, 9];
    expect(readVideoTags(Uint8Array.from(mixed))).toMatchObject([
      { kind: "config", codec: "avc1", trackId: 0, data: Uint8Array.of(8) },
      { kind: "config", codec: "vp09", trackId: 1, data: Uint8Array.of(9, 9) },
    ]);
  });

  it("commands, empty bodies, other codecs, broken ones", () => {
    expect(readVideoTags(new Uint8Array(0))).toEqual([]);
    expect(readVideoTags(Uint8Array.of(0x57, 0))).toEqual([]);
    expect(readVideoTags(Uint8Array.of(0xd1, 1))).toEqual([]);
    expect(readVideoTags(Uint8Array.of(0x12, 7))).toMatchObject([{ codec: "flv:2" }]);
    expect(readVideoTags(Uint8Array.of(0x1c, 1, 0, 0, 0, 7))).toMatchObject([{ codec: "hvc1" }]);
    expect(() => readVideoTags(Uint8Array.of(0x17, 9, 0, 0, 0))).toThrow("unknown type 9");
    expect(() => readVideoTags(Uint8Array.of(0x17, 1, 0))).toThrow("ends within");
    expect(() => readVideoTags(Uint8Array.of(0x96, 0x46))).toThrow("multitrack");
  });
});

describe("audio tags", () => {
  it("legacy AAC and MP3, and FourCC", () => {
    expect(readAudioTags(makeAacTag("config", DATA))).toMatchObject([{ kind: "config", codec: "mp4a" }]);
    expect(readAudioTags(makeAacTag("frame", DATA))).toEqual([
      { kind: "frame", codec: "mp4a", nanoseconds: 0, trackId: 0, data: DATA },
    ]);
    expect(readAudioTags(Uint8Array.of(0x2f, 9))).toMatchObject([{ kind: "frame", codec: ".mp3" }]);
    expect(readAudioTags(Uint8Array.of(0xbf, 9))).toMatchObject([{ codec: "flv:11" }]);
    for (const kind of ["config", "frame", "end"] as const) {
      expect(readAudioTags(makeFourCcAudioTag("Opus", kind, DATA))).toMatchObject([
        { kind, codec: "Opus", data: DATA },
      ]);
    }
    expect(readAudioTags(new Uint8Array(0))).toEqual([]);
  });

  it("multitrack behind ModEx", () => {
    const tag = [0x97, 2, 0, 0, 9, 0x05, 0x11, ...ascii("Opus"), 0, 0, 0, 1, 7, 2, 0, 0, 1, 8];
    expect(readAudioTags(Uint8Array.from(tag))).toMatchObject([
      { kind: "frame", trackId: 0, nanoseconds: 9, data: Uint8Array.of(7) },
      { kind: "frame", trackId: 2, nanoseconds: 9, data: Uint8Array.of(8) },
    ]);
  });
});
