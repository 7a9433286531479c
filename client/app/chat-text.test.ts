import { expect, test } from "vitest";
import { chatParts } from "./chat-text.ts";

test("links are found and punctuation after them is not part of them", () => {
  expect(chatParts("see https://a.example/x?y=1, then (http://b.example).")).toEqual([
    { text: "see ", href: undefined },
    { text: "https://a.example/x?y=1", href: "https://a.example/x?y=1" },
    { text: ", then (", href: undefined },
    { text: "http://b.example", href: "http://b.example/" },
    { text: ").", href: undefined },
  ]);
});

test("nothing but http links becomes a link, and no text is lost", () => {
  for (const text of ["javascript:alert(1)", "<b>hi</b>", "https://", "", "data:text/html,x ftp://x"]) {
    const parts = chatParts(text);
    expect(parts.every((part) => part.href === undefined)).toBe(true);
    expect(parts.map((part) => part.text).join("")).toBe(text);
  }
});
