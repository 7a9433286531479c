/** What a relay counts beside its forwarder, and all of it as Prometheus text. */
import type { RecoveryTotals } from "../core/session/hop-recovery.ts";
import type { LinkStats } from "../core/session/link.ts";
import { CLOSE_CODES, type CloseReason } from "../core/wire/close-codes.ts";
import type { ForwardCounters } from "./forward-counters.ts";
import { MetricsText } from "./metrics-text.ts";

/** Link counters of many links added up. */
export interface LinkTotals {
  sent: number;
  received: number;
  lostOutbound: number;
  lostInbound: number;
  repairsSent: number;
  recovered: number;
  nacksSent: number;
  givenUp: number;
  /** By LinkDrop. */
  dropped: Record<string, number>;
  /** By LinkReceiveDrop. */
  receiveDropped: Record<string, number>;
}

export function emptyLinkTotals(): LinkTotals {
  return {
    sent: 0,
    received: 0,
    lostOutbound: 0,
    lostInbound: 0,
    repairsSent: 0,
    recovered: 0,
    nacksSent: 0,
    givenUp: 0,
    dropped: {},
    receiveDropped: {},
  };
}

export function addLink(totals: LinkTotals, stats: LinkStats, recovery: RecoveryTotals): void {
  totals.sent += stats.datagramsSent;
  totals.received += stats.datagramsReceived;
  totals.lostOutbound += stats.datagramsLostOutbound;
  totals.lostInbound += stats.datagramsLostInbound;
  totals.repairsSent += recovery.repairsSent;
  totals.recovered += recovery.recovered;
  totals.nacksSent += recovery.nacksSent;
  totals.givenUp += recovery.givenUp;
  addAll(totals.dropped, stats.dropped);
  addAll(totals.receiveDropped, stats.receiveDropped);
}

function addAll(into: Record<string, number>, from: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(from)) into[name] = (into[name] ?? 0) + count;
}

export interface RelayCounters {
  sessionsAccepted: number;
  sessionsClosed: Record<CloseReason, number>;
  /** Sessions of other relays, or of who said so, that were not taken. */
  linksRefused: Record<CloseReason, number>;
  keyframeRequests: number;
}

export function emptyRelayCounters(): RelayCounters {
  const closed = Object.fromEntries(Object.keys(CLOSE_CODES).map((reason) => [reason, 0]));
  return {
    sessionsAccepted: 0,
    sessionsClosed: closed as Record<CloseReason, number>,
    linksRefused: { ...closed } as Record<CloseReason, number>,
    keyframeRequests: 0,
  };
}

/** What is now, beside what was counted. */
export interface RelayGauges {
  rooms: number;
  participants: number;
  unauthenticated: number;
  lanes: number;
  lanesRefused: number;
  tracks: number;
  subscriptions: number;
  treeLinks: number;
  cacheBytes: number;
  replays: number;
  bans: number;
  registered: boolean;
  draining: boolean;
}

export function metricsText(
  gauges: RelayGauges,
  counters: RelayCounters,
  forwarding: ForwardCounters,
  links: LinkTotals,
): string {
  const text = new MetricsText();
  text.gauge("tributary_rooms", "Rooms on this relay.", gauges.rooms);
  text.gauge("tributary_participants", "Participants on this relay.", gauges.participants);
  text.gauge("tributary_unauthenticated_sessions", "Sessions without a valid hello.", gauges.unauthenticated);
  text.gauge("tributary_lanes", "Further connections of participants, for their datagrams.", gauges.lanes);
  text.gauge("tributary_tracks", "Published tracks.", gauges.tracks);
  text.gauge("tributary_subscriptions", "Subscriptions.", gauges.subscriptions);
  text.gauge("tributary_tree_links", "Links to other relays, of all rooms.", gauges.treeLinks);
  text.gauge("tributary_gop_cache_bytes", "Memory of GOP caches.", gauges.cacheBytes);
  text.gauge("tributary_gop_replays", "Late joiners who are being sent a cached GOP.", gauges.replays);
  text.gauge("tributary_bans", "Join tokens of removed participants.", gauges.bans);
  text.gauge("tributary_registered", "1 while the directory knows this relay.", Number(gauges.registered));
  text.gauge("tributary_draining", "1 while the relay takes no new sessions.", Number(gauges.draining));
  text.counter("tributary_lanes_refused_total", "Lanes closed at once.", gauges.lanesRefused);
  text.counter("tributary_sessions_accepted_total", "Sessions accepted.", counters.sessionsAccepted);
  text.counters(
    "tributary_sessions_closed_total",
    "Sessions closed, by reason.",
    "reason",
    counters.sessionsClosed,
  );
  text.counters(
    "tributary_links_refused_total",
    "Links of other relays that were not taken, by reason.",
    "reason",
    counters.linksRefused,
  );
  text.counter("tributary_datagrams_in_total", "Media datagrams from publishers.", forwarding.datagramsIn);
  text.counter("tributary_datagram_bytes_in_total", "Bytes of them.", forwarding.bytesIn);
  text.counter("tributary_datagrams_out_total", "Media datagrams to subscribers.", forwarding.datagramsOut);
  text.counter("tributary_datagram_bytes_out_total", "Bytes of them.", forwarding.bytesOut);
  text.counters(
    "tributary_datagrams_dropped_total",
    "Datagrams of publishers that were not forwarded, by reason.",
    "reason",
    { ...forwarding.dropped, ...links.receiveDropped },
  );
  text.counters(
    "tributary_datagrams_shed_total",
    "Copies left out because a subscriber's network carries less, by reason.",
    "reason",
    forwarding.shed,
  );
  text.counters(
    "tributary_datagrams_unsent_total",
    "Datagrams that a link did not take, by reason.",
    "reason",
    links.dropped,
  );
  text.counter("tributary_link_datagrams_sent_total", "Datagrams sent on all links.", links.sent);
  text.counter("tributary_link_datagrams_received_total", "Datagrams received on all links.", links.received);
  text.counter("tributary_link_lost_outbound_total", "Sent datagrams reported missing.", links.lostOutbound);
  text.counter("tributary_link_lost_inbound_total", "Datagrams that never came.", links.lostInbound);
  text.counter("tributary_repairs_sent_total", "Repair datagrams, and media sent again.", links.repairsSent);
  text.counter("tributary_nacks_sent_total", "NACKs to publishers, copies included.", links.nacksSent);
  text.counter("tributary_datagrams_recovered_total", "Publishers' losses made good.", links.recovered);
  text.counter(
    "tributary_datagrams_given_up_total",
    "Publishers' losses not made good in time.",
    links.givenUp,
  );
  return text.toString();
}
