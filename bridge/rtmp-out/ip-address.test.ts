import { describe, expect, it } from "vitest";
import { seededRandom } from "../../test/sim/seeded-random.ts";
import { isPublic, isWithin, parseAddress, parseRange } from "./ip-address.ts";

const verdict = (text: string): boolean => {
  const address = parseAddress(text);
  if (address === undefined) throw new Error(`${text} is no address`);
  return isPublic(address);
};

describe("parseAddress", () => {
  it("knows both families, and one form for an IPv4 address however it is written", () => {
    expect(parseAddress("192.0.2.1")).toEqual(parseAddress("::ffff:c000:201"));
    expect(parseAddress("::FFFF:192.0.2.1")).toEqual(parseAddress("0:0:0:0:0:ffff:192.0.2.1"));
    expect([...parseAddress("2001:db8::1")!]).toEqual([
      0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
    ]);
    expect(parseAddress("::")).toEqual(new Uint8Array(16));
    expect([...parseAddress("1::")!][1]).toBe(1);
  });

  it.each([
    "",
    "1.2.3",
    "1.2.3.4.5",
    "01.2.3.4",
    "0x7f.0.0.1",
    "256.1.1.1",
    "2130706433",
    "1.2.3.4 ",
    ":",
    ":::",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7::8",
    "fe80::1%eth0",
    "12345::",
    "::1.2.3",
    "1.2.3.4::",
    "[::1]",
    "g::",
  ])("takes %j for none", (text) => expect(parseAddress(text)).toBeUndefined());
});

describe("isPublic", () => {
  it.each([
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.9.9.9",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.7",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:a9fe:a9fe",
    "::ffff:10.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "3fff::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "febf::1",
    "fec0::1",
    "ff02::1",
    "5f00::1",
    "4000::1",
  ])("keeps us from %s", (text) => expect(verdict(text)).toBe(false));

  it.each([
    "1.1.1.1",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2a00:1450::1",
    "2606:4700::1111",
    "2001:4860::1",
    "2001:200::",
  ])("lets us go to %s", (text) => expect(verdict(text)).toBe(true));
});

describe("ranges", () => {
  it("end at any bit", () => {
    const inside = (address: string, range: string): boolean =>
      isWithin(parseAddress(address)!, parseRange(range)!);
    expect(inside("10.1.127.255", "10.1.0.0/17")).toBe(true);
    expect(inside("10.1.128.0", "10.1.0.0/17")).toBe(false);
    expect(inside("fdab::1", "fc00::/7")).toBe(true);
    expect(inside("10.0.0.1", "10.0.0.1")).toBe(true);
    expect(inside("10.0.0.2", "10.0.0.1")).toBe(false);
    expect(inside("::ffff:10.0.0.1", "10.0.0.0/8")).toBe(true);
    expect(inside("8.8.8.8", "0.0.0.0/0")).toBe(true);
    expect(inside("2a00::1", "0.0.0.0/0")).toBe(false);
  });

  it.each(["10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "::/129", "host/8", "1.2.3.4/8/8", "/8"])(
    "%s is none",
    (text) => expect(parseRange(text)).toBeUndefined(),
  );
});

it("reads whatever it is given, and back what it was made of", () => {
  const rounds = Number(process.env.FUZZ_RUNS ?? 3_000);
  const random = seededRandom(41);
  const alphabet = "0123456789abcdefF:.%/x[] -";
  for (let round = 0; round < rounds; round++) {
    let text = "";
    for (let left = Math.floor(random() * 45); left > 0; left--)
      text += alphabet[Math.floor(random() * alphabet.length)];
    parseRange(text);
    expect(parseAddress(text)?.length ?? 16).toBe(16);
    const bytes = Uint8Array.from({ length: 16 }, () => (random() < 0.4 ? 0 : Math.floor(random() * 256)));
    const groups = Array.from({ length: 8 }, (_, at) =>
      ((bytes[2 * at]! << 8) | bytes[2 * at + 1]!).toString(16),
    );
    expect(parseAddress(groups.join(":"))).toEqual(bytes);
  }
});
