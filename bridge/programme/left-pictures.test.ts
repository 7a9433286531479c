import { describe, expect, it } from "vitest";
import type { ParticipantInfo } from "../../core/wire/room-model.ts";
import { LeftPictures } from "./left-pictures.ts";

const SECOND_US = 1_000_000;

function person(name: string, trackId: number, codec: string, encrypted = false): ParticipantInfo {
  const renditions = [{ width: 640, height: 360, maxBitrateBps: 1_000_000, temporalLayers: 1 }];
  const common = { kind: "video", source: "camera", frameRate: 30, renditions, muted: false } as const;
  return {
    identity: name.toLowerCase(),
    name,
    admin: false,
    tracks: [{ trackId, offer: { ...common, codec, encrypted } }],
  };
}

describe("pictures that a bridge leaves out", () => {
  it("are counted once, and named while they are there", () => {
    const lines: string[] = [];
    const left = new LeftPictures((line) => lines.push(line));
    const people = [person("Ann", 1, "avc1.42E01F"), person("Bob", 2, "av01.0.04M.08")];
    for (let second = 0; second < 10; second++) left.look(people, second * SECOND_US);
    const sentence = "the camera of Bob is left out: it is sent in AV1, and outputs take H.264 only";
    expect(left.problem).toBe(sentence);
    expect(lines).toEqual([sentence]);
    expect(left.counts).toEqual({ codec: 1, encrypted: 0 });
    left.look([person("Ann", 1, "avc1.42E01F"), person("Bob", 3, "avc1.42E01F")], 10 * SECOND_US);
    expect(left.problem).toBe("");
    left.look([person("Eve", 4, "avc1.42E01F", true)], 11 * SECOND_US);
    left.look([person("Eve", 4, "avc1.42E01F", true)], 20 * SECOND_US);
    expect(left.problem).toBe("the camera of Eve is left out: it is encrypted, and a bridge has no key");
    expect(left.counts).toEqual({ codec: 1, encrypted: 1 });
  });

  it("do not count where their publisher changes the codec soon", () => {
    const left = new LeftPictures(() => undefined);
    left.look([person("Bob", 2, "vp8")], 0);
    left.look([person("Bob", 2, "vp8")], SECOND_US);
    left.look([person("Bob", 3, "avc1.42E01F")], 4 * SECOND_US);
    left.look([person("Bob", 5, "vp8")], 5 * SECOND_US);
    expect(left.problem).toBe("");
    expect(left.counts).toEqual({ codec: 0, encrypted: 0 });
  });
});
