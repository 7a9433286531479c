/** A track that this participant receives: datagrams in, losses made good, access units out, with counters. */
import type { AccessUnit } from "../delivery/access-unit.ts";
import { Depacketizer, type DepacketizerDrop } from "../delivery/depacketizer.ts";
import { BlockHistory } from "../delivery/recovery/block-history.ts";
import type { BlockReceiver } from "../delivery/recovery/block-receiver.ts";
import type { BlockPool } from "../delivery/reed-solomon/block-pool.ts";
import type { HopRecovery } from "../session/hop-recovery.ts";
import { DATAGRAM_MEDIA, mediaRenditionOf, repairRenditionOf } from "../wire/datagram.ts";
import { BlockCount } from "./block-count.ts";
import type { TrackCounters } from "./participant-api.ts";

/** What the relay assumes when a subscription says nothing else. */
const DEFAULT_PLAYOUT_DELAY_MS = 200;

/** How one rendition comes in: each numbers its units and blocks by itself. */
interface Reception {
  depacketizer: Depacketizer;
  blocks: BlockCount;
  history: BlockHistory | undefined;
  receiver: BlockReceiver | undefined;
}

export class SubscribedTrack {
  readonly trackId: number;
  /** Subscribe requests that the relay has not answered, and whether it has agreed to one. */
  waitingAnswers = 0;
  accepted = false;
  readonly #isPicture: boolean;
  readonly #emit: (unit: AccessUnit) => void;
  readonly #recovery: HopRecovery | undefined;
  readonly #pool: BlockPool | undefined;
  readonly #receptions: (Reception | undefined)[] = [];
  #playoutDelayMs = DEFAULT_PLAYOUT_DELAY_MS;
  #holesBefore = 0;
  #bytes = 0;
  #datagrams = 0;
  #units = 0;

  /** Without `recovery` and its memory, what is lost stays lost. */
  constructor(
    trackId: number,
    isPicture: boolean,
    emit: (unit: AccessUnit) => void,
    recovery?: { hop: HopRecovery; pool: BlockPool },
  ) {
    this.trackId = trackId;
    this.#isPicture = isPicture;
    this.#recovery = recovery?.hop;
    this.#pool = recovery?.pool;
    this.#emit = (unit) => {
      this.#units++;
      emit(unit);
    };
  }

  /** How long after its undelayed arrival a datagram is of use; later ones are not asked for. */
  set playoutDelayMs(delayMs: number) {
    this.#playoutDelayMs = delayMs;
    for (const reception of this.#receptions) {
      if (reception?.receiver !== undefined) reception.receiver.playoutDelayMs = delayMs;
    }
  }

  /** Takes a media or repair datagram as the link gives it. */
  take(datagram: Uint8Array, kind: number, nowUs: number): void {
    const isMedia = kind === DATAGRAM_MEDIA;
    this.#receptionOf(isMedia ? mediaRenditionOf(datagram) : repairRenditionOf(datagram));
    this.#recovery?.push(datagram, kind, nowUs);
  }

  /** Takes a media datagram, received or restored. */
  push(datagram: Uint8Array): void {
    const { depacketizer, blocks } = this.#receptionOf(mediaRenditionOf(datagram));
    this.#datagrams++;
    this.#bytes += datagram.length;
    const holesSeen = this.#recovery?.holesSeen ?? Number.POSITIVE_INFINITY;
    blocks.push(datagram, holesSeen - this.#holesBefore);
    this.#holesBefore = this.#recovery?.holesSeen ?? 0;
    depacketizer.push(datagram, this.#emit);
  }

  #receptionOf(rendition: number): Reception {
    const known = this.#receptions[rendition];
    if (known !== undefined) return known;
    const history = this.#pool === undefined ? undefined : new BlockHistory(this.#pool, false);
    const receiver =
      history === undefined
        ? undefined
        : this.#recovery?.addReceiver(
            this.trackId,
            rendition,
            history,
            this.#playoutDelayMs,
            this.#isPicture,
            (datagram) => this.push(datagram),
          );
    const reception = { depacketizer: new Depacketizer(), blocks: new BlockCount(), history, receiver };
    this.#receptions[rendition] = reception;
    return reception;
  }

  /** Gives memory back; nothing may be taken after that. */
  end(): void {
    for (const [rendition, reception] of this.#receptions.entries()) {
      this.#recovery?.removeReceiver(this.trackId, rendition);
      reception?.history?.clear();
    }
  }

  counters(): TrackCounters {
    const dropped: Record<DepacketizerDrop, number> = { ...new Depacketizer().dropped };
    let lost = 0;
    let recovered = 0;
    for (const reception of this.#receptions) {
      if (reception === undefined) continue;
      lost += reception.blocks.lost;
      recovered += reception.receiver?.counters.recovered ?? 0;
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
