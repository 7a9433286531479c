import { expect, test } from "vitest";
import { gatewayFixture } from "./gateway.fixture.ts";

test("the network is named by where the request came from, and its name is no address", async () => {
  const { token, join } = await gatewayFixture({ env: { TRIBUTARY_TRUST_PROXY: "1" } });
  const network = async (from: string): Promise<string> => {
    const answer = await join("room", await token("room"), { "x-forwarded-for": from });
    return ((await answer.json()) as { network: string }).network;
  };
  const office = await network("192.0.2.7");
  expect(office).toMatch(/^[\w-]{12}$/);
  expect(await network("192.0.2.7")).toBe(office);
  expect(await network("192.0.2.8")).not.toBe(office);
  expect(await network("2001:db8:1:2::1")).toBe(await network("2001:db8:1:2:3::9"));
  expect(await network("")).toBe("");
});
