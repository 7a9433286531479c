import { describe, expect, it } from "vitest";
import { type BodyDecoder, bodyDecoder } from "./body-decoder.ts";
import { MAX_CHUNK_LINE_BYTES } from "./limits.ts";
import { parseHead } from "./request-head.ts";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const decoder = (headers: string): BodyDecoder =>
  bodyDecoder(parseHead(utf8(`PUT / HTTP/1.1\r\n${headers}\r\n`)));

function read(body: BodyDecoder, text: string, step: number): string {
  let sound = "";
  const bytes = utf8(text);
  for (let at = 0; at < bytes.length; at += step) {
    for (const part of body.push(bytes.subarray(at, at + step))) sound += new TextDecoder().decode(part);
  }
  return sound;
}

describe("bodyDecoder", () => {
  it.each([1, 2, 3, 5, 100])("reads chunks that come %i bytes at a time", (step) => {
    const body = decoder("Transfer-Encoding: chunked\r\n");
    expect(read(body, "5\r\nhello\r\n6;name=value\r\n world\r\n1\n!\n0\r\nx: y\r\n\r\nmore", step)).toBe(
      "hello world!",
    );
    expect(body.over).toBe(true);
  });
  it.each([1, 4, 100])("ends after its length, %i bytes at a time", (step) => {
    const body = decoder("Content-Length: 5\r\n");
    expect(read(body, "hello, world", step)).toBe("hello");
    expect(body.over).toBe(true);
  });
  it("is raw where nothing is said, and where it is said badly, as some programs do", () => {
    for (const headers of ["", "Transfer-Encoding: identity\r\n", "Content-Length: 0\r\n"]) {
      const body = decoder(headers);
      expect(read(body, "5\r\nhello", 3)).toBe("5\r\nhello");
      expect(body.over).toBe(false);
    }
  });
  it.each(["xyz\r\n", "\r\n", "5\r\nhelloX\r\n", "123456789\r\n", "-1\r\n"])(
    "refuses chunks like %j",
    (text) => {
      expect(() => read(decoder("Transfer-Encoding: chunked\r\n"), text, 1)).toThrow("malformed");
    },
  );
  it("bounds the length line", () => {
    const body = decoder("Transfer-Encoding: chunked\r\n");
    expect(() => read(body, `5;${"x".repeat(MAX_CHUNK_LINE_BYTES)}`, 7)).toThrow("malformed");
  });
  it.each([
    "Transfer-Encoding: gzip\r\n",
    "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
    "Content-Length: -1\r\n",
    "Content-Length: 1e3\r\n",
    `Content-Length: ${"9".repeat(16)}\r\n`,
  ])("refuses %j", (headers) => {
    expect(() => decoder(headers)).toThrow();
  });
});
