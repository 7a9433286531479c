import { expect, test } from "vitest";
import { displayNameFrom, inviteLink, parseRoute, roomNameFrom, suggestRoomName } from "./routing.ts";

const parse = (path: string) => parseRoute(new URL(path, "https://rooms.example"));

test("the start page names no room", () => {
  expect(parse("/")).toEqual({ room: "", name: "", token: "", joinNow: false, region: "" });
  expect(parse("/about/us").room).toBe("");
});

test("a room link fills in the room, and joins at once only when asked", () => {
  expect(parse("/r/tea-time")).toMatchObject({ room: "tea-time", joinNow: false, region: "" });
  expect(parse("/r/tea-time/?name=Ada%20L&join=1")).toMatchObject({
    room: "tea-time",
    name: "Ada L",
    joinNow: true,
  });
  expect(parse("/r/tea-time?join=yes").joinNow).toBe(false);
});

test("hostile addresses give bounded, clean values", () => {
  expect(parse("/r/%E0%A4").room).toBe("");
  expect(parse(`/r/${"x".repeat(500)}`).room).toHaveLength(64);
  expect(parse("/r/a%2Fb%3Cscript%3E").room).toBe("abscript");
  expect(parse(`/r/a?token=${"t".repeat(9000)}`).token).toHaveLength(4096);
  expect(parse("/r/a?name=%00%07Eve").name).toBe("Eve");
  expect(parse("/?token=not.%25%25.token")).toMatchObject({ room: "", token: "not.%%.token" });
});

test("an invitation token names room and person, and the path wins over it", () => {
  const claims = Buffer.from(JSON.stringify({ room: "studio", name: "Zoë" })).toString("base64url");
  expect(parse(`/?token=h.${claims}.s`)).toMatchObject({ room: "studio", name: "Zoë" });
  expect(parse(`/r/other?token=h.${claims}.s`).room).toBe("other");
});

test("typed room names become usable ones in any script", () => {
  expect(roomNameFrom("  Monday stand up! ")).toBe("Monday-stand-up");
  expect(roomNameFrom("réunion / équipe")).toBe("réunion--équipe");
  expect(roomNameFrom("///")).toBe("");
});

test("names keep whole characters when they are cut", () => {
  expect(displayNameFrom("🦦".repeat(70))).toBe("🦦".repeat(64));
});

test("an invite link holds nothing personal", () => {
  expect(inviteLink("https://rooms.example", "a b")).toBe("https://rooms.example/r/a%20b");
});

test("suggested names are valid room names at both ends of the random range", () => {
  for (const value of [0, 0.5, 0.999999]) {
    const name = suggestRoomName(() => value);
    expect(roomNameFrom(name)).toBe(name);
    expect(name).toMatch(/^\w+-\w+-\d\d$/);
  }
});
