import { describe, expect, it } from "vitest";
import { IcecastError } from "./icecast-error.ts";
import { MAX_HEADERS } from "./limits.ts";
import { endOfHead, parseHead } from "./request-head.ts";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const status = (text: string): number => {
  try {
    parseHead(utf8(text));
  } catch (error) {
    if (error instanceof IcecastError) return error.status;
    throw error;
  }
  return 200;
};

describe("parseHead", () => {
  it("reads what libshout, ffmpeg and old tools send", () => {
    expect(
      parseHead(utf8("SOURCE /live ICE/1.0\r\nAuthorization: Basic eA==\r\nice-name:  Radio Ü \r\n\r\n")),
    ).toEqual({
      method: "SOURCE",
      path: "/live",
      query: new Map(),
      http11: false,
      headers: new Map([
        ["authorization", "Basic eA=="],
        ["ice-name", "Radio Ü"],
      ]),
    });
    expect(parseHead(utf8("PUT /a%20b?x=1&y=a+b&x=2&z HTTP/1.1\nHost: h\n\n"))).toMatchObject({
      path: "/a b",
      query: new Map([
        ["x", "1"],
        ["y", "a b"],
        ["z", ""],
      ]),
      http11: true,
    });
  });
  it("takes escapes as UTF-8, or as Latin-1 where they are none", () => {
    const song = (escapes: string): string | undefined =>
      parseHead(utf8(`GET /admin/metadata?song=${escapes} HTTP/1.0\r\n\r\n`)).query.get("song");
    expect(song("Caf%C3%A9")).toBe("Café");
    expect(song("Caf%E9")).toBe("Café");
    expect(song("100%25+%zz")).toBe("100% %zz");
  });
  it("keeps the first of several headers, and takes those once that say where the body ends or who sends", () => {
    expect(
      parseHead(utf8("PUT / HTTP/1.1\r\nice-name: a\r\nIce-Name: b\r\n\r\n")).headers.get("ice-name"),
    ).toBe("a");
    for (const name of ["Content-Length", "Transfer-Encoding", "Authorization"]) {
      expect(status(`PUT / HTTP/1.1\r\n${name}: 1\r\n${name}: 2\r\n\r\n`)).toBe(400);
    }
  });
  it.each([
    ["a password of SHOUTcast", "secret\r\n\r\n"],
    ["a path without slash", "PUT live HTTP/1.1\r\n\r\n"],
    ["another protocol", "PUT /live HTTP/2\r\n\r\n"],
    ["spaces in the path", "PUT /a b HTTP/1.1\r\n\r\n"],
    ["a header without colon", "PUT / HTTP/1.1\r\nhost\r\n\r\n"],
    ["a folded header", "PUT / HTTP/1.1\r\nhost: a\r\n b\r\n\r\n"],
    ["a control character", "PUT / HTTP/1.1\r\nhost: a\0b\r\n\r\n"],
    ["nothing", ""],
  ])("refuses %s", (_, text) => {
    expect(status(text)).toBe(400);
  });
  it("refuses too many headers and too long ones", () => {
    const headers = (count: number): string =>
      Array.from({ length: count }, (_, i) => `x-${i}: 1\r\n`).join("");
    expect(status(`PUT / HTTP/1.1\r\n${headers(MAX_HEADERS)}\r\n`)).toBe(200);
    expect(status(`PUT / HTTP/1.1\r\n${headers(MAX_HEADERS + 1)}\r\n`)).toBe(431);
    expect(status(`PUT / HTTP/1.1\r\nx: ${"y".repeat(9_000)}\r\n\r\n`)).toBe(431);
  });
});

describe("endOfHead", () => {
  it.each(["\r\n\r\n", "\n\n", "\n\r\n"])("finds %j, wherever it looks from before it", (end) => {
    const bytes = utf8(`PUT / HTTP/1.1${end}body\n\n`);
    const expected = 14 + end.length;
    for (let from = 0; from <= expected - 1; from++) expect(endOfHead(bytes, from)).toBe(expected);
    for (let cut = 0; cut < expected; cut++) expect(endOfHead(bytes.subarray(0, cut))).toBe(-1);
  });
});
