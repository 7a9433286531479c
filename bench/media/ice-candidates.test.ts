import { expect, it } from "vitest";
import { candidateAddress, withAddress, withoutCandidates } from "./ice-candidates.ts";

const HOST =
  "candidate:2999745851 1 udp 2122260223 192.0.2.7 56143 typ host generation 0 ufrag bad0 network-id 1";

it("finds and changes the address of a UDP host candidate", () => {
  expect(candidateAddress(HOST)).toEqual({ host: "192.0.2.7", port: 56143 });
  const moved = withAddress(HOST, "127.0.0.1", 4433);
  expect(candidateAddress(moved)).toEqual({ host: "127.0.0.1", port: 4433 });
  expect(moved).toContain("ufrag bad0 network-id 1");
});

it("knows no address in TCP, IPv6, mDNS and empty candidates", () => {
  expect(candidateAddress(HOST.replace("udp", "tcp"))).toBeUndefined();
  expect(candidateAddress(HOST.replace("192.0.2.7", "2001:db8::7"))).toBeUndefined();
  expect(candidateAddress(HOST.replace("192.0.2.7", "3c5b.local"))).toBeUndefined();
  expect(candidateAddress("")).toBeUndefined();
});

it("takes candidates out of a description and leaves the rest", () => {
  const sdp = ["v=0", "m=audio 9 UDP/TLS/RTP/SAVPF 111", `a=${HOST}`, "a=ice-ufrag:bad0", ""].join("\r\n");
  const bare = withoutCandidates({ type: "answer", sdp });
  expect(bare).toEqual({ type: "answer", sdp: sdp.replace(`a=${HOST}\r\n`, "") });
});
