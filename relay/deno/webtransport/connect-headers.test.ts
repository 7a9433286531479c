import { describe, expect, test } from "vitest";
import { connectRequestFields, parseRequest, parseResponse, responseFields } from "./connect-headers.ts";
import { H3_MESSAGE_ERROR, Http3Error } from "./http3-codes.ts";
import type { HeaderField } from "./qpack-static-table.ts";

const REQUEST: readonly HeaderField[] = [
  [":method", "CONNECT"],
  [":protocol", "webtransport"],
  [":scheme", "https"],
  [":authority", "relay.example"],
  [":path", "/r?x=1"],
  ["origin", "https://app.example"],
];

function without(name: string): HeaderField[] {
  return REQUEST.filter((field) => field[0] !== name);
}

function isMalformed(action: () => unknown): boolean {
  try {
    action();
  } catch (error) {
    return error instanceof Http3Error && error.code === H3_MESSAGE_ERROR;
  }
  return false;
}

describe("a request", () => {
  test("for a session", () => {
    expect(parseRequest([...REQUEST, ["cookie", "a=1"], ["cookie", "b=2"], ["x", "1"], ["x", "2"]])).toEqual({
      authority: "relay.example",
      path: "/r?x=1",
      origin: "https://app.example",
      headers: new Map([
        ["origin", "https://app.example"],
        ["cookie", "a=1; b=2"],
        ["x", "1, 2"],
      ]),
    });
  });

  test.each([
    ["GET", [[":method", "GET"], ...without(":method")], 405],
    ["a TCP tunnel", without(":protocol"), 405],
    ["another protocol", [...without(":protocol").slice(0, 1), [":protocol", "websocket"]], 501],
  ] as const)("%s gets a status", (_, fields, status) => {
    expect(parseRequest(fields as unknown as HeaderField[])).toEqual({ status });
  });

  test.each([
    ["without a method", without(":method")],
    ["without a path", without(":path")],
    ["without an authority", without(":authority")],
    ["without a scheme", without(":scheme")],
    ["with a path that is no path", [...without(":path").slice(0, 4), [":path", "*"]]],
    ["with a pseudo-header twice", [[":path", "/"], ...REQUEST]],
    ["with a pseudo-header behind others", [...without(":path"), [":path", "/"]]],
    ["with an unknown pseudo-header", [[":status", "200"], ...REQUEST]],
    ["with an upper-case name", [...REQUEST, ["Foo", "x"]]],
    ["with an empty name", [...REQUEST, ["", "x"]]],
    ["with a line break in a value", [...REQUEST, ["foo", "x\r\ny: z"]]],
    ["with a blank around a value", [...REQUEST, ["foo", " x"]]],
    ["with a header of HTTP/1", [...REQUEST, ["connection", "close"]]],
    ["with te: gzip", [...REQUEST, ["te", "gzip"]]],
  ] as const)("%s is malformed", (_, fields) => {
    expect(isMalformed(() => parseRequest(fields as unknown as HeaderField[]))).toBe(true);
  });

  test("of ours is understood", () => {
    const request = { authority: "a:1", path: "/", origin: undefined, headers: new Map([["X-Key", "v"]]) };
    expect(parseRequest(connectRequestFields(request))).toMatchObject({
      authority: "a:1",
      origin: undefined,
    });
    expect(isMalformed(() => connectRequestFields({ ...request, path: "/\n" }))).toBe(true);
  });
});

describe("a response", () => {
  test("answers draft 02 only where it was asked for", () => {
    const asked = new Map([["sec-webtransport-http3-draft02", "1"]]);
    expect(responseFields(200, asked)).toContainEqual(["sec-webtransport-http3-draft", "draft02"]);
    expect(responseFields(200, new Map())).toEqual([[":status", "200"]]);
  });

  test("is checked", () => {
    expect(parseResponse(responseFields(403, new Map()))).toEqual({ status: 403, headers: new Map() });
    expect(isMalformed(() => parseResponse([[":status", "2000"]]))).toBe(true);
    expect(isMalformed(() => parseResponse([]))).toBe(true);
  });
});
