import { expect, test } from "vitest";
import { requestGuestToken } from "./guest-token.ts";

const signal = new AbortController().signal;
const answer = (status: number, body: unknown) => async () =>
  new Response(typeof body === "string" ? body : JSON.stringify(body), { status });
const ask = (fetcher: typeof fetch) =>
  requestGuestToken("https://gw.example", "tea time", "Ada", signal, fetcher);

test("asks for the room with the name and gives the token", async () => {
  const asked: string[] = [];
  const fetcher: typeof fetch = async (url, init) => {
    asked.push(String(url), String(init?.body));
    return new Response(JSON.stringify({ token: "a.b.c", identity: "ada-1" }), { status: 201 });
  };
  expect(await ask(fetcher)).toBe("a.b.c");
  expect(asked).toEqual(["https://gw.example/v1/rooms/tea%20time/guests", '{"name":"Ada"}']);
});

test("refusals say what to do", async () => {
  await expect(ask(answer(404, {}))).rejects.toThrow(/invitation link/);
  await expect(ask(answer(429, {}))).rejects.toThrow(/Wait a minute/);
  await expect(ask(answer(422, { title: "Bad", detail: "The room name is too long." }))).rejects.toThrow(
    "The room name is too long.",
  );
  await expect(ask(answer(502, "<html>"))).rejects.toThrow(/status 502/);
  await expect(ask(answer(200, { token: 7 }))).rejects.toThrow(/does not understand/);
  await expect(
    ask(async () => {
      throw new TypeError("Failed to fetch");
    }),
  ).rejects.toThrow(/cannot be reached/);
});
