import { describe, expect, it } from "vitest";
import { PlayedProgramme } from "../../test/bridge/played-programme.ts";
import { BlackPicture } from "../picture/black-picture.ts";
import type { SoundEncoderOptions } from "../sound/sound-encoder.ts";
import { MAX_PART_SINKS } from "./limits.ts";
import type { InitSegment, MediaPart } from "./media-part.ts";
import { openProgrammeParts } from "./programme-to-parts.ts";
import { openPlayedEncoder } from "./testing/played-encoder.ts";

const START_US = 1_735_689_600_000_000;

class Collected {
  readonly inits: InitSegment[] = [];
  readonly parts: MediaPart[] = [];
  ended = false;
  onInit = (init: InitSegment): void => void this.inits.push(init);
  onPart = (part: MediaPart): void => void this.parts.push(part);
  onEnd = (): void => {
    this.ended = true;
  };
}

async function open(withoutPicture: "black" | "sound" = "sound", openEncoder = openPlayedEncoder) {
  const programme = new PlayedProgramme();
  const problems: string[] = [];
  const writer = await openProgrammeParts({
    programme,
    openEncoder,
    codec: "mp4a.40.2",
    bitrateBps: 128_000,
    withoutPicture,
    onProblem: (error) => problems.push(error.message),
  });
  let blocks = 0;
  const black = new BlackPicture(64, 64);
  const play = (seconds: number, withPicture = true): void => {
    programme.hasPicture = withPicture;
    for (const end = blocks + seconds * 50; blocks < end; blocks++) {
      const timeUs = START_US + blocks * 20_000;
      const keyframe = blocks % 100 === 0;
      const bytes = keyframe ? black.keyframe() : black.repeat();
      if (withPicture) programme.picture({ timeUs, decodeTimeUs: timeUs, keyframe, switched: false, bytes });
      programme.sound(timeUs);
    }
  };
  return { programme, writer, play, problems };
}

describe("a programme's parts", () => {
  it("reach a sink that comes late from the next segment on, with the init segment in force", async () => {
    const { writer, play } = await open();
    const [early, late] = [new Collected(), new Collected()];
    writer.add(early);
    play(3);
    writer.add(late);
    play(3);
    await writer.close();
    expect(late.inits).toEqual(early.inits);
    expect(late.parts[0]?.segmentStart).toBe(true);
    expect(late.parts).toEqual(early.parts.slice(-late.parts.length));
    expect(late.parts[0]?.startUs).toBe(START_US + 4_000_000);
    expect([early.ended, late.ended]).toEqual([true, true]);
  });

  it("say that everybody may see them while a public sink gets them", async () => {
    const { writer, play } = await open();
    const recorder = new Collected();
    writer.add(recorder);
    play(3);
    const leave = writer.add(Object.assign(new Collected(), { isPublic: true }));
    play(3);
    leave();
    play(2);
    await writer.close();
    const shown = recorder.parts.filter((part) => part.shown).map(({ startUs }) => startUs - START_US);
    // It begins with a segment.
    expect(shown[0]).toBe(4_000_000);
    expect(shown.at(-1)).toBeGreaterThan(5_400_000);
    expect(shown.at(-1)).toBeLessThan(6_000_000);
    expect(shown).toHaveLength(Math.round((shown.at(-1)! - 4_000_000) / 200_000) + 1);
  });

  it("no longer reach a sink that has left, and no more sinks than there may be", async () => {
    const { writer, play } = await open();
    const sink = new Collected();
    const leave = writer.add(sink);
    play(1);
    leave();
    const had = sink.parts.length;
    expect(had).toBeGreaterThan(2);
    play(1);
    expect(sink.parts.length).toBe(had);
    for (let i = 0; i < MAX_PART_SINKS; i++) writer.add(new Collected());
    expect(() => writer.add(new Collected())).toThrow(RangeError);
    await writer.close();
  });

  it("ask for keyframes in time for a segment every two seconds", async () => {
    const { programme, writer, play } = await open();
    writer.add(new Collected());
    play(2);
    const before = programme.keyframeRequests;
    play(10);
    // Once each segment: keyframes come by themselves each 2 s.
    expect(programme.keyframeRequests - before).toBeGreaterThanOrEqual(4);
    expect(programme.keyframeRequests - before).toBeLessThanOrEqual(6);
    await writer.close();
  });

  it("show black in the size of the last picture while there is none", async () => {
    const { writer, play } = await open("black");
    const sink = new Collected();
    writer.add(sink);
    play(4);
    play(4, false);
    await writer.close();
    expect(sink.inits.every(({ resolution }) => resolution?.width === 64)).toBe(true);
    const total = sink.parts.reduce((sum, part) => sum + part.durationUs, 0);
    expect(total).toBeGreaterThan(7_900_000);
  });

  it("go on with another encoder when one fails", async () => {
    const opened: SoundEncoderOptions[] = [];
    const { writer, play, problems } = await open("sound", (options) => {
      opened.push(options);
      return openPlayedEncoder(options);
    });
    const sink = new Collected();
    writer.add(sink);
    play(2);
    opened[0]!.onFailure(new Error("it broke"));
    await Promise.resolve();
    play(4);
    await writer.close();
    expect(problems).toEqual(["it broke"]);
    expect(opened.length).toBe(2);
    expect(sink.parts.at(-1)!.startUs).toBeGreaterThan(START_US + 5_500_000);
  });
});
