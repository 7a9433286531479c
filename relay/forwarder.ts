/**
 * The hot path: one datagram of a publisher in, one per subscriber out. Reads the media header only, never the
 * payload, and allocates nothing per datagram beyond one view of it. docs/wire.md, "Media datagram".
 */
import type { TokenBucket } from "../core/session/token-bucket.ts";
import {
  DATAGRAM_MEDIA,
  HOP_HEADER_BYTES,
  mediaAudioLevelOf,
  mediaRenditionOf,
  mediaTemporalLayerOf,
  repairRenditionOf,
  trackIdOf,
} from "../core/wire/datagram.ts";
import type { Track } from "./track.ts";

/** Why the relay dropped a datagram that arrived whole; the names that counters show. */
const FORWARD_DROPS = [
  /** Before a valid hello. */
  "unauthenticated",
  /** Above MAX_INGRESS_DATAGRAMS_PER_SECOND. */
  "rate-limited",
  /** No such track in the room (any more). */
  "unknown-track",
  /** A track of somebody else. */
  "not-publisher",
  /** A rendition that the track does not have. */
  "unknown-rendition",
  /** The track is muted. */
  "muted",
] as const;
export type ForwardDrop = (typeof FORWARD_DROPS)[number];

export interface ForwardCounters {
  /** Media and repair datagrams that came from publishers, whole and in time. */
  datagramsIn: number;
  bytesIn: number;
  /** Copies handed to subscribers' links. */
  datagramsOut: number;
  bytesOut: number;
  /** Copies that a subscriber's link did not take; its own counters say why. */
  notTaken: number;
  dropped: Record<ForwardDrop, number>;
}

function emptyForwardCounters(): ForwardCounters {
  const dropped = Object.fromEntries(FORWARD_DROPS.map((reason) => [reason, 0]));
  return {
    datagramsIn: 0,
    bytesIn: 0,
    datagramsOut: 0,
    bytesOut: 0,
    notTaken: 0,
    dropped: dropped as Record<ForwardDrop, number>,
  };
}

/** Whom a datagram came from. */
export interface ForwardSource {
  readonly allowance: TokenBucket;
  /** The source's own tracks. */
  readonly tracks: ReadonlyMap<number, Track>;
  /** Everybody's tracks in the room. */
  readonly roomTracks: ReadonlyMap<number, Track>;
}

export class Forwarder {
  readonly counters = emptyForwardCounters();

  /** Takes a media or repair datagram that `datagramFault` has passed; it is valid until the call returns. */
  forward(source: ForwardSource, datagram: Uint8Array, kind: number, nowUs: number): void {
    const { counters } = this;
    if (!source.allowance.take(1, nowUs)) return this.#drop("rate-limited");
    const trackId = trackIdOf(datagram);
    const track = source.tracks.get(trackId);
    if (track === undefined) {
      return this.#drop(source.roomTracks.has(trackId) ? "not-publisher" : "unknown-track");
    }
    if (track.muted) return this.#drop("muted");
    const isMedia = kind === DATAGRAM_MEDIA;
    const rendition = track.renditions[isMedia ? mediaRenditionOf(datagram) : repairRenditionOf(datagram)];
    if (rendition === undefined) return this.#drop("unknown-rendition");
    counters.datagramsIn++;
    counters.bytesIn += datagram.length;
    if (isMedia) {
      if (track.isAudio) track.activity.push(mediaAudioLevelOf(datagram), nowUs);
      else rendition.cache?.push(datagram);
    }
    const { subscriptions } = rendition;
    if (subscriptions.length === 0) return;
    const layer = isMedia ? mediaTemporalLayerOf(datagram) : 0;
    const body = datagram.subarray(HOP_HEADER_BYTES);
    for (let i = 0; i < subscriptions.length; i++) {
      const subscription = subscriptions[i]!;
      if (layer > subscription.maxTemporalLayer || subscription.replaying) continue;
      if (subscription.link.send(kind, body, 0, !track.isAudio, nowUs) === undefined) {
        counters.datagramsOut++;
        counters.bytesOut += datagram.length;
      } else {
        counters.notTaken++;
      }
    }
  }

  #drop(reason: ForwardDrop): void {
    this.counters.dropped[reason]++;
  }
}
