import { describe, expect, it } from "vitest";
import { ActiveSpeakers, SPEAKERS_INTERVAL_MS } from "./active-speakers.ts";
import { AudioActivity } from "./audio-activity.ts";

function meeting() {
  const speakers = new ActiveSpeakers();
  let nowUs = 0;
  return (levels: Record<string, number>): string[] | undefined => {
    nowUs += SPEAKERS_INTERVAL_MS * 1000;
    return speakers.update(new Map(Object.entries(levels)), nowUs)?.map(({ identity }) => identity);
  };
}

describe("ActiveSpeakers", () => {
  it("says who speaks, loudest first, and only when it is news", () => {
    const look = meeting();
    expect(look({ ada: 90, bob: 90 })).toBeUndefined();
    expect(look({ ada: 30, bob: 90 })).toEqual(["ada"]);
    expect(look({ ada: 31, bob: 90 })).toBeUndefined();
    expect(look({ ada: 31, bob: 25 })).toEqual(["bob", "ada"]);
    expect(look({ ada: 24, bob: 25 })).toBeUndefined();
    expect(look({ ada: 15, bob: 25 })).toEqual(["ada", "bob"]);
  });

  it("does not flicker in the pauses between words", () => {
    const look = meeting();
    look({ ada: 30 });
    for (let i = 0; i < 20; i++) expect(look({ ada: i % 4 === 0 ? 30 : 80 })).toBeUndefined();
    const silence = Array.from({ length: 10 }, () => look({ ada: 80 }));
    expect(silence.filter((news) => news !== undefined)).toEqual([[]]);
  });

  it("forgets who has gone", () => {
    const look = meeting();
    look({ ada: 30, bob: 35 });
    expect(look({ bob: 35 })).toEqual(["bob"]);
  });
});

describe("AudioActivity", () => {
  it("rises at once, falls slowly, and is silent when nothing comes", () => {
    const activity = new AudioActivity();
    let nowUs = 0;
    const hear = (level: number, frames: number): number => {
      for (let i = 0; i < frames; i++) {
        nowUs += 20_000;
        activity.push(level, nowUs);
      }
      return activity.level(nowUs);
    };
    expect(hear(20, 4)).toBeLessThan(30);
    expect(hear(100, 3)).toBeLessThan(50);
    expect(hear(100, 50)).toBeGreaterThan(90);
    hear(20, 4);
    expect(activity.level(nowUs + 500_000)).toBe(127);
  });
});
