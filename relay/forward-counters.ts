/** What the forwarder and the subscriptions count, with the names of reasons that metrics show. */

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

/** Why a subscriber was not sent a datagram that the link could have taken: its network carries less. */
const SHED_REASONS = [
  /** Of a unit that no other needs. */
  "shed-discardable",
  /** Of a temporal layer above those that fit. */
  "shed-layer",
  /** Not even the base layer fits. */
  "shed-picture",
  /** More waits in the subscriber's pacer than it holds. */
  "shed-overflow",
  /** Waited in the pacer when the track was muted or the subscription ended. */
  "shed-withdrawn",
] as const;
type ShedReason = (typeof SHED_REASONS)[number];

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
  /** Copies left out for a subscriber. */
  shed: Record<ShedReason, number>;
}

export function emptyForwardCounters(): ForwardCounters {
  const dropped = Object.fromEntries(FORWARD_DROPS.map((reason) => [reason, 0]));
  const shed = Object.fromEntries(SHED_REASONS.map((reason) => [reason, 0]));
  return {
    datagramsIn: 0,
    bytesIn: 0,
    datagramsOut: 0,
    bytesOut: 0,
    notTaken: 0,
    dropped: dropped as Record<ForwardDrop, number>,
    shed: shed as Record<ShedReason, number>,
  };
}
