import { expect, test } from "vitest";
import { doctorPath, parseDoctorRoute } from "./doctor-route.ts";

const parse = (path: string) => parseDoctorRoute(new URL(path, "https://rooms.example"));

test("who comes without a room is looked at all the same", () => {
  const { room, token, region, joinPath } = parse("/doctor");
  expect(room).not.toBe("");
  expect({ token, region, joinPath }).toEqual({ token: "", region: "", joinPath: "/" });
});

test("the way there and back keeps room, invitation and region", () => {
  const there = doctorPath("tea time/ü", "a.b.c", "eu");
  expect(parse(there)).toMatchObject({ room: "tea-timeü", token: "a.b.c", region: "eu" });
  expect(doctorPath("", "")).toBe("/doctor");
  expect(parse("/doctor?room=tea").joinPath).toBe("/r/tea");
  expect(parse("/doctor?room=tea&token=a.b.c&region=eu").joinPath).toBe("/r/tea?token=a.b.c&region=eu");
});

test("what an address says is bounded and cleaned", () => {
  const { room, token } = parse(`/doctor?room=${"x".repeat(500)}&token=${"y".repeat(9000)}`);
  expect(room).toHaveLength(64);
  expect(token).toHaveLength(4096);
  expect(parse("/doctor?room=%3Cscript%3E").room).toBe("script");
});
