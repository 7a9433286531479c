import { expect, test } from "vitest";
import { applicationErrorCode, ByteSource, translateStreamError } from "./byte-streams.ts";

test("WebTransport codes inside HTTP/3 stream errors", () => {
  expect(applicationErrorCode(0x52e4a40fa8db)).toBe(0);
  expect(applicationErrorCode(0x52e4a40fa8db + 29)).toBe(29);
  expect(applicationErrorCode(0x52e4a40fa8db + 31)).toBe(30);
  expect(applicationErrorCode(0x52e5ac983162)).toBe(0xffffffff);
  // Reserved values, and codes of HTTP/3 itself.
  expect(applicationErrorCode(0x52e4a40fa8db + 30)).toBe(null);
  expect(applicationErrorCode(0x10c)).toBe(null);
});

test("the code is found in Deno's words", () => {
  const reset = translateStreamError(new Error(`stream reset by peer: error ${0x52e4a40fa8db + 7}`));
  expect(reset).toMatchObject({ name: "StreamAbortedError", code: 7 });
  expect(translateStreamError(new Error("connection lost")).code).toBe(null);
});

test("bytes that were put back come first, then the rest", async () => {
  const readable = new ReadableStream<Uint8Array>({
    type: "bytes",
    start(controller) {
      for (const bytes of [[1, 2], [3]]) controller.enqueue(Uint8Array.from(bytes));
      controller.close();
    },
  });
  const source = new ByteSource(readable);
  const first = await source.read();
  source.unread((first as Uint8Array).subarray(1));
  const rest: number[] = [];
  for await (const chunk of source.toReadable() as unknown as AsyncIterable<Uint8Array>) rest.push(...chunk);
  expect(rest).toEqual([2, 3]);
});
