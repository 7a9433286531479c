/**
 * A track that this participant receives: datagrams of every open road in, losses made good, access units out, each once, with
 * counters. What has come is the track's own and outlives sessions.
 */
import type { AccessUnit } from "../delivery/access-unit.ts";
import { Depacketizer, type DepacketizerDrop } from "../delivery/depacketizer.ts";
import { BlockHistory, blocksAhead } from "../delivery/recovery/block-history.ts";
import type { BlockReceiver } from "../delivery/recovery/block-receiver.ts";
import type { BlockPool } from "../delivery/reed-solomon/block-pool.ts";
import type { HopRecovery } from "../session/hop-recovery.ts";
import { DATAGRAM_MEDIA, mediaBlockOf, mediaRenditionOf, repairRenditionOf } from "../wire/datagram.ts";
import { BlockCount } from "./block-count.ts";
import type { SubscribeOptions, TrackCounters } from "./participant-api.ts";

/** What the relay assumes when a subscription says nothing else. */
const DEFAULT_PLAYOUT_DELAY_MS = 200;
/** A track of which nothing has come for this long has nothing to send. */
const ACTIVE_US = 500_000;
/** A road that brings blocks no further behind the newest has caught up. */
const CAUGHT_UP_BLOCKS = 8;

/** How one rendition comes in: each numbers its units and blocks by itself. */
interface Reception {
  depacketizer: Depacketizer;
  blocks: BlockCount;
  history: BlockHistory | undefined;
  /** One for each road that it has come on; each hop asks for what it has lost itself. */
  receivers: { hop: HopRecovery; receiver: BlockReceiver }[];
}

export class SubscribedTrack {
  readonly trackId: number;
  /** What the relay was asked for last. */
  wish: SubscribeOptions = {};
  /** Subscribe requests that the relay has not answered, and whether it has agreed to one. */
  waitingAnswers = 0;
  accepted = false;
  /** The relay that we have moved to did not know the track: it is asked once it does. */
  isUnknown = false;
  readonly #isPicture: boolean;
  readonly #emit: (unit: AccessUnit) => void;
  readonly #pool: BlockPool | undefined;
  readonly #receptions: (Reception | undefined)[] = [];
  readonly #hops: HopRecovery[] = [];
  #playoutDelayMs = DEFAULT_PLAYOUT_DELAY_MS;
  /** Gaps of hops that are closed, less those from before a hop was ours. */
  #holesElsewhere = 0;
  #holesBefore = 0;
  #bytes = 0;
  #datagrams = 0;
  #units = 0;
  #recoveredBefore = 0;
  #mediaUs = Number.NEGATIVE_INFINITY;
  /** The road that media is still to come on. */
  #awaited: HopRecovery | undefined;

  /** Without memory for recovery, what is lost stays lost. */
  constructor(trackId: number, isPicture: boolean, emit: (unit: AccessUnit) => void, pool?: BlockPool) {
    this.trackId = trackId;
    this.#isPicture = isPicture;
    this.#pool = pool;
    this.#emit = (unit) => {
      this.#units++;
      emit(unit);
    };
  }

  /** The relay is about to be asked. `playoutDelayMs`: what would come later is not asked for again. */
  ask(wish: SubscribeOptions): void {
    this.wish = wish;
    this.waitingAnswers++;
    if (wish.playoutDelayMs === undefined) return;
    this.#playoutDelayMs = wish.playoutDelayMs;
    for (const reception of this.#receptions) {
      for (const { receiver } of reception?.receivers ?? []) receiver.playoutDelayMs = wish.playoutDelayMs;
    }
  }

  /** Takes a media or repair datagram as the link of one hop gives it. */
  take(hop: HopRecovery, datagram: Uint8Array, kind: number, nowUs: number): void {
    const isMedia = kind === DATAGRAM_MEDIA;
    const rendition = isMedia ? mediaRenditionOf(datagram) : repairRenditionOf(datagram);
    const reception = this.#receptionOf(rendition);
    if (hop.receiver(this.trackId, rendition) === undefined) this.#receiveOn(hop, rendition, reception);
    if (isMedia) {
      this.#mediaUs = nowUs;
      if (hop === this.#awaited && hasCaughtUp(reception.history, datagram)) this.#awaited = undefined;
    }
    hop.push(datagram, kind, nowUs);
  }

  /** Takes a media datagram, received or restored. */
  push(datagram: Uint8Array): void {
    const { depacketizer, blocks } = this.#receptionOf(mediaRenditionOf(datagram));
    this.#datagrams++;
    this.#bytes += datagram.length;
    const holes = this.#holes;
    blocks.push(datagram, this.#pool === undefined ? Number.POSITIVE_INFINITY : holes - this.#holesBefore);
    this.#holesBefore = holes;
    depacketizer.push(datagram, this.#emit);
  }

  get #holes(): number {
    let holes = this.#holesElsewhere;
    for (const { holesSeen } of this.#hops) holes += holesSeen;
    return holes;
  }

  #receptionOf(rendition: number): Reception {
    const known = this.#receptions[rendition];
    if (known !== undefined) return known;
    const history = this.#pool === undefined ? undefined : new BlockHistory(this.#pool, false);
    const reception = { depacketizer: new Depacketizer(), blocks: new BlockCount(), history, receivers: [] };
    this.#receptions[rendition] = reception;
    return reception;
  }

  #receiveOn(hop: HopRecovery, rendition: number, { history, receivers }: Reception): void {
    if (history === undefined) return;
    if (!this.#hops.includes(hop)) {
      this.#hops.push(hop);
      this.#holesElsewhere -= hop.holesSeen;
    }
    const receiver = hop.addReceiver(
      this.trackId,
      rendition,
      history,
      this.#playoutDelayMs,
      this.#isPicture,
      (datagram) => this.push(datagram),
    );
    receivers.push({ hop, receiver });
  }

  /** Nothing more comes on this hop. */
  leaveHop(hop: HopRecovery): void {
    if (this.#awaited === hop) this.#awaited = undefined;
    const at = this.#hops.indexOf(hop);
    if (at < 0) return;
    this.#hops.splice(at, 1);
    this.#holesElsewhere += hop.holesSeen;
    for (const [rendition, reception] of this.#receptions.entries()) {
      const index = reception?.receivers.findIndex((one) => one.hop === hop) ?? -1;
      if (index < 0) continue;
      this.#recoveredBefore += reception!.receivers.splice(index, 1)[0]!.receiver.counters.recovered;
      hop.removeReceiver(this.trackId, rendition);
    }
  }

  /** While something is being sent of the track, `isAwaited` is true until it comes on this hop too. */
  await(hop: HopRecovery, nowUs: number): void {
    this.#awaited = nowUs - this.#mediaUs <= ACTIVE_US ? hop : undefined;
  }

  get isAwaited(): boolean {
    return this.#awaited !== undefined;
  }

  /** Gives memory back; nothing may be taken after that. */
  end(): void {
    for (const hop of [...this.#hops]) this.leaveHop(hop);
    for (const reception of this.#receptions) reception?.history?.clear();
  }

  counters(): TrackCounters {
    const dropped: Record<DepacketizerDrop, number> = { ...new Depacketizer().dropped };
    let lost = 0;
    let recovered = this.#recoveredBefore;
    for (const reception of this.#receptions) {
      if (reception === undefined) continue;
      lost += reception.blocks.lost;
      for (const { receiver } of reception.receivers) recovered += receiver.counters.recovered;
      const counts = Object.entries(reception.depacketizer.dropped) as [DepacketizerDrop, number][];
      for (const [reason, count] of counts) dropped[reason] += count;
    }
    return {
      bytes: this.#bytes,
      datagrams: this.#datagrams,
      datagramsLost: lost,
      datagramsRecovered: recovered,
      accessUnits: this.#units,
      dropped,
    };
  }
}

/** To be asked before the history has the datagram. */
function hasCaughtUp(history: BlockHistory | undefined, datagram: Uint8Array): boolean {
  const newest = history?.newest ?? -1;
  return newest < 0 || blocksAhead(mediaBlockOf(datagram), newest) >= -CAUGHT_UP_BLOCKS;
}
