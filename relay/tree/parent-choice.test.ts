import { describe, expect, it } from "vitest";
import { MAX_CHILD_LINKS } from "../../core/wire/limits.ts";
import { type ChildPlace, chooseDeputy, chooseParent, HERE } from "./parent-choice.ts";

const child = (id: string, region: string, size = 0): ChildPlace => ({ id, region, size });
const candidate = (region: string, avoid: string[] = []) => ({ id: "new", region, avoid });
const full = Array.from({ length: MAX_CHILD_LINKS }, (_, i) => child(`c${i}`, "eu", i === 3 ? 0 : 2));

describe("where a relay is attached", () => {
  it.each([
    ["here, where nobody of its region is", "eu", [child("a", "ap")], candidate("us"), HERE],
    ["under the relay of its region", "eu", [child("a", "us"), child("b", "ap")], candidate("us"), "a"],
    [
      "under the one with fewest below",
      "eu",
      [child("a", "us", 3), child("b", "us", 1)],
      candidate("us"),
      "b",
    ],
    ["not under one that it cannot reach", "eu", [child("a", "us")], candidate("us", ["a"]), HERE],
    ["here, in the region of this relay", "eu", [child("a", "eu")], candidate("eu"), HERE],
    ["here, without a region", "eu", [child("a", "")], candidate(""), HERE],
    ["further down, where there are enough", "eu", full, candidate("eu"), "c3"],
    [
      "here again, when it is here already",
      "eu",
      [...full.slice(1), child("new", "eu")],
      candidate("eu"),
      HERE,
    ],
  ])("%s", (_, region, children, asks, place) => {
    expect(chooseParent(region, children, children.length, asks)).toBe(place);
  });

  it("nowhere, while all places are taken by relays that are leaving", () => {
    expect(chooseParent("eu", [], MAX_CHILD_LINKS, candidate("eu"))).toBeUndefined();
  });
});

describe("the deputy", () => {
  it("is the child with most below it, and stays as long as it is there", () => {
    const children = [child("a", "", 1), child("b", "", 4), child("c", "", 2)];
    expect(chooseDeputy(children, undefined)).toBe("b");
    expect(chooseDeputy(children, "c")).toBe("c");
    expect(chooseDeputy(children, "gone")).toBe("b");
    expect(chooseDeputy([], "b")).toBeUndefined();
  });
});
