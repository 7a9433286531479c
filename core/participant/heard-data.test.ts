import { expect, it } from "vitest";
import { HeardData } from "./heard-data.ts";

it("tells a message that a second session delivers from one that was said again", () => {
  const heard = new HeardData();
  const [older, newer] = [{}, {}];
  const message = {
    type: "data",
    from: "ada",
    topic: "chat",
    payload: new Uint8Array(2),
    sentAtUs: 7,
  } as const;
  expect(heard.isNew(message, older)).toBe(true);
  expect(heard.isNew({ ...message }, older)).toBe(true);
  expect(heard.isNew({ ...message }, newer)).toBe(false);
  expect(heard.isNew({ ...message, sentAtUs: 8 }, newer)).toBe(true);
  expect(heard.isNew({ ...message, from: "bob" }, newer)).toBe(true);
  for (let sentAtUs = 100; sentAtUs < 2_000; sentAtUs++) heard.isNew({ ...message, sentAtUs }, newer);
  expect(heard.isNew(message, newer)).toBe(true);
});
