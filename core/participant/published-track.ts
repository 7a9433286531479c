/** A track that this participant sends: access units in, datagrams on the link out. */
import type { AccessUnit } from "../delivery/access-unit.ts";
import { Packetizer } from "../delivery/packetizer.ts";
import type { Link } from "../session/link.ts";
import { DATAGRAM_MEDIA, HOP_HEADER_BYTES } from "../wire/datagram.ts";
import type { TrackOffer } from "../wire/room-model.ts";
import type { PublishedTrack, TrackCounters } from "./participant-api.ts";

/** What a published track asks of the participant that owns it. */
export interface TrackRequests {
  mute(trackId: number, muted: boolean): Promise<void>;
  unpublish(trackId: number): Promise<void>;
}

export class LocalPublishedTrack implements PublishedTrack {
  readonly trackId: number;
  readonly offer: TrackOffer;
  readonly #link: Link;
  readonly #maxDatagramBytes: number;
  readonly #requests: TrackRequests;
  /** One per rendition: block numbers are the rendition's own. */
  readonly #packetizers: Packetizer[];
  #bytes = 0;
  #datagrams = 0;
  #lost = 0;
  #units = 0;

  constructor(
    trackId: number,
    offer: TrackOffer,
    link: Link,
    maxMediaDatagramBytes: number,
    requests: TrackRequests,
  ) {
    this.trackId = trackId;
    this.offer = offer;
    this.#link = link;
    this.#maxDatagramBytes = maxMediaDatagramBytes;
    this.#requests = requests;
    const renditions = offer.kind === "video" ? offer.renditions.length : 1;
    this.#packetizers = Array.from({ length: renditions }, () => new Packetizer(trackId));
  }

  send(unit: AccessUnit): boolean {
    const packetizer = this.#packetizers[unit.rendition];
    if (packetizer === undefined) {
      throw new RangeError(
        `rendition ${unit.rendition} was not offered; the track has ${this.#packetizers.length}`,
      );
    }
    const limit = Math.min(this.#maxDatagramBytes, this.#link.session.maxDatagramBytes);
    const spare = this.offer.kind === "video";
    let whole = true;
    packetizer.push(unit, limit, false, (datagram) => {
      this.#datagrams++;
      this.#bytes += datagram.length;
      if (this.#link.send(DATAGRAM_MEDIA, datagram, HOP_HEADER_BYTES, spare) !== undefined) {
        this.#lost++;
        whole = false;
      }
    });
    this.#units++;
    return whole;
  }

  setMuted(muted: boolean): Promise<void> {
    return this.#requests.mute(this.trackId, muted);
  }

  unpublish(): Promise<void> {
    return this.#requests.unpublish(this.trackId);
  }

  counters(): TrackCounters {
    return {
      bytes: this.#bytes,
      datagrams: this.#datagrams,
      datagramsLost: this.#lost,
      datagramsRecovered: 0,
      accessUnits: this.#units,
      dropped: undefined,
    };
  }
}
