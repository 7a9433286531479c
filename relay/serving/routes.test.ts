import { expect, test } from "vitest";
import type { Connect } from "../../core/session/session.ts";
import { readRoutes, routed } from "./routes.ts";

test("a relay with a route is dialled there, path and query included, another one where it says", () => {
  const dialled: string[] = [];
  const connect: Connect = async (url) => {
    dialled.push(url);
    throw new Error("nobody is there");
  };
  const options = { certificateHashes: [], timeoutMs: 1 };
  const via = routed(connect, readRoutes('{"https://r1.example.org:4433/": "https://10.0.0.2:15000"}'));
  for (const url of ["https://r1.example.org:4433/tree?x=1", "https://r1.example.org/tree"]) {
    via(url, options).catch(() => undefined);
  }
  expect(dialled).toEqual(["https://10.0.0.2:15000/tree?x=1", "https://r1.example.org/tree"]);
});

test.each([
  "{",
  "5",
  "[]",
  '{"https://a.example": "http://b.example"}',
  '{"https://a.example/path": "https://b"}',
])("%s is refused in one line", (text) => {
  expect(() => readRoutes(text)).toThrow(/^RELAY_ROUTES [^\n]*\.$/);
});
