import { expect, it } from "vitest";
import { GatewayError } from "../../core/participant/joining/gateway-join.ts";
import { JoinToken } from "./join-token.ts";

const EXPIRED = new GatewayError("token-expired", "The join token has expired: ask for a new one.", true);

/** A gateway that takes one token. */
const gateway = (good: string) => async (token: string) => {
  if (token !== good) throw EXPIRED;
  return `in with ${token}`;
};

it("an expired token is replaced by one that the page gives, asked for once however many wait", async () => {
  let asked = 0;
  const token = new JoinToken("old", () => asked++);
  const waiting = [token.with(gateway("new")), token.with(gateway("new"))];
  await new Promise((resolve) => setTimeout(resolve, 0));
  expect(asked).toBe(1);
  token.renew("new");
  expect(await Promise.all(waiting)).toEqual(["in with new", "in with new"]);
  expect(await token.with(gateway("new"))).toBe("in with new");
  expect(asked).toBe(1);
});

it("without anybody who gives one, or with one who does not, it is the end, in a sentence", async () => {
  await expect(new JoinToken("old", undefined).with(gateway("new"))).rejects.toBe(EXPIRED);
  const token = new JoinToken("old", () => undefined);
  const waiting = token.with(gateway("new"));
  await new Promise((resolve) => setTimeout(resolve, 0));
  token.refuse("Sign in again.");
  await expect(waiting).rejects.toMatchObject({
    code: "token-expired",
    message: "Sign in again.",
    final: true,
  });
});

it("other refusals go through as they are", async () => {
  const banned = new GatewayError("removed", "An admin removed you.", true);
  const token = new JoinToken("any", () => expect.unreachable());
  await expect(token.with(() => Promise.reject(banned))).rejects.toBe(banned);
});
