import { expect, it } from "vitest";
import { frontAnswer, withRegion } from "./region-front.ts";

const to = (url: string): string | null | undefined => frontAnswer(new Request(url))?.headers.get("location");

it("a page with a region goes to the host of that region, and stays there", () => {
  expect(to("http://localhost:3000/r/demo?region=us")).toBe("http://us.localhost:3000/r/demo?region=us");
  expect(to("http://us.localhost:3000/r/demo?region=us")).toBeUndefined();
  expect(to("http://localhost:3000/r/demo")).toBeUndefined();
  expect(to("http://localhost:3000/?region=mars")).toBeUndefined();
  expect(to("http://localhost:3000/v1/rooms/demo?region=us")).toBeUndefined();
});

it("calls from that host say the region, with their body", async () => {
  const request = new Request("http://ap.localhost:3000/v1/rooms/demo/join", { method: "POST", body: "{}" });
  const told = withRegion(request);
  expect(told.headers.get("x-tributary-region")).toBe("ap");
  expect(await told.text()).toBe("{}");
  const elsewhere = new Request("http://mars.localhost:3000/");
  expect(withRegion(elsewhere)).toBe(elsewhere);
});
