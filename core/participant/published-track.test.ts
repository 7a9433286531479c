import { expect, it } from "vitest";
import { CAMERA, unitOf } from "../../test/sim/simulated-cluster.ts";
import type { PacedSink, Pacer } from "../delivery/congestion/pacer.ts";
import type { HopRecovery } from "../session/hop-recovery.ts";
import type { Link } from "../session/link.ts";
import type { LinkDrop } from "../session/link-stats.ts";
import { LocalPublishedTrack } from "./published-track.ts";
import type { Road } from "./road.ts";

/** A road whose link takes datagrams or not, as `fault` says. */
class TestRoad implements Road {
  fault: LinkDrop | undefined;
  readonly maxDatagramBytes = 1200;
  readonly link = { nowUs: () => 0, send: () => this.fault } as unknown as Link;
  readonly recovery = {
    outbound: { loss: 0, burstMs: 0 },
    addSender: () => ({ onSent: () => undefined }),
    removeSender: () => undefined,
  } as unknown as HopRecovery;
  readonly pacer = {
    push: (datagram: Uint8Array, sink: PacedSink) => {
      sink.sendPaced(datagram);
      return true;
    },
    cancel: () => undefined,
  } as unknown as Pacer;
}

function camera(): { road: TestRoad; track: LocalPublishedTrack; send(): boolean } {
  const road = new TestRoad();
  const track = new LocalPublishedTrack(1, CAMERA, { mute: async () => {}, unpublish: async () => {} });
  let frameId = 0;
  return { road, track, send: () => track.send(unitOf(frameId++, frameId * 33_000, { size: 3_000 })) };
}

it("asks for one keyframe after a loss, once the link takes datagrams again", () => {
  const { road, track, send } = camera();
  track.openRoad(road, false);
  expect([send(), send()]).toEqual([true, true]);
  road.fault = "queue-full";
  expect([send(), send(), send()]).toEqual([true, true, true]);
  road.fault = undefined;
  expect([send(), send(), send()]).toEqual([false, true, true]);
});

it("asks for one with the first unit on a road after a gap, and not where nothing was missed", () => {
  const { road, track, send } = camera();
  expect(send()).toBe(true);
  track.openRoad(road, true);
  expect([send(), send()]).toEqual([false, true]);
  const other = new TestRoad();
  track.openRoad(other, false);
  expect(send()).toBe(true);
  // What only the road that is being left loses was not missed.
  road.fault = "closed";
  expect(send()).toBe(true);
  road.fault = undefined;
  expect(send()).toBe(true);
});
