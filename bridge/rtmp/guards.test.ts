import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../test/sim/virtual-clock.ts";
import { guardedAddress, KeyGuard } from "./key-guard.ts";
import { MAX_REMEMBERED_ADDRESSES } from "./limits.ts";
import { Publications } from "./publications.ts";

describe("KeyGuard", () => {
  it("blocks after ten within a minute, forgets them, and the oldest address when there are too many", async () => {
    const clock = new VirtualClock();
    const guard = new KeyGuard(clock);
    for (let i = 0; i < 9; i++) guard.wrongKey("a");
    expect(guard.isBlocked("a")).toBe(false);
    guard.wrongKey("a");
    expect(guard.isBlocked("a")).toBe(true);
    for (let i = 0; i < MAX_REMEMBERED_ADDRESSES - 1; i++) guard.wrongKey(`b${i}`);
    expect(guard.isBlocked("a")).toBe(true);
    guard.wrongKey("c");
    expect(guard.isBlocked("a")).toBe(false);
    for (let i = 0; i < 10; i++) guard.wrongKey("d");
    await clock.advance(60_001);
    expect(guard.isBlocked("d")).toBe(false);
  });

  it("counts an IPv4 address, and the /64 of IPv6", () => {
    expect(guardedAddress("192.0.2.1:1935")).toBe("192.0.2.1");
    expect(guardedAddress("[2001:db8:1:2:3:4:5:6]:1")).toBe("2001:db8:1:2::/64");
    expect(guardedAddress("[2001:db8::7]:1")).toBe("2001:db8:0:0::/64");
    expect(guardedAddress("[::1]:1")).toBe("0:0:0:0::/64");
  });
});

describe("Publications", () => {
  it("two that take turns are stopped for as long as one goes on trying", async () => {
    const clock = new VirtualClock();
    const publications = new Publications(clock);
    const lost: string[] = [];
    const claim = (name: string): string | undefined =>
      publications.claim("x", { takenOver: () => lost.push(name) }, name);
    for (const name of ["a", "b", "a", "b", "a"]) {
      expect(claim(name)).toBeUndefined();
      await clock.advance(2_000);
    }
    expect(lost).toEqual(["a", "b", "a", "b"]);
    for (let i = 0; i < 60; i++) {
      expect(claim("b")).toContain("Two programs");
      await clock.advance(3_000);
    }
    await clock.advance(60_000);
    expect(claim("b")).toBeUndefined();
    expect(lost).toHaveLength(5);
  });

  it("a release by who was taken over changes nothing", () => {
    const publications = new Publications(new VirtualClock());
    const old = { takenOver: () => undefined };
    const next = { takenOver: () => undefined };
    publications.claim("x", old, "1");
    publications.claim("x", next, "2");
    publications.release("x", old);
    expect(publications.size).toBe(1);
    publications.release("x", next);
    expect(publications.size).toBe(0);
  });
});
