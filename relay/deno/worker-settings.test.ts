import { expect, test } from "vitest";
import { readRelaySettings } from "../serving/relay-settings.ts";
import { workerEnvironments } from "./worker-settings.ts";

const BASE = {
  RELAY_WORKERS: "3",
  RELAY_ID: "r1",
  TRIBUTARY_ETCD: "http://127.0.0.1:2379",
  TRIBUTARY_JWKS_URL: "http://127.0.0.1:8080/jwks.json",
};

function environments(more: Record<string, string> = {}) {
  const environment = { ...BASE, ...more };
  return workerEnvironments(readRelaySettings(environment), environment);
}

test("each worker has its own id, ports and addresses, and is one relay", () => {
  const [first, , third] = environments({
    RELAY_PORT: "4433",
    RELAY_OPERATIONS_PORT: "9090",
    RELAY_PUBLIC_URL: "https://relay.example.org:14433/",
    RELAY_OPERATIONS_URL: "http://10.0.0.7:9090/",
  });
  expect(first).toMatchObject({
    RELAY_ID: "r1-0",
    RELAY_PORT: "4433",
    RELAY_TCP_PORT: "4433",
    RELAY_OPERATIONS_PORT: "9090",
  });
  expect(third).toMatchObject({
    RELAY_ID: "r1-2",
    RELAY_PORT: "4435",
    RELAY_TCP_PORT: "4435",
    RELAY_OPERATIONS_PORT: "9092",
    RELAY_PUBLIC_URL: "https://relay.example.org:14435/",
    RELAY_OPERATIONS_URL: "http://10.0.0.7:9092/",
    RELAY_WORKERS: "1",
    TRIBUTARY_ETCD: BASE.TRIBUTARY_ETCD,
  });
});

test("port 0 is a free one for each; an address without a port counts from that of its scheme", () => {
  const all = environments({ RELAY_PORT: "0", RELAY_OPERATIONS_PORT: "0" });
  expect(all.map(({ RELAY_PORT }) => RELAY_PORT)).toEqual(["0", "0", "0"]);
  const [, second] = environments({ RELAY_PORT: "4433", RELAY_PUBLIC_URL: "https://relay.example.org/" });
  expect(second?.RELAY_PUBLIC_URL).toBe("https://relay.example.org:444/");
});

test("ports over TCP count up by themselves, and what is off stays off", () => {
  const [, second] = environments({
    RELAY_PORT: "off",
    RELAY_TCP_PORT: "8443",
    RELAY_TCP_PUBLIC_URL: "https://relay.example.org/",
  });
  expect(second).toMatchObject({
    RELAY_PORT: "off",
    RELAY_TCP_PORT: "8444",
    RELAY_TCP_PUBLIC_URL: "https://relay.example.org:444/",
  });
  expect(environments({ RELAY_TCP_PORT: "off" })[2]?.RELAY_TCP_PORT).toBe("off");
});

test("a fresh id is the same for all of them", () => {
  const ids = environments({ RELAY_ID: "" }).map(({ RELAY_ID }) => RELAY_ID?.replace(/\d$/, ""));
  expect(new Set(ids).size).toBe(1);
  expect(ids[0]).toMatch(/^relay-\w{8}-$/);
});

test.each<[Record<string, string>, RegExp]>([
  [{ TRIBUTARY_ETCD: "" }, /^RELAY_WORKERS=3 needs TRIBUTARY_ETCD: /],
  [{ RELAY_PORT: "65534" }, /^RELAY_PORT=65534 leaves no room for 3 workers: .* 65536/],
  [
    { RELAY_OPERATIONS_PORT: "0", RELAY_OPERATIONS_URL: "http://10.0.0.7:9090/" },
    /^RELAY_OPERATIONS_PORT=0 and RELAY_OPERATIONS_URL do not go together/,
  ],
  [{ RELAY_PORT: "0", RELAY_PUBLIC_URL: "https://r.example.org/" }, /^RELAY_PORT=0 and RELAY_PUBLIC_URL/],
  [{ RELAY_TCP_PORT: "65534" }, /^RELAY_TCP_PORT=65534 leaves no room for 3 workers/],
  [
    { RELAY_TCP_PORT: "on" },
    /^RELAY_TCP_PORT="on" is not usable: give a whole number from 0 to 65535, or off\.$/,
  ],
  [{ RELAY_WORKERS: "0" }, /^RELAY_WORKERS="0" is not usable: give a whole number from 1 to 256\.$/],
])("what several relays cannot share is one line: %j", (more, line) => {
  expect(() => environments(more)).toThrow(line);
});
