/**
 * The hot path: one datagram of a publisher in, one per subscriber out. Reads the media header only, never the
 * payload, and allocates nothing per datagram beyond one view of it. What a subscriber's network cannot carry is left out for that
 * subscriber alone. docs/wire.md, "Media datagram".
 */
import type { HopRecovery } from "../core/session/hop-recovery.ts";
import type { TokenBucket } from "../core/session/token-bucket.ts";
import {
  DATAGRAM_MEDIA,
  FLAG_KEYFRAME,
  HOP_HEADER_BYTES,
  mediaAudioLevelOf,
  mediaBlockOf,
  mediaFlagsOf,
  mediaFrameIdOf,
  mediaRenditionOf,
  mediaSymbolOf,
  mediaTemporalLayerOf,
  repairRenditionOf,
  trackIdOf,
} from "../core/wire/datagram.ts";
import { emptyForwardCounters, type ForwardDrop } from "./forward-counters.ts";
import { classBitOf } from "./layer-rates.ts";
import type { Track, TrackRendition } from "./track.ts";

/** Whom a datagram came from. */
export interface ForwardSource {
  readonly recovery: HopRecovery;
  readonly allowance: TokenBucket;
  /** The source's own tracks. */
  readonly tracks: ReadonlyMap<number, Track>;
  /** Everybody's tracks in the room. */
  readonly roomTracks: ReadonlyMap<number, Track>;
}

export class Forwarder {
  readonly counters = emptyForwardCounters();

  /**
   * Takes a media or repair datagram that `datagramFault` has passed; it is valid until the call returns. What it is good
   * for, restored datagrams included, comes back through `forward`.
   */
  take(source: ForwardSource, datagram: Uint8Array, kind: number, nowUs: number): void {
    const fault = this.#fault(source, datagram, kind, nowUs);
    if (fault !== undefined) {
      this.counters.dropped[fault]++;
      source.recovery.noteArrival(datagram, nowUs);
      return;
    }
    this.counters.datagramsIn++;
    this.counters.bytesIn += datagram.length;
    source.recovery.push(datagram, kind, nowUs);
  }

  #fault(source: ForwardSource, datagram: Uint8Array, kind: number, nowUs: number): ForwardDrop | undefined {
    if (!source.allowance.take(1, nowUs)) return "rate-limited";
    const trackId = trackIdOf(datagram);
    const track = source.tracks.get(trackId);
    if (track === undefined) return source.roomTracks.has(trackId) ? "not-publisher" : "unknown-track";
    if (track.muted) return "muted";
    const rendition = kind === DATAGRAM_MEDIA ? mediaRenditionOf(datagram) : repairRenditionOf(datagram);
    return rendition < track.renditions.length ? undefined : "unknown-rendition";
  }

  /** Hands a media datagram of a track to its cache and to everybody who receives it. */
  forward(track: Track, rendition: TrackRendition, datagram: Uint8Array, nowUs: number): void {
    const { counters } = this;
    if (track.isAudio) track.activity.push(mediaAudioLevelOf(datagram), nowUs);
    else rendition.cache?.push(datagram);
    const flags = mediaFlagsOf(datagram);
    const classBit = classBitOf(mediaTemporalLayerOf(datagram), flags);
    rendition.rates.add(classBit, datagram.length, nowUs);
    const { subscriptions } = rendition;
    if (subscriptions.length === 0) return;
    const frameId = mediaFrameIdOf(datagram);
    rendition.noteUnit(frameId, classBit, (flags & FLAG_KEYFRAME) !== 0);
    const block = mediaBlockOf(datagram);
    const symbol = mediaSymbolOf(datagram);
    const body = datagram.subarray(HOP_HEADER_BYTES);
    for (let i = 0; i < subscriptions.length; i++) {
      const subscription = subscriptions[i]!;
      if (subscription.replaying) continue;
      if ((subscription.passes & classBit) === 0 && !subscription.allows(frameId, classBit)) {
        subscription.countShed(classBit);
      } else if (subscription.paced) {
        const drop = subscription.send(datagram, nowUs);
        if (drop === "pacer-full") counters.shed["shed-overflow"]++;
        else if (drop !== undefined) counters.notTaken++;
      } else if (subscription.link.send(DATAGRAM_MEDIA, body, 0, !track.isAudio, nowUs) === undefined) {
        counters.datagramsOut++;
        counters.bytesOut += datagram.length;
        subscription.repair.onSent(block, symbol, flags, datagram.length, nowUs);
      } else {
        counters.notTaken++;
      }
    }
  }
}
