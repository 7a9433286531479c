/** What a relay counts beside its forwarder, and all of it as Prometheus text. */
import { CLOSE_CODES, type CloseReason } from "../core/wire/close-codes.ts";
import type { ForwardCounters } from "./forward-counters.ts";
import { addAll, type LinkTotals } from "./link-totals.ts";
import { type MetricsText, seriesBy } from "./metrics-text.ts";
import type { PlaceCounts } from "./tree/place-log.ts";

export interface RelayCounters {
  sessionsAccepted: number;
  /** Of participants who went on from an older session, here or on another relay. */
  sessionsResumed: number;
  sessionsClosed: Record<CloseReason, number>;
  /** Sessions of other relays, or of who said so, that were not taken. */
  linksRefused: Record<CloseReason, number>;
}

export function emptyRelayCounters(): RelayCounters {
  const closed = Object.fromEntries(Object.keys(CLOSE_CODES).map((reason) => [reason, 0]));
  return {
    sessionsAccepted: 0,
    sessionsResumed: 0,
    sessionsClosed: closed as Record<CloseReason, number>,
    linksRefused: { ...closed } as Record<CloseReason, number>,
  };
}

export interface RoomFigures {
  rooms: number;
  tracks: number;
  places: PlaceCounts;
  treeLinks: number;
  treeMoves: Readonly<Record<string, number>>;
}

/** What is now, beside what was counted. */
interface RelayGauges extends RoomFigures {
  participants: number;
  unauthenticated: number;
  lanes: number;
  lanesRefused: number;
  subscriptions: number;
  cacheBytes: number;
  replays: number;
  bans: number;
  registered: boolean;
  draining: boolean;
}

export function writeGauges(text: MetricsText, gauges: RelayGauges): void {
  const { places } = gauges;
  text.gauge("tributary_rooms", "Rooms on this relay.", gauges.rooms);
  text.gauge("tributary_root_rooms", "Rooms that this relay is the root of.", places.roots);
  text.gauge(
    "tributary_provisional_root_rooms",
    "Rooms that it is the root of without the directory's word.",
    places.provisional,
  );
  text.gauge("tributary_unplaced_rooms", "Rooms that look for a place in their tree.", places.unplaced);
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
  text.counters(
    "tributary_tree_moves_total",
    "Places in a room's tree that were left for another one.",
    seriesBy("to", gauges.treeMoves),
  );
}

export function writeCounters(text: MetricsText, counters: RelayCounters, resumeTicketsTaken: number): void {
  text.counter("tributary_sessions_accepted_total", "Sessions accepted.", counters.sessionsAccepted);
  text.counter(
    "tributary_sessions_resumed_total",
    "Sessions of participants who went on from an older one, here or on another relay.",
    counters.sessionsResumed,
  );
  text.counter(
    "tributary_resume_tickets_taken_total",
    "Tickets of relays with which participants went on, in place of one of the gateway.",
    resumeTicketsTaken,
  );
  text.counters(
    "tributary_sessions_closed_total",
    "Sessions closed, by reason.",
    seriesBy("reason", counters.sessionsClosed),
  );
  text.counters(
    "tributary_links_refused_total",
    "Links of other relays that were not taken, by reason.",
    seriesBy("reason", counters.linksRefused),
  );
}

/** `hops`: by kind. */
export function writeForwarding(
  text: MetricsText,
  forwarding: ForwardCounters,
  hops: Readonly<Record<string, LinkTotals>>,
): void {
  const dropped: Record<string, number> = { ...forwarding.dropped };
  for (const { receiveDropped } of Object.values(hops)) addAll(dropped, receiveDropped);
  text.counter("tributary_datagrams_in_total", "Media datagrams that came in.", forwarding.datagramsIn);
  text.counter("tributary_datagram_bytes_in_total", "Bytes of them.", forwarding.bytesIn);
  text.counter("tributary_datagrams_out_total", "Media datagrams that went out.", forwarding.datagramsOut);
  text.counter("tributary_datagram_bytes_out_total", "Bytes of them.", forwarding.bytesOut);
  text.counters(
    "tributary_datagrams_dropped_total",
    "Datagrams that came in and were not forwarded, by reason.",
    seriesBy("reason", dropped),
  );
  text.counters(
    "tributary_datagrams_shed_total",
    "Copies left out because a subscriber's network carries less, by reason.",
    seriesBy("reason", forwarding.shed),
  );
  text.counters(
    "tributary_datagrams_unsent_total",
    "Datagrams that a link did not take, by kind of hop and reason.",
    Object.entries(hops).flatMap(([hop, totals]) => seriesBy("reason", totals.dropped, { hop })),
  );
  writeHops(text, hops);
}

function writeHops(text: MetricsText, hops: Readonly<Record<string, LinkTotals>>): void {
  const counters = (name: string, help: string, figureOf: (totals: LinkTotals) => number): void => {
    const series = Object.entries(hops).map(([hop, totals]) => [{ hop }, figureOf(totals)] as const);
    text.counters(name, help, series);
  };
  counters("tributary_link_datagrams_sent_total", "Datagrams sent, by kind of hop.", ({ sent }) => sent);
  counters("tributary_link_datagrams_received_total", "Datagrams received.", ({ received }) => received);
  counters("tributary_link_lost_outbound_total", "Sent datagrams reported missing.", (t) => t.lostOutbound);
  counters("tributary_link_lost_inbound_total", "Datagrams that never came.", (t) => t.lostInbound);
  counters("tributary_repairs_sent_total", "Repair datagrams, and media sent again.", (t) => t.repairsSent);
  counters("tributary_nacks_sent_total", "NACKs sent, copies included.", ({ nacksSent }) => nacksSent);
  counters(
    "tributary_datagrams_recovered_total",
    "Losses made good by repairs that came.",
    ({ recovered }) => recovered,
  );
  counters("tributary_datagrams_given_up_total", "Losses not made good in time.", ({ givenUp }) => givenUp);
}
