import { expect, test } from "vitest";
import type { RoomStats, TrackStats } from "../sdk/api.ts";
import { bitrateText, connectionFigures, tileFigures } from "./stats-text.ts";

const track = (more: Partial<TrackStats>): TrackStats => ({
  type: "track",
  kind: "video",
  direction: "inbound",
  trackId: 1,
  participant: "ada",
  source: "camera",
  codec: "avc1.42E01F",
  bytes: 0,
  datagrams: 0,
  ...more,
});

const look = (atMs: number, ...tracks: TrackStats[]) => ({
  atMs,
  stats: {
    connection: {
      type: "connection",
      transport: "websocket",
      relayId: "r1",
      state: "connected",
      bytesSent: 2_500_000,
      bytesReceived: 900,
      datagramsSent: 1,
      datagramsReceived: 98,
      datagramsLost: 2,
      datagramsDropped: {},
      reconnects: 0,
      joinMs: 180.4,
    },
    tracks,
  } satisfies RoomStats,
});

const valueIn = (figures: { label: string; value: string }[], label: string) =>
  figures.find((figure) => figure.label === label)?.value;

test("rates and losses are those of the time between two looks", () => {
  const before = look(1000, track({ bytes: 100_000, datagrams: 1000, datagramsLost: 500 }));
  const now = look(
    3000,
    track({ bytes: 350_000, datagrams: 1090, datagramsLost: 510, frameWidth: 640, frameHeight: 360 }),
  );
  const figures = tileFigures([1], now, before);
  expect(valueIn(figures, "Video")).toBe("1.0 Mb/s");
  expect(valueIn(figures, "Video loss")).toBe("10.0 %");
  expect(valueIn(figures, "Picture")).toBe("640×360");
});

test("what is unknown is a dash, never NaN", () => {
  const figures = tileFigures([1], look(0, track({})), undefined);
  expect(figures.map((figure) => figure.value)).toEqual(["–", "–", "–", "–", "–"]);
  expect(tileFigures([2], look(0, track({})), undefined)).toEqual([]);
});

test("own tracks have no delay or loss", () => {
  const figures = tileFigures([1], look(0, track({ direction: "outbound", bitrateBps: 64_000 })), undefined);
  expect(figures.map((figure) => figure.label)).toEqual(["Picture", "Frames", "Video"]);
});

test("the connection in words", () => {
  const figures = connectionFigures(look(0));
  expect(valueIn(figures, "Transport")).toBe("WebSocket");
  expect(valueIn(figures, "Round trip")).toBe("–");
  expect(valueIn(figures, "Lost")).toBe("2.0 %");
  expect(valueIn(figures, "Sent")).toBe("2.5 MB");
});

test("bit rates change unit without gaps", () => {
  expect(bitrateText(999_499)).toBe("999 kb/s");
  expect(bitrateText(999_500)).toBe("1.0 Mb/s");
  expect(bitrateText(Number.NaN)).toBe("–");
});
