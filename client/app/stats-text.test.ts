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
  const rows = new Map(tileFigures([1], now, before)?.rows.map(({ label, values }) => [label, values[0]]));
  expect(rows.get("rate")).toBe("1.0 Mb/s");
  expect(rows.get("loss")).toBe("10.0 %");
  expect(rows.get("size")).toBe("640×360");
});

test("picture and sound stand side by side, with a gap where one has no such figure", () => {
  const sound = track({ kind: "audio", trackId: 2, source: "microphone", captureToRenderMs: 48 });
  const figures = tileFigures(
    [1, 2],
    look(0, sound, track({ captureToRenderMs: 61, framesPerSecond: 29.97 })),
    undefined,
  );
  expect(figures?.columns).toEqual(["video", "audio"]);
  expect(figures?.rows.find(({ label }) => label === "fps")?.values).toEqual(["30", ""]);
  expect(figures?.rows.find(({ label }) => label === "delay")?.values).toEqual(["61 ms", "48 ms"]);
});

test("what is unknown is a dash, never NaN, and no tracks are no table", () => {
  const values = tileFigures([1], look(0, track({})), undefined)?.rows.flatMap((row) => row.values);
  expect(values).toEqual(["–", "–", "–", "–", "–"]);
  expect(tileFigures([2], look(0, track({})), undefined)).toBeUndefined();
});

test("own tracks have no delay or loss", () => {
  const figures = tileFigures([1], look(0, track({ direction: "outbound", bitrateBps: 64_000 })), undefined);
  expect(figures?.rows.map(({ label }) => label)).toEqual(["size", "fps", "rate"]);
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
