/** Hostile datagrams through the real way in: Link, then the depacketizer of a subscription. */
import type { Clock } from "../../core/clock.ts";
import type { AccessUnit } from "../../core/delivery/access-unit.ts";
import { SubscribedTrack } from "../../core/participant/subscribed-track.ts";
import { Link } from "../../core/session/link.ts";
import { emptyCounters, type Session } from "../../core/session/session.ts";
import { DATAGRAM_MEDIA } from "../../core/wire/datagram.ts";
import { MAX_ACCESS_UNIT_BYTES } from "../../core/wire/limits.ts";
import { readNack } from "../../core/wire/nack.ts";
import datagrams from "../../core/wire/vectors/datagrams.json" with { type: "json" };
import feedback from "../../core/wire/vectors/feedback.json" with { type: "json" };
import redundancy from "../../core/wire/vectors/redundancy.json" with { type: "json" };
import { seededRandom } from "../sim/seeded-random.ts";
import { hostileBytes } from "./mutation.ts";
import { bytesOfHex } from "./vector-bytes.ts";

function samples(): Uint8Array[] {
  const media = datagrams.media.map((vector) => bytesOfHex(vector.datagram));
  const withRedundancy = redundancy.map((vector) => {
    const bytes = bytesOfHex(datagrams.media[2]!.datagram + vector.payload);
    bytes[8 + 23] = 0x04;
    return bytes;
  });
  const others = [...datagrams.repair, ...feedback.reports, ...feedback.nacks];
  return [...media, ...withRedundancy, ...others.map((vector) => bytesOfHex(vector.datagram))];
}

function silentSession(): Session {
  return {
    id: "fuzz",
    remoteAddress: "",
    path: "/",
    datagramHeadroom: 1,
    maxDatagramBytes: 1200,
    keepsDatagramBuffer: false,
    sendDatagram: () => undefined,
    onDatagram: () => undefined,
    openStream: () => Promise.reject(new Error("no streams in this test")),
    onStream: () => undefined,
    close: () => undefined,
    closed: new Promise(() => undefined),
    counters: emptyCounters(),
  };
}

/**
 * Feeds `count` datagrams made from `seed`. Throws when a decoder throws, when a unit comes out that breaks a bound,
 * or when a datagram is neither taken nor counted as dropped. Returns how many were taken as media.
 */
export function fuzzDatagrams(seed: number, count: number): number {
  const random = seededRandom(seed);
  const valid = samples();
  let nowUs = 1_785_000_000_000_000;
  const clock: Clock = { nowUs: () => nowUs, after: () => ({ cancel: () => undefined }) };
  let taken = 0;
  const check = (unit: AccessUnit): void => {
    if (unit.bytes.length > MAX_ACCESS_UNIT_BYTES)
      throw new Error(`seed ${seed}: a unit over the limit came out`);
    if (!Number.isSafeInteger(unit.frameId)) throw new Error(`seed ${seed}: frame id ${unit.frameId}`);
  };
  const track = new SubscribedTrack(7, true, check);
  const session = silentSession();
  const link = new Link(session, clock, 0, {
    onMedia: (datagram, kind) => {
      taken++;
      if (kind === DATAGRAM_MEDIA) track.push(datagram);
    },
    onNack: (bytes, offset, length) => {
      const nack = readNack(bytes, offset, length);
      if (nack !== undefined && nack.held.length > 32) throw new Error(`seed ${seed}: a NACK holds too much`);
    },
  });
  for (let i = 0; i < count; i++) {
    nowUs += 500;
    const bytes = hostileBytes(random, valid);
    // A fresh hop sequence most of the time, or everything after the first would be a duplicate.
    if (bytes.length >= 4 && random() < 0.9) {
      bytes[2] = i >>> 8;
      bytes[3] = i;
    }
    session.onDatagram(bytes);
    if (i % 100 === 0) link.tick();
  }
  const stats = link.stats();
  const dropped = Object.values(stats.receiveDropped).reduce((sum, n) => sum + n, 0);
  if (stats.datagramsReceived + dropped < count) throw new Error(`seed ${seed}: datagrams went uncounted`);
  return taken;
}
