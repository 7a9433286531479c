import { describe, expect, it } from "vitest";
import { PlayedRoom } from "./testing/played-room.ts";

async function text(room: PlayedRoom, query = {}): Promise<string> {
  const asked = { sequence: undefined, part: undefined, skip: false, ...query };
  const found = await room.room.main.playlist(asked);
  if (!("body" in found)) throw new Error(found.message);
  return new TextDecoder().decode(found.body);
}

const durations = (room: PlayedRoom): number[] => {
  const all: number[] = [];
  for (const { segmentStart, durationUs } of room.parts) {
    if (segmentStart) all.push(0);
    all[all.length - 1]! += durationUs;
  }
  return all;
};

describe("live playlists, each judged whole and as a delta", () => {
  it("keep every rule over two minutes of pictures whose keyframes come when asked for", async () => {
    const room = new PlayedRoom();
    await room.open("black", true);
    await room.play({ seconds: 120, fps: 30 });
    expect(room.broken).toEqual([]);
    expect(room.inits.length).toBe(1);
    expect(room.parts.filter((part) => part.segmentStart).every((part) => part.independent)).toBe(true);
    const inner = durations(room).slice(0, -1);
    expect(Math.min(...inner)).toBeGreaterThanOrEqual(1_500_000);
    expect(Math.max(...inner)).toBeLessThanOrEqual(2_500_000);
    // Each part was announced by a hint.
    expect(room.whole.hintsBroken).toBe(0);
    expect(room.whole.hintsKept).toBeGreaterThanOrEqual(room.parts.length - 2);
    expect(room.dropped.pictures).toBe(0);
    await room.end();
    expect(room.broken).toEqual([]);
    expect(await text(room)).toContain("#EXT-X-ENDLIST");
  });

  it("keep every rule while pictures come, go, change their size, stall and never have a keyframe", async () => {
    for (const withoutPicture of ["black", "sound"] as const) {
      const room = new PlayedRoom();
      await room.open(withoutPicture, false);
      await room.play({ seconds: 5, fps: 0 });
      await room.play({ seconds: 7.3, fps: 30, gopSeconds: 2 });
      await room.play({ seconds: 4.1, fps: 24, size: [640, 360] });
      await room.play({ seconds: 3.33, fps: 0 });
      await room.play({ seconds: 6, fps: 7, size: [640, 360] });
      await room.play({ seconds: 3, fps: 0, stalled: true });
      await room.play({ seconds: 9, fps: 30, gopSeconds: 100 });
      await room.play({ seconds: 5, fps: 25, reorderUs: 80_000, size: [1280, 720] });
      await room.play({ seconds: 0.9, fps: 15 });
      await room.play({ seconds: 70, fps: 30, gopSeconds: 1 });
      expect(room.broken).toEqual([]);
      expect(room.whole.hintsBroken).toBeLessThanOrEqual(room.inits.length);
      const hasSoundAlone = room.inits.some(({ resolution }) => resolution === undefined);
      expect(hasSoundAlone).toBe(withoutPicture === "sound");
      // All of the time is there, once.
      const total = room.parts.reduce((sum, { durationUs }) => sum + durationUs, 0);
      expect(Math.abs(total - 113_630_000)).toBeLessThan(700_000);
      room.parts.forEach((part, index) => {
        const next = room.parts[index + 1];
        if (next !== undefined) expect(next.startUs).toBe(part.startUs + part.durationUs);
      });
      await room.end();
      expect(room.broken).toEqual([]);
    }
  });

  it("keep every rule while a picture that stalls is held, and until it is black", async () => {
    const room = new PlayedRoom();
    await room.open("black", true);
    await room.play({ seconds: 7, fps: 30 });
    await room.play({ seconds: 8, fps: 0, stalled: true });
    await room.play({ seconds: 7, fps: 30 });
    // One format all the time.
    expect(room.inits).toHaveLength(1);
    expect(await text(room)).not.toContain("#EXT-X-DISCONTINUITY\n");
    await room.play({ seconds: 15, fps: 0, stalled: true });
    await room.play({ seconds: 5, fps: 30 });
    await room.end();
    expect(room.broken).toEqual([]);
    expect(Math.max(...durations(room))).toBeLessThanOrEqual(4_000_000);
    room.parts.forEach((part, index) => {
      const next = room.parts[index + 1];
      if (next !== undefined) expect(next.startUs).toBe(part.startUs + part.durationUs);
    });
  });

  it("lists 30 segments at most, with parts for the last 12 s only", async () => {
    const room = new PlayedRoom();
    await room.open("sound", false);
    await room.play({ seconds: 90, fps: 0 });
    const lines = (await text(room)).split("\n");
    expect(lines.filter((line) => line.startsWith("#EXTINF")).length).toBeGreaterThanOrEqual(29);
    expect(lines.filter((line) => line.startsWith("#EXTINF")).length).toBeLessThanOrEqual(30);
    expect(lines.filter((line) => line.startsWith("#EXT-X-PART:")).length).toBeLessThanOrEqual(70);
    const delta = (await text(room, { skip: true })).split("\n");
    expect(delta.some((line) => line.startsWith("#EXT-X-SKIP:SKIPPED-SEGMENTS="))).toBe(true);
    expect(delta.length).toBeLessThan(lines.length);
    await room.end();
  });

  it("goes on from a recording's segments, and is a VOD playlist of all when it has ended", async () => {
    const kept: { startUs: number; durationUs: number; discontinuity: boolean }[] = [];
    const history = {
      segmentsBefore: (startUs: number) =>
        kept
          .filter((segment) => segment.startUs < startUs)
          .map((segment, index) => ({
            ...segment,
            media: { uri: "/recordings/a/media.mp4", range: { offset: index * 100, length: 100 } },
            init: { uri: "/recordings/a/media.mp4", range: { offset: 0, length: 50 } },
          })),
    };
    const room = new PlayedRoom(history);
    await room.open("black", true);
    room.room.main.onPart = ((take) => (part) => {
      const last = kept.at(-1);
      if (part.segmentStart)
        kept.push({ startUs: part.startUs, durationUs: part.durationUs, discontinuity: false });
      else if (last !== undefined) last.durationUs += part.durationUs;
      take(part);
    })(room.room.main.onPart.bind(room.room.main));
    await room.play({ seconds: 100, fps: 30, gopSeconds: 2 });
    const live = await text(room);
    expect(live.match(/#EXTINF/g)!.length).toBeGreaterThanOrEqual(49);
    expect(live).toContain("#EXT-X-BYTERANGE:100@100\n/recordings/a/media.mp4");
    expect(live).toContain('#EXT-X-MAP:URI="/recordings/a/media.mp4",BYTERANGE="50@0"');
    await room.end();
    const vod = await text(room);
    expect(vod).toContain("#EXT-X-PLAYLIST-TYPE:VOD");
    expect(vod.match(/#EXTINF/g)!.length).toBe(kept.length);
  });
});
