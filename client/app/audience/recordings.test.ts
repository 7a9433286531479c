import { expect, test } from "vitest";
import { dateText, mediaUrl, peopleText } from "./recordings.ts";

const people = (...names: string[]) => names.map((name) => ({ name }));

test.each([
  [people(), "Nobody was heard or seen"],
  [people("Ada"), "Ada"],
  [people("Ada", "Grace"), "Ada and Grace"],
  [people("Ada", "Grace", "Alan", "Hedy"), "Ada, Grace, Alan and Hedy"],
  [people("Ada", "Grace", "Alan", "Hedy", "Noor"), "Ada, Grace, Alan and 2 others"],
])("people are listed as one says them", (participants, text) => expect(peopleText(participants)).toBe(text));

test("media lie below the origin or at an address of their own, and never are a script", () => {
  expect(mediaUrl("/recordings/abc/mix.m3u8", "https://rooms.example")).toBe(
    "https://rooms.example/recordings/abc/mix.m3u8",
  );
  expect(mediaUrl("https://cdn.example/a.mp4", "https://rooms.example")).toBe("https://cdn.example/a.mp4");
  for (const path of ["javascript:alert(1)", "data:text/html,x", "", null, "http://[broken"]) {
    expect(mediaUrl(path, "https://rooms.example")).toBe("");
  }
});

test("a date is written in the reader's language and zone", () => {
  expect(dateText("2026-11-28T13:05:00Z", "en-GB", "Europe/Paris")).toBe("Sat, 28 Nov 2026, 14:05");
  expect(dateText("2026-11-28T23:30:00Z", "de-DE", "Asia/Tokyo")).toContain("29");
});
