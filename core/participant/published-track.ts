/** A track that this participant sends: access units in, datagrams on the link out. */
import type { AccessUnit } from "../delivery/access-unit.ts";
import { AudioRedundancy } from "../delivery/audio-redundancy.ts";
import type { PacedSink, Pacer } from "../delivery/congestion/pacer.ts";
import { Packetizer } from "../delivery/packetizer.ts";
import { BlockHistory } from "../delivery/recovery/block-history.ts";
import type { RepairSender } from "../delivery/recovery/repair-sender.ts";
import type { BlockPool } from "../delivery/reed-solomon/block-pool.ts";
import type { HopRecovery } from "../session/hop-recovery.ts";
import type { Link } from "../session/link.ts";
import {
  DATAGRAM_MEDIA,
  FLAG_BLOCK_END,
  HOP_HEADER_BYTES,
  MEDIA_HEADER_BYTES,
  mediaBlockOf,
  mediaFlagsOf,
  mediaRenditionOf,
  mediaSymbolOf,
} from "../wire/datagram.ts";
import type { TrackOffer } from "../wire/room-model.ts";
import type { PublishedTrack, TrackCounters } from "./participant-api.ts";
import type { EncodedRendition } from "./send-rate.ts";

/** What a published track asks of the participant that owns it. */
export interface TrackRequests {
  mute(trackId: number, muted: boolean): Promise<void>;
  unpublish(trackId: number): Promise<void>;
}

/** What the relay says of those who receive a track. */
interface Audience {
  repairWithinMs: number;
  loss: number;
  burstMs: number;
}

/** Assumed until the relay says how much time subscribers leave to this hop. */
const FIRST_REPAIR_WITHIN_MS = 120;

/** What one rendition needs to be sent: block numbers are its own. */
interface Rendition extends EncodedRendition {
  limitBps: number | undefined;
  bytes: number;
  packetizer: Packetizer;
  history: BlockHistory;
  repair: RepairSender;
}

/** What all tracks of a participant share. */
export interface TrackRoad {
  link: Link;
  recovery: HopRecovery;
  pool: BlockPool;
  pacer: Pacer;
}

export class LocalPublishedTrack implements PublishedTrack, PacedSink {
  readonly trackId: number;
  readonly offer: TrackOffer;
  readonly #link: Link;
  readonly #maxDatagramBytes: number;
  readonly #requests: TrackRequests;
  readonly #recovery: HopRecovery;
  readonly #pacer: Pacer;
  readonly #renditions: Rendition[];
  readonly #redundancy: AudioRedundancy | undefined;
  #datagrams = 0;
  #lost = 0;
  /** Something was lost since the last unit was taken. */
  #lostLater = false;
  #units = 0;

  constructor(
    trackId: number,
    offer: TrackOffer,
    { link, recovery, pool, pacer }: TrackRoad,
    maxMediaDatagramBytes: number,
    requests: TrackRequests,
  ) {
    this.trackId = trackId;
    this.offer = offer;
    this.#link = link;
    this.#maxDatagramBytes = maxMediaDatagramBytes;
    this.#requests = requests;
    this.#recovery = recovery;
    this.#pacer = pacer;
    this.#redundancy = offer.kind === "audio" ? new AudioRedundancy() : undefined;
    const isPicture = offer.kind === "video";
    const renditions = isPicture ? offer.renditions.length : 1;
    this.#renditions = Array.from({ length: renditions }, (_, index) => {
      const history = new BlockHistory(pool);
      const repair = recovery.addSender(trackId, index, history, FIRST_REPAIR_WITHIN_MS, isPicture);
      const fullBps = isPicture ? offer.renditions[index]!.maxBitrateBps : 0;
      const packetizer = new Packetizer(trackId);
      return {
        trackId,
        rendition: index,
        fullBps,
        limitBps: undefined,
        bytes: 0,
        packetizer,
        history,
        repair,
      };
    });
  }

  send(unit: AccessUnit): boolean {
    const rendition = this.#renditions[unit.rendition];
    if (rendition === undefined) {
      throw new RangeError(
        `rendition ${unit.rendition} was not offered; the track has ${this.#renditions.length}`,
      );
    }
    const limit = Math.min(this.#maxDatagramBytes, this.#link.session.maxDatagramBytes);
    const room = limit - HOP_HEADER_BYTES - MEDIA_HEADER_BYTES;
    const wrapped = this.#redundancy?.wrap(unit, room, this.#recovery.outbound);
    const carried = wrapped === undefined ? unit : { ...unit, bytes: wrapped };
    const lostBefore = this.#lost;
    const { history } = rendition;
    rendition.packetizer.push(carried, limit, wrapped !== undefined, (datagram) => {
      this.#keep(history, datagram);
      if (this.offer.kind === "audio") this.sendPaced(datagram);
      else if (!this.#pacer.push(datagram, this)) this.#lost++;
    });
    this.#units++;
    const whole = this.#lost === lostBefore && !this.#lostLater;
    this.#lostLater = false;
    return whole;
  }

  #keep(history: BlockHistory, datagram: Uint8Array): void {
    const block = mediaBlockOf(datagram);
    const symbol = mediaSymbolOf(datagram);
    history.addSource(block, symbol, datagram, HOP_HEADER_BYTES, this.#link.nowUs());
    if ((mediaFlagsOf(datagram) & FLAG_BLOCK_END) !== 0) history.find(block)?.setSourceCount(symbol + 1);
  }

  /** Sends a datagram whose turn has come. */
  sendPaced(datagram: Uint8Array): void {
    const nowUs = this.#link.nowUs();
    this.#datagrams++;
    const rendition = this.#renditions[mediaRenditionOf(datagram)]!;
    rendition.bytes += datagram.length;
    const spare = this.offer.kind === "video";
    if (this.#link.send(DATAGRAM_MEDIA, datagram, HOP_HEADER_BYTES, spare, nowUs) !== undefined) {
      this.#lost++;
      this.#lostLater = true;
      return;
    }
    rendition.repair.onSent(
      mediaBlockOf(datagram),
      mediaSymbolOf(datagram),
      mediaFlagsOf(datagram),
      datagram.length,
      nowUs,
    );
  }

  /** The relay says within which time repair of this track is of use to it, and what subscribers' hops lose. */
  setAudience({ repairWithinMs, loss, burstMs }: Audience): void {
    for (const { repair } of this.#renditions) repair.playoutDelayMs = repairWithinMs;
    this.#redundancy?.setBeyond({ loss, burstMs });
  }

  /** The relay says what subscribers' networks carry. */
  setLimit({ rendition, limitBps }: { rendition: number; limitBps: number | null }): void {
    const limited = this.#renditions[rendition];
    if (limited !== undefined) limited.limitBps = limitBps ?? undefined;
  }

  get audioBytes(): number {
    return this.offer.kind === "audio" ? this.counters().bytes : 0;
  }

  /** Its renditions, if they are pictures. */
  get encoded(): readonly EncodedRendition[] {
    return this.offer.kind === "video" ? this.#renditions : [];
  }

  /** What was sent while the track was muted must not come after all, in repair or as a copy. */
  forget(): void {
    this.#redundancy?.clear();
    this.#pacer.cancel(this);
    for (const { history } of this.#renditions) history.clear();
  }

  /** Gives memory back; nothing may be sent after that. */
  end(): void {
    this.#pacer.cancel(this);
    for (const [index, { history }] of this.#renditions.entries()) {
      this.#recovery.removeSender(this.trackId, index);
      history.clear();
    }
  }

  setMuted(muted: boolean): Promise<void> {
    return this.#requests.mute(this.trackId, muted);
  }

  unpublish(): Promise<void> {
    return this.#requests.unpublish(this.trackId);
  }

  counters(): TrackCounters {
    return {
      bytes: this.#renditions.reduce((sum, { bytes }) => sum + bytes, 0),
      datagrams: this.#datagrams,
      datagramsLost: this.#lost,
      datagramsRecovered: 0,
      accessUnits: this.#units,
      dropped: undefined,
    };
  }
}
