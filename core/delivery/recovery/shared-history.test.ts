/** Two hops that bring the same track into one block history. */
import { expect, it } from "vitest";
import { DATAGRAM_MEDIA, HOP_HEADER_BYTES, writeHopHeader } from "../../wire/datagram.ts";
import type { Nack } from "../../wire/nack.ts";
import { Packetizer } from "../packetizer.ts";
import { BlockPool } from "../reed-solomon/block-pool.ts";
import { BlockHistory } from "./block-history.ts";
import { BlockReceiver } from "./block-receiver.ts";

const TRACK = 9;
const UNIT_MS = 33;
const DATAGRAMS = 8;

function datagramsOf(packetizer: Packetizer, frameId: number, captureTimeUs: number): Uint8Array[] {
  const datagrams: Uint8Array[] = [];
  const unit = {
    frameId,
    captureTimeUs,
    keyframe: false,
    discardable: false,
    temporalLayer: 0,
    reference: 1,
    rendition: 0,
    audioLevel: 127,
    voice: false,
    encrypted: false,
    bytes: Uint8Array.from({ length: DATAGRAMS * 900 - 7 }, (_, i) => (i * frameId + i) & 0xff),
  };
  packetizer.push(unit, 934, false, (view) => {
    const datagram = view.slice();
    writeHopHeader(datagram, 0, DATAGRAM_MEDIA, 0, 0);
    datagrams.push(datagram);
  });
  return datagrams;
}

function hexOf(datagrams: readonly Uint8Array[]): string[] {
  return datagrams.map((d) => Buffer.from(d.subarray(HOP_HEADER_BYTES)).toString("hex")).sort();
}

it.each([
  ["kept", true],
  ["let go of when they are whole", false],
])(
  "each datagram comes out once, and what either hop has is not asked for: blocks are %s",
  (_, keepsWhole) => {
    let nowUs = 1_785_000_000_000_000;
    const history = new BlockHistory(new BlockPool({ capacity: 2_000, kernel: "tables" }), keepsWhole);
    const packetizer = new Packetizer(TRACK);
    const [sent, out]: [Uint8Array[], Uint8Array[]] = [[], []];
    const nacks: Nack[] = [];
    const hops = [0, 1].map(() => ({
      conditions: { loss: 0.01, burstMs: 0, rttMs: 40, reorderMs: 0 },
      holesSeen: 0,
      isReliable: false,
      isSpent: false,
    }));
    const receivers = hops.map(
      (hop) =>
        new BlockReceiver(
          {
            trackId: TRACK,
            rendition: 0,
            history,
            hop,
            isPicture: false,
            emit: (datagram) => void out.push(datagram.slice()),
          },
          200,
        ),
    );
    for (let frame = 1; frame <= 60; frame++) {
      const datagrams = datagramsOf(packetizer, frame, nowUs);
      sent.push(...datagrams);
      // Each hop loses half of each unit, or the whole of it, and the other brings that.
      const isWhole = frame % 5 === 0;
      for (const [index, datagram] of datagrams.entries()) {
        const loser = isWhole ? frame % 2 : (index + frame) % 2;
        hops[loser]!.holesSeen++;
        receivers[1 - loser]!.pushMedia(datagram, nowUs + index * 100);
        if (frame % 3 === 0) receivers[0]!.pushMedia(datagram, nowUs + index * 100 + 50);
      }
      for (let n = 0; n < UNIT_MS; n++) {
        nowUs += 1_000;
        for (const receiver of receivers) receiver.poll(nowUs, (nack) => void nacks.push({ ...nack }));
      }
    }
    expect(hexOf(out)).toEqual(hexOf(sent));
    expect(nacks).toEqual([]);
  },
);
