/**
 * A track that this participant sends: access units in, the same media datagrams out on every road that is open. Numbering and
 * block history are the track's own and outlive sessions.
 */
import type { AccessUnit } from "../delivery/access-unit.ts";
import { AudioRedundancy, type Losses } from "../delivery/audio-redundancy.ts";
import { Packetizer } from "../delivery/packetizer.ts";
import { BlockHistory } from "../delivery/recovery/block-history.ts";
import {
  FLAG_BLOCK_END,
  HOP_HEADER_BYTES,
  MEDIA_HEADER_BYTES,
  mediaBlockOf,
  mediaFlagsOf,
  mediaSymbolOf,
} from "../wire/datagram.ts";
import { MAX_MEDIA_DATAGRAM_BYTES } from "../wire/limits.ts";
import type { TrackInfo, TrackOffer } from "../wire/room-model.ts";
import { commonPool } from "./common-pool.ts";
import type { PublishedTrack, TrackCounters } from "./participant-api.ts";
import type { Road } from "./road.ts";
import type { EncodedRendition } from "./send-rate.ts";
import { SendingRoad, type SentTrack } from "./sending-road.ts";

/** What a published track asks of the participant that owns it. */
export interface TrackRequests {
  mute(muted: boolean): Promise<void>;
  unpublish(): Promise<void>;
}

/** What the relay says of those who receive a track. */
interface Audience {
  repairWithinMs: number;
  loss: number;
  burstMs: number;
}

/** Assumed until the relay says how much time subscribers leave to this hop. */
const FIRST_REPAIR_WITHIN_MS = 120;
const NO_LOSSES: Losses = { loss: 0, burstMs: 0 };

/** What one rendition needs to be sent: block numbers are its own. */
interface Rendition extends EncodedRendition {
  trackId: number;
  limitBps: number | undefined;
  bytes: number;
  packetizer: Packetizer;
  history: BlockHistory;
}

export class LocalPublishedTrack implements PublishedTrack, SentTrack {
  readonly offer: TrackOffer;
  readonly isPicture: boolean;
  readonly histories: readonly BlockHistory[];
  repairWithinMs = FIRST_REPAIR_WITHIN_MS;
  /** It is being taken back: no session takes it along. */
  isEnding = false;
  readonly #requests: TrackRequests;
  readonly #renditions: Rendition[];
  readonly #redundancy: AudioRedundancy | undefined;
  /** The main one first: what it carries is what counters tell. */
  readonly #roads: SendingRoad[] = [];
  #trackId: number;
  /** While the relay has not answered. */
  #wishedMuted: boolean | undefined;
  #muteWishes = 0;
  #datagrams = 0;
  #lost = 0;
  /** Something was lost for which no keyframe has been asked yet. */
  #mustMend = false;
  /** Whether the link took what it was given last: before it does, a keyframe would be lost as well. */
  #isTaken = true;
  #units = 0;

  constructor(trackId: number, offer: TrackOffer, requests: TrackRequests) {
    this.#trackId = trackId;
    this.offer = { ...offer };
    this.#requests = requests;
    this.isPicture = offer.kind === "video";
    this.#redundancy = this.isPicture ? undefined : new AudioRedundancy();
    const count = offer.kind === "video" ? offer.renditions.length : 1;
    this.histories = Array.from({ length: count }, () => new BlockHistory(commonPool()));
    this.#renditions = this.histories.map((history, rendition) => ({
      trackId,
      rendition,
      fullBps: offer.kind === "video" ? offer.renditions[rendition]!.maxBitrateBps : 0,
      limitBps: undefined,
      bytes: 0,
      packetizer: new Packetizer(trackId),
      history,
    }));
  }

  get trackId(): number {
    return this.#trackId;
  }

  /** As a hello takes it along. */
  get info(): TrackInfo {
    return { trackId: this.#trackId, offer: { ...this.offer, muted: this.isMuted } };
  }

  /** As was wished last or, when that is answered, as the relay said last. */
  get isMuted(): boolean {
    return this.#wishedMuted ?? this.offer.muted;
  }

  /** The relay is about to be asked; `endWish` follows. */
  wishMuted(muted: boolean): void {
    this.#wishedMuted = muted;
    this.#muteWishes++;
  }

  endWish(): void {
    if (--this.#muteWishes === 0) this.#wishedMuted = undefined;
  }

  /** Sends over this road too, from the next unit on; it is the main one now. `isGap`: units before may not have arrived. */
  openRoad(road: Road, isGap: boolean): void {
    this.#roads.unshift(new SendingRoad(road, this));
    // Another relay says anew what it knows of subscribers.
    for (const rendition of this.#renditions) rendition.limitBps = undefined;
    this.#isTaken = true;
    if (isGap) this.#mustMend = true;
  }

  closeRoad(road: Road): void {
    const at = this.#roads.findIndex((sending) => sending.road === road);
    if (at >= 0) this.#roads.splice(at, 1)[0]!.end();
  }

  /** Goes on as another track, as the room sees it; on no road until one is opened. */
  renumber(trackId: number): void {
    for (const sending of this.#roads.splice(0)) sending.end();
    this.forget();
    this.#trackId = trackId;
    for (const rendition of this.#renditions) {
      rendition.trackId = trackId;
      rendition.packetizer = new Packetizer(trackId);
    }
  }

  send(unit: AccessUnit): boolean {
    const rendition = this.#renditions[unit.rendition];
    if (rendition === undefined) {
      throw new RangeError(
        `rendition ${unit.rendition} was not offered; the track has ${this.#renditions.length}`,
      );
    }
    const limit = this.#maxDatagramBytes;
    const room = limit - HOP_HEADER_BYTES - MEDIA_HEADER_BYTES;
    const outbound = this.#roads[0]?.road.recovery.outbound ?? NO_LOSSES;
    const wrapped = this.#redundancy?.wrap(unit, room, outbound);
    const carried = wrapped === undefined ? unit : { ...unit, bytes: wrapped };
    const { history } = rendition;
    rendition.packetizer.push(carried, limit, wrapped !== undefined, (datagram) =>
      this.#sendEverywhere(history, datagram),
    );
    this.#units++;
    const mend = this.#mustMend && this.#isTaken;
    if (mend) this.#mustMend = false;
    return !mend;
  }

  /** What all open roads carry: the media part is the same on each. */
  get #maxDatagramBytes(): number {
    let limit = MAX_MEDIA_DATAGRAM_BYTES;
    for (const { road } of this.#roads) limit = Math.min(limit, road.maxDatagramBytes);
    return limit;
  }

  #sendEverywhere(history: BlockHistory, datagram: Uint8Array): void {
    const roads = this.#roads;
    if (roads.length === 0) return this.#noteLost();
    const block = mediaBlockOf(datagram);
    const symbol = mediaSymbolOf(datagram);
    history.addSource(block, symbol, datagram, HOP_HEADER_BYTES, roads[0]!.road.link.nowUs());
    if ((mediaFlagsOf(datagram) & FLAG_BLOCK_END) !== 0) history.find(block)?.setSourceCount(symbol + 1);
    for (let i = 0; i < roads.length; i++) {
      if (!roads[i]!.send(datagram) && i === 0) this.#noteLost();
    }
  }

  noteSent(road: SendingRoad, rendition: number, bytes: number, taken: boolean): void {
    if (road !== this.#roads[0]) return;
    this.#datagrams++;
    this.#renditions[rendition]!.bytes += bytes;
    if (taken) this.#isTaken = true;
    else this.#noteLost();
  }

  #noteLost(): void {
    this.#lost++;
    this.#mustMend = true;
    this.#isTaken = false;
  }

  /** The relay says within which time repair of this track is of use to it, and what subscribers' hops lose. */
  setAudience({ repairWithinMs, loss, burstMs }: Audience): void {
    this.repairWithinMs = repairWithinMs;
    for (const sending of this.#roads) sending.setRepairWithin(repairWithinMs);
    this.#redundancy?.setBeyond({ loss, burstMs });
  }

  /** The relay says what subscribers' networks carry. */
  setLimit({ rendition, limitBps }: { rendition: number; limitBps: number | null }): void {
    const limited = this.#renditions[rendition];
    if (limited !== undefined) limited.limitBps = limitBps ?? undefined;
  }

  get audioBytes(): number {
    return this.isPicture ? 0 : this.#renditions[0]!.bytes;
  }

  /** Its renditions, if they are pictures. */
  get encoded(): readonly EncodedRendition[] {
    return this.isPicture ? this.#renditions : [];
  }

  /** It was muted or not, by us or by an admin. */
  noteMuted(muted: boolean): void {
    this.offer.muted = muted;
    this.forget();
  }

  /** What was sent while the track was muted must not come after all, in repair or as a copy. */
  forget(): void {
    this.#redundancy?.clear();
    for (const sending of this.#roads) sending.cancel();
    for (const history of this.histories) history.clear();
  }

  /** Gives memory back; nothing may be sent after that. */
  end(): void {
    for (const sending of this.#roads.splice(0)) sending.end();
    for (const history of this.histories) history.clear();
  }

  setMuted(muted: boolean): Promise<void> {
    return this.#requests.mute(muted);
  }

  unpublish(): Promise<void> {
    return this.#requests.unpublish();
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
