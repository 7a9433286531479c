import { expect, test, vi } from "vitest";
import { z } from "zod";
import { askGateway } from "./gateway-request.ts";

const schema = z.object({ outputs: z.array(z.string()) });
const answering = (status: number, body: string | null) =>
  vi.fn<typeof fetch>(async () => new Response(body, { status }));
const refusalOf = async (status: number, body: string) =>
  askGateway(schema, { path: "/v1/x", token: "t" }, answering(status, body)).catch((error: unknown) => error);

test("asks with token and JSON, and reads the answer", async () => {
  const fetcher = answering(200, '{"outputs":["a"],"more":1}');
  const body = { type: "hls" };
  expect(
    await askGateway(schema, { path: "/v1/x", method: "POST", body, token: "key:secret" }, fetcher),
  ).toEqual({
    outputs: ["a"],
  });
  expect(fetcher.mock.calls[0]?.[0]).toBe("/v1/x");
  expect(fetcher.mock.calls[0]?.[1]).toMatchObject({
    method: "POST",
    body: '{"type":"hls"}',
    headers: { authorization: "Bearer key:secret", "content-type": "application/json" },
  });
});

test("without token and body it sends neither, and an empty answer may be one", async () => {
  const fetcher = answering(204, null);
  expect(
    await askGateway(z.undefined(), { path: "/v1/x", method: "DELETE", token: "" }, fetcher),
  ).toBeUndefined();
  expect(fetcher.mock.calls[0]?.[1]?.headers).toEqual({});
});

test("a problem's detail is what people read", async () => {
  const problem = JSON.stringify({ title: "Forbidden", detail: "Ask an admin of the room.", status: 403 });
  expect(await refusalOf(403, problem)).toMatchObject({ status: 403, message: "Ask an admin of the room." });
  expect(await refusalOf(500, '{"title":"Broken"}')).toMatchObject({ message: "Broken" });
  expect(await refusalOf(502, "<html>")).toMatchObject({ message: expect.stringContaining("status 502") });
  expect(await refusalOf(429, "")).toMatchObject({ message: expect.stringContaining("Wait a minute") });
  expect(
    ((await refusalOf(400, JSON.stringify({ detail: "x".repeat(9000) }))) as Error).message,
  ).toHaveLength(400);
});

test("no answer, and an answer of another kind, are said as such", async () => {
  const refused = () => Promise.reject(new TypeError("connection refused"));
  await expect(askGateway(schema, { path: "/", token: "" }, refused)).rejects.toMatchObject({
    status: 0,
    message: expect.stringContaining("cannot be reached"),
  });
  expect(await refusalOf(200, '{"outputs":"none"}')).toMatchObject({
    status: 0,
    message: expect.stringContaining("does not understand"),
  });
});

test("who calls it off hears no refusal", async () => {
  const called = new AbortController();
  called.abort(new Error("left"));
  const fetcher = (async (_path, init) => Promise.reject(init?.signal?.reason)) as typeof fetch;
  await expect(askGateway(schema, { path: "/", token: "", signal: called.signal }, fetcher)).rejects.toThrow(
    "left",
  );
});
