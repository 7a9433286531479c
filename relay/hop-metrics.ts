/**
 * How the hops of a relay are: those to participants together, those to other relays by relay. Looked at now and then, so that
 * a histogram says for what share of time and hops the round trip was how long.
 */
import { MAX_RELAYS_PER_ROOM } from "../core/wire/limits.ts";
import { Histogram } from "./histogram.ts";
import { addLink, emptyLinkTotals, type LinkTotals } from "./link-totals.ts";
import type { MediaPort } from "./media-port.ts";
import type { Member } from "./member.ts";
import type { MetricsText } from "./metrics-text.ts";
import type { RelayLink } from "./tree/relay-link.ts";

/** `sample` is to be called this often. */
export const HOP_SAMPLE_INTERVAL_MS = 1_000;

const RTT_BOUNDS_SECONDS = [0.002, 0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.6, 1.2];
const LOSS_BOUNDS = [0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5];
/** Relays that have a series of their own; of further ones, who was linked longest ago loses its own, or "others" has them. */
const MAX_TOLD_RELAYS = MAX_RELAYS_PER_ROOM;
const OTHERS = "others";

/** How hops of one kind were, each time they were looked at. */
class HopQuality {
  readonly rttSeconds = new Histogram(RTT_BOUNDS_SECONDS);
  readonly lossShare = new Histogram(LOSS_BOUNDS);
  seenUs = 0;

  push({ link }: MediaPort, nowUs: number): void {
    this.seenUs = nowUs;
    const { rttMs, sendLoss } = link.stats();
    // Nothing is known before the first report.
    if (rttMs === undefined) return;
    this.rttSeconds.push(rttMs / 1_000);
    this.lossShare.push(sendLoss);
  }
}

export class HopMetrics {
  readonly #pastMembers = emptyLinkTotals();
  readonly #pastLinks = emptyLinkTotals();
  /** Links between relays that were there when last looked at. */
  #links = new Set<RelayLink>();
  readonly #ofParticipants = new HopQuality();
  readonly #ofRelays = new Map<string, HopQuality>();

  sample(members: Iterable<Member>, links: Iterable<RelayLink>, nowUs: number): void {
    for (const member of members) this.#ofParticipants.push(member, nowUs);
    const now = new Set(links);
    for (const link of now) this.#ofRelay(link.relay.id, nowUs).push(link, nowUs);
    for (const link of this.#links) if (!now.has(link)) addLink(this.#pastLinks, link);
    this.#links = now;
  }

  #ofRelay(relayId: string, nowUs: number): HopQuality {
    const known = this.#ofRelays.get(relayId);
    if (known !== undefined) return known;
    if (this.#ofRelays.size >= MAX_TOLD_RELAYS) {
      const [oldest, quality] = [...this.#ofRelays].reduce((a, b) => (a[1].seenUs <= b[1].seenUs ? a : b));
      if (relayId !== OTHERS && nowUs - quality.seenUs < 2 * HOP_SAMPLE_INTERVAL_MS * 1_000)
        return this.#ofRelay(OTHERS, nowUs);
      this.#ofRelays.delete(oldest);
    }
    const fresh = new HopQuality();
    this.#ofRelays.set(relayId, fresh);
    return fresh;
  }

  /** A participant's session is over. */
  ended(member: Member): void {
    addLink(this.#pastMembers, member);
  }

  /** By kind of hop, with those of now. */
  totals(members: Iterable<Member>, links: Iterable<RelayLink>): Record<string, LinkTotals> {
    const participants = structuredClone(this.#pastMembers);
    for (const member of members) addLink(participants, member);
    const relays = structuredClone(this.#pastLinks);
    for (const link of new Set([...this.#links, ...links])) addLink(relays, link);
    return { participants, relays };
  }

  write(text: MetricsText): void {
    const { rttSeconds, lossShare } = this.#ofParticipants;
    const relays = [...this.#ofRelays].map(([relay, quality]) => ({ labels: { relay }, quality }));
    text.histograms(
      "tributary_participant_rtt_seconds",
      "Round trips to participants, each looked at once a second.",
      [[{}, rttSeconds]],
    );
    text.histograms(
      "tributary_participant_loss_ratio",
      "Share of datagrams to participants that is lost, each looked at once a second.",
      [[{}, lossShare]],
    );
    text.histograms(
      "tributary_tree_link_rtt_seconds",
      "Round trips to other relays, each link looked at once a second.",
      relays.map(({ labels, quality }) => [labels, quality.rttSeconds]),
    );
    text.histograms(
      "tributary_tree_link_loss_ratio",
      "Share of datagrams to other relays that is lost, each link looked at once a second.",
      relays.map(({ labels, quality }) => [labels, quality.lossShare]),
    );
  }
}
