import { expect, test } from "vitest";
import { chooseTiles, stageTile, type Tile } from "./tiles.ts";

function tile(key: string, more: Partial<Tile> = {}): Tile {
  return {
    key,
    kind: "camera",
    identity: key,
    name: key,
    own: false,
    picture: undefined,
    problem: "",
    microphone: "none",
    speaking: false,
    trackIds: [],
    ...more,
  };
}

const keys = (tiles: Tile[]) => tiles.map((one) => one.key).join(" ");

test("the latest screen of somebody else takes the stage, unless a tile is pinned", () => {
  const tiles = [
    tile("me", { own: true }),
    tile("mine", { own: true, kind: "screen" }),
    tile("ada"),
    tile("s1", { kind: "screen" }),
    tile("s2", { kind: "screen" }),
  ];
  expect(stageTile(tiles, "")?.key).toBe("s2");
  expect(stageTile(tiles, "ada")?.key).toBe("ada");
  expect(stageTile(tiles, "gone")?.key).toBe("s2");
  expect(stageTile(tiles.slice(0, 3), "")).toBeUndefined();
});

test("too many tiles: ourselves and speakers keep a place, and the order stays", () => {
  const tiles = [
    tile("a"),
    tile("b"),
    tile("c", { speaking: true }),
    tile("d"),
    tile("me", { own: true }),
    tile("s", { kind: "screen" }),
  ];
  expect(keys(chooseTiles(tiles, 4))).toBe("a c me s");
  expect(keys(chooseTiles(tiles, 6))).toBe("a b c d me s");
  expect(chooseTiles(tiles, 0)).toEqual([]);
});
