import { expect, it } from "vitest";
import { HeardData } from "./heard-data.ts";

it("tells a message that came twice from one that was said again", () => {
  const heard = new HeardData();
  const message = {
    type: "data",
    from: "ada",
    topic: "chat",
    payload: new Uint8Array(2),
    sentAtUs: 7,
  } as const;
  expect(heard.isNew(message)).toBe(true);
  expect(heard.isNew({ ...message })).toBe(false);
  expect(heard.isNew({ ...message, sentAtUs: 8 })).toBe(true);
  expect(heard.isNew({ ...message, from: "bob" })).toBe(true);
  for (let sentAtUs = 100; sentAtUs < 2_000; sentAtUs++) heard.isNew({ ...message, sentAtUs });
  expect(heard.isNew(message)).toBe(true);
});
