import { expect, it } from "vitest";
import { HandClock } from "../recording/testing/hand-clock.ts";
import { HlsRoom } from "./hls-room.ts";
import { HlsRooms } from "./hls-rooms.ts";
import { ENDED_ROOM_MS, MAX_ENDED_ROOMS } from "./limits.ts";

it("keeps what has ended for a while, and what goes on elsewhere not at all", async () => {
  const clock = new HandClock();
  const rooms = new HlsRooms(clock);
  const [one, other] = [new HlsRoom({ clock }), new HlsRoom({ clock })];
  rooms.add("stage", one);
  rooms.end("stage", one, false);
  expect(rooms.find("stage")).toBeUndefined();
  rooms.add("stage", one);
  rooms.end("stage", one, true);
  await clock.pass(ENDED_ROOM_MS - 1);
  expect(rooms.find("stage")).toBe(one);
  await clock.pass(1);
  expect(rooms.find("stage")).toBeUndefined();
  // The next one takes its place, and its end is not that of the one before.
  rooms.add("stage", one);
  rooms.end("stage", one, true);
  rooms.add("stage", other);
  rooms.end("stage", one, true);
  await clock.pass(ENDED_ROOM_MS);
  expect(rooms.find("stage")).toBe(other);
});

it("keeps a bounded number of them", () => {
  const clock = new HandClock();
  const rooms = new HlsRooms(clock);
  const names = Array.from({ length: MAX_ENDED_ROOMS + 2 }, (_, n) => `room-${n}`);
  for (const name of names) {
    const room = new HlsRoom({ clock });
    rooms.add(name, room);
    rooms.end(name, room, true);
  }
  expect(names.filter((name) => rooms.find(name) !== undefined)).toEqual(names.slice(2));
  rooms.close();
  expect(names.filter((name) => rooms.find(name) !== undefined)).toEqual([]);
});
