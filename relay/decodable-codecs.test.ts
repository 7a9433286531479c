import { describe, expect, it } from "vitest";
import type { RelayMessageInput } from "../core/wire/control-messages.ts";
import { DecodableCodecs } from "./decodable-codecs.ts";

type Decodes = readonly string[] | undefined;

function roomOf(here: Decodes[], elsewhere: Decodes[] = []) {
  const said: RelayMessageInput[] = [];
  const members = new Map(here.map((decodes, at) => [`here-${at}`, { decodes }]));
  const byIdentity = new Map(elsewhere.map((decodes, at) => [`there-${at}`, { record: { decodes } }]));
  const room = {
    members,
    remote: { byIdentity },
    broadcast: (message: RelayMessageInput) => said.push(message),
  };
  return { said, room: room as unknown as Parameters<DecodableCodecs["update"]>[0] };
}

describe("what everybody in a room can decode", () => {
  it.each([
    {
      here: [
        ["vp8", "h264"],
        ["h264", "vp8", "av1"],
      ],
      elsewhere: [],
      codecs: ["h264", "vp8"],
    },
    { here: [["vp8", "h264"]], elsewhere: [["vp8"]], codecs: ["vp8"] },
    // Who says nothing is taken to decode H.264, who decodes nothing is not counted.
    { here: [undefined, ["vp8", "h264"]], elsewhere: [], codecs: ["h264"] },
    { here: [[], ["av1", "vp9"]], elsewhere: [[]], codecs: ["av1", "vp9"] },
    { here: [["av1"], ["h264"]], elsewhere: [], codecs: [] },
    { here: [[]], elsewhere: [], codecs: ["h264"] },
  ] as { here: Decodes[]; elsewhere: Decodes[]; codecs: string[] }[])(
    "$here here and $elsewhere elsewhere: $codecs",
    ({ here, elsewhere, codecs }) => {
      const { said, room } = roomOf(here, elsewhere);
      new DecodableCodecs().update(room);
      const isNews = codecs.join() !== "h264";
      expect(said).toEqual(isNews ? [{ type: "decodable", codecs }] : []);
    },
  );

  it("says it once, and again when it changes", () => {
    const decodable = new DecodableCodecs();
    const first = roomOf([["h264", "vp8"]]);
    decodable.update(first.room);
    decodable.update(first.room);
    expect(first.said).toHaveLength(1);
    const second = roomOf([["h264", "vp8"], ["vp8"]]);
    decodable.update(second.room);
    expect(second.said).toEqual([{ type: "decodable", codecs: ["vp8"] }]);
    expect(decodable.told).toEqual(["vp8"]);
  });
});
