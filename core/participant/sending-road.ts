/** One road of a published track: its datagrams on the link of one session, paced and repaired there. */
import type { PacedSink } from "../delivery/congestion/pacer.ts";
import type { BlockHistory } from "../delivery/recovery/block-history.ts";
import type { RepairSender } from "../delivery/recovery/repair-sender.ts";
import {
  DATAGRAM_MEDIA,
  HOP_HEADER_BYTES,
  mediaBlockOf,
  mediaFlagsOf,
  mediaRenditionOf,
  mediaSymbolOf,
} from "../wire/datagram.ts";
import type { Road } from "./road.ts";

/** The track that is sent; its histories are the same on all of its roads. */
export interface SentTrack {
  readonly trackId: number;
  readonly isPicture: boolean;
  readonly histories: readonly BlockHistory[];
  readonly repairWithinMs: number;
  /** A datagram's turn came on this road; `taken` = the link has it. */
  noteSent(road: SendingRoad, rendition: number, bytes: number, taken: boolean): void;
}

export class SendingRoad implements PacedSink {
  readonly road: Road;
  readonly #track: SentTrack;
  readonly #trackId: number;
  readonly #repairs: readonly RepairSender[];

  constructor(road: Road, track: SentTrack) {
    this.road = road;
    this.#track = track;
    const { trackId, isPicture, histories, repairWithinMs } = track;
    this.#trackId = trackId;
    this.#repairs = histories.map((history, rendition) =>
      road.recovery.addSender(trackId, rendition, history, repairWithinMs, isPicture),
    );
  }

  /** Sends pictures when their turn comes, sound now. Returns false when too many datagrams wait already. */
  send(datagram: Uint8Array): boolean {
    if (this.#track.isPicture) return this.road.pacer.push(datagram, this);
    this.sendPaced(datagram);
    return true;
  }

  sendPaced(datagram: Uint8Array): void {
    const { link } = this.road;
    const nowUs = link.nowUs();
    const rendition = mediaRenditionOf(datagram);
    const { length } = datagram;
    const taken =
      link.send(DATAGRAM_MEDIA, datagram, HOP_HEADER_BYTES, this.#track.isPicture, nowUs) === undefined;
    this.#track.noteSent(this, rendition, length, taken);
    if (!taken) return;
    const flags = mediaFlagsOf(datagram);
    this.#repairs[rendition]!.onSent(mediaBlockOf(datagram), mediaSymbolOf(datagram), flags, length, nowUs);
  }

  /** Repair is of use at the other end for so long. */
  setRepairWithin(delayMs: number): void {
    for (const repair of this.#repairs) repair.playoutDelayMs = delayMs;
  }

  /** What waits for its turn is not sent. */
  cancel(): void {
    this.road.pacer.cancel(this);
  }

  /** Nothing is sent or repaired any more. */
  end(): void {
    this.cancel();
    for (const rendition of this.#repairs.keys()) this.road.recovery.removeSender(this.#trackId, rendition);
  }
}
