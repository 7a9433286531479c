/** A track that this participant receives: datagrams in, access units out, with counters. */
import type { AccessUnit } from "../delivery/access-unit.ts";
import { Depacketizer } from "../delivery/depacketizer.ts";
import { HOP_HEADER_BYTES, mediaRenditionOf } from "../wire/datagram.ts";
import type { TrackCounters } from "./participant-api.ts";

export class SubscribedTrack {
  readonly trackId: number;
  /** Subscribe requests that the relay has not answered, and whether it has agreed to one. */
  waitingAnswers = 0;
  accepted = false;
  readonly #emit: (unit: AccessUnit) => void;
  #depacketizer = new Depacketizer();
  #rendition = 0;
  #bytes = 0;
  #datagrams = 0;
  #units = 0;
  #block = -1;
  #blockReceived = 0;
  #blockHighest = -1;
  #lost = 0;

  constructor(trackId: number, emit: (unit: AccessUnit) => void) {
    this.trackId = trackId;
    this.#emit = (unit) => {
      this.#units++;
      emit(unit);
    };
  }

  /** Takes one media datagram of this track, hop header included. */
  push(datagram: Uint8Array): void {
    const rendition = mediaRenditionOf(datagram);
    if (rendition !== this.#rendition) {
      // A simulcast switch: the other rendition numbers its units by itself.
      this.#rendition = rendition;
      this.#depacketizer = new Depacketizer();
      this.#block = -1;
    }
    this.#datagrams++;
    this.#bytes += datagram.length;
    this.#count(datagram);
    this.#depacketizer.push(datagram, this.#emit);
  }

  /** Loss by the track's own numbering: whole blocks skipped count once, holes in a block one by one. */
  #count(datagram: Uint8Array): void {
    const block = (datagram[HOP_HEADER_BYTES + 20]! << 8) | datagram[HOP_HEADER_BYTES + 21]!;
    const index = datagram[HOP_HEADER_BYTES + 22]!;
    const ahead = this.#block < 0 ? 1 : ((block - this.#block) << 16) >> 16;
    if (ahead < 0) {
      this.#lost = Math.max(0, this.#lost - 1);
      return;
    }
    if (ahead > 0) {
      if (this.#block >= 0) this.#lost += ahead - 1;
      this.#block = block;
      this.#blockReceived = 0;
      this.#blockHighest = -1;
    }
    const holesBefore = this.#blockHighest + 1 - this.#blockReceived;
    this.#blockReceived++;
    this.#blockHighest = Math.max(this.#blockHighest, index);
    this.#lost += this.#blockHighest + 1 - this.#blockReceived - holesBefore;
  }

  counters(): TrackCounters {
    return {
      bytes: this.#bytes,
      datagrams: this.#datagrams,
      datagramsLost: this.#lost,
      datagramsRecovered: 0,
      accessUnits: this.#units,
      dropped: this.#depacketizer.dropped,
    };
  }
}
