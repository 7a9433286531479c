import { describe, expect, it } from "vitest";
import { seededRandom } from "../../test/sim/seeded-random.ts";
import { Handshake } from "./handshake.ts";

describe("Handshake", () => {
  it.each([1, 7, 1536, 4000])("is made by both sides in pieces of %i bytes", (size) => {
    const client = new Handshake("client", seededRandom(1));
    const server = new Handshake("server", seededRandom(2));
    const give = (to: Handshake, bytes: Uint8Array) => {
      const replies: number[] = [];
      let rest: number[] | undefined;
      for (let at = 0; at < bytes.length; at += size) {
        const step = to.push(bytes.subarray(at, at + size));
        replies.push(...(step.reply ?? []));
        if (step.rest !== undefined) rest = [...(rest ?? []), ...step.rest];
        if (rest !== undefined) return { replies, rest: [...rest, ...bytes.subarray(at + size)] };
      }
      return { replies, rest };
    };
    const hello = give(server, client.hello());
    expect(hello.replies).toHaveLength(1 + 2 * 1536);
    expect(hello.replies.slice(1 + 1536)).toEqual([...client.hello().subarray(1)]);
    expect(hello.rest).toBeUndefined();
    const answer = give(client, Uint8Array.from([...hello.replies, 42]));
    expect(answer.replies).toEqual(hello.replies.slice(1, 1 + 1536));
    expect(answer.rest).toEqual([42]);
    const end = give(server, Uint8Array.from([...answer.replies, 1, 2, 3]));
    expect(end.replies).toEqual([]);
    expect(end.rest).toEqual([1, 2, 3]);
  });

  it("says what is wrong with another protocol", () => {
    const said = (first: number) => () => new Handshake("server", () => 0).push(Uint8Array.of(first));
    expect(said(6)).toThrow("rtmps://");
    expect(said(0x47)).toThrow("not RTMP");
    expect(said(0)).toThrow("not RTMP");
  });
});
