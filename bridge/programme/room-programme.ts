/**
 * The programme of a real room: a hidden member that subscribes to every sound and to the picture that is shown, and has them mixed and
 * switched (composition.ts), a fixed time behind what is captured. Programmes of single participants are made of what comes to the same member.
 */
import type { Timer } from "../../core/clock.ts";
import type { AccessUnit } from "../../core/delivery/access-unit.ts";
import type { ParticipantEvent } from "../../core/participant/events.ts";
import type { Participant } from "../../core/participant/participant-api.ts";
import type { ProgrammeSpec } from "../../core/wire/bridge-jobs.ts";
import type { ParticipantInfo, TrackOffer } from "../../core/wire/room-model.ts";
import { GridPictures } from "../grid/grid-pictures.ts";
import { ENCODE_LEAD_US, GRID_DELAY_US } from "../grid/limits.ts";
import type { PictureCodecs } from "../grid/picture-codec.ts";
import { type RoomAccess, RoomMember } from "../room/room-member.ts";
import { Composition, type CompositionOptions, canBeMixed } from "./composition.ts";
import { HeldTracks } from "./held-tracks.ts";
import { LeftPictures } from "./left-pictures.ts";
import { canBeShown } from "./open-pictures.ts";
import { PictureSwitch } from "./picture-switch.ts";
import {
  BLOCK_US,
  type HeldProgramme,
  type ProgrammeSink,
  type Speaker,
  type WholeProgramme,
} from "./programme.ts";
import type { PictureRequests, RoomPictures } from "./room-pictures.ts";
import type { FreeableDecoder } from "./sound-mix.ts";

/** How far behind capture a programme is: time for networks, repair, and encoders that look ahead. */
const DELAY_US = 500_000;
/** A process that was held up for longer goes on from now; the sinks get a hole. */
const MAX_CATCH_UP_US = 5_000_000;
/** A speaker's picture is chosen anew every 100 ms. */
const BLOCKS_A_LOOK = 5;
/** People whose names are kept for lists; further ones are not named. */
const MAX_NAMED = 1_000;

export interface RoomProgrammeOptions {
  room: string;
  /** Unique in the room; hidden from the others. */
  identity: string;
  spec: ProgrammeSpec;
  access: RoomAccess;
  openDecoder(): FreeableDecoder;
  /** For a grid. */
  codecs: PictureCodecs;
  log(line: string): void;
}

interface Alone {
  composition: Composition;
  holders: number;
}

export class RoomProgramme implements WholeProgramme {
  readonly room: string;
  readonly delayMs: number;
  readonly keyframeLeadMs: number;
  readonly #options: RoomProgrammeOptions;
  readonly #delayUs: number;
  readonly #member: RoomMember;
  readonly #tracks: HeldTracks;
  readonly #whole: Composition;
  readonly #left: LeftPictures;
  /** Of single participants, by identity. */
  readonly #alone = new Map<string, Alone>();
  readonly #named = new Map<string, Speaker>();
  #speakers: readonly string[] = [];
  #publishers: readonly Speaker[] = [];
  #timer: Timer | undefined;
  /** Of the next block; undefined before the first. */
  #nextUs: number | undefined;
  #blocks = 0;
  #over = false;

  constructor(options: RoomProgrammeOptions) {
    const { room, identity, spec, access, log } = options;
    this.room = room;
    this.#options = options;
    const isGrid = spec.picture.mode === "grid";
    this.#delayUs = DELAY_US + (isGrid ? GRID_DELAY_US : 0);
    this.delayMs = this.#delayUs / 1_000;
    this.keyframeLeadMs = isGrid ? ENCODE_LEAD_US / 1_000 : this.delayMs;
    this.#left = new LeftPictures((line) => log(`bridge in ${room}: ${line}`));
    this.#tracks = new HeldTracks({
      participant: () => this.#member.participant,
      playoutDelayMs: DELAY_US / 1_000,
      onRefused: (trackId, error) => log(`bridge gets no track ${trackId} of ${room}: ${String(error)}`),
    });
    this.#whole = this.#compose({
      gainsDb: spec.gainsDb,
      keyframeLeadMs: this.keyframeLeadMs,
      openPictures: (requests) => this.#openPictures(requests),
      hears: () => true,
      participants: () => [...this.#named.values()],
    });
    this.#member = new RoomMember(room, { identity, name: "Bridge" }, access, {
      onJoined: (participant) => this.#onJoined(participant),
      onReconnecting: (reason) => log(`bridge lost its relay in ${room}: ${reason}`),
      onBack: () => log(`bridge is back in ${room}`),
      onClosed: (_code, reason) => this.#end(reason),
      onEvent: (event) => this.#onEvent(event),
      onAccessUnit: (trackId, unit) => this.#onUnit(trackId, unit),
    });
  }

  #openPictures(requests: PictureRequests): RoomPictures {
    const { spec, room, codecs, log } = this.#options;
    if (spec.picture.mode !== "grid") return new PictureSwitch(spec.picture, requests);
    const delayUs = this.#delayUs;
    return new GridPictures({ codecs, requests, delayUs, log: (line) => log(`grid of ${room}: ${line}`) });
  }

  /** Enters the room. Rejects with GatewayError when there is no way in. */
  async start(): Promise<void> {
    await this.#member.enter();
    this.#timer = this.#options.access.clock.after(0, () => this.#tick());
  }

  async stop(): Promise<void> {
    this.#end("nobody needs it any more");
    await this.#member.leave();
  }

  /** Nothing comes of it any more. */
  get isOver(): boolean {
    return this.#over;
  }

  /** Sound that was not mixed, and pictures that were left out so far. */
  get counts() {
    const { late, overflow, undecodable, "too-many": tooMany } = this.#whole.left;
    return {
      "dropped/programme/late": late,
      "dropped/programme/overflow": overflow,
      "dropped/programme/undecodable": undecodable,
      "dropped/programme/too-many": tooMany,
      "dropped/programme/codec": this.#left.counts.codec,
      "dropped/programme/encrypted": this.#left.counts.encrypted,
    };
  }

  get hasPicture(): boolean {
    return this.#whole.hasPicture;
  }

  get problem(): string {
    return this.#whole.problem || this.#left.problem;
  }

  get participants(): readonly Speaker[] {
    return this.#whole.participants;
  }

  add(sink: ProgrammeSink): () => void {
    if (this.#speakers.length > 0) sink.onSpeakers?.(this.#speakingNow());
    if (this.#publishers.length > 0) sink.onPublishers?.(this.#publishers);
    return this.#whole.add(sink);
  }

  requestKeyframe(): void {
    this.#whole.requestKeyframe();
  }

  holdParticipant(identity: string): HeldProgramme {
    const alone = this.#alone.get(identity) ?? this.#openAlone(identity);
    alone.holders += 1;
    let isHeld = true;
    const release = (): void => {
      if (!isHeld) return;
      isHeld = false;
      if (--alone.holders > 0 || this.#alone.get(identity) !== alone) return;
      this.#alone.delete(identity);
      this.#endAlone(identity, alone.composition);
    };
    return { programme: alone.composition, release };
  }

  #openAlone(identity: string): Alone {
    const composition = this.#compose({
      gainsDb: {},
      keyframeLeadMs: this.delayMs,
      openPictures: (requests) => new PictureSwitch({ mode: "camera", identity }, requests),
      waitsForPicture: true,
      hears: (who, { source }) => who === identity && source === "microphone",
      participants: () => [this.#named.get(identity) ?? []].flat(),
    });
    const alone = { composition, holders: 0 };
    this.#alone.set(identity, alone);
    const people = this.#member.participant?.participants;
    const info = people?.get(identity);
    if (info !== undefined) composition.openSounds(info);
    if (people !== undefined) composition.choose(people.values(), this.#speakers);
    return alone;
  }

  #endAlone(identity: string, composition: Composition): void {
    this.#options.log(`programme of ${identity} in ${this.room} ended: ${composition.end()}`);
  }

  #compose(
    what: Omit<
      CompositionOptions,
      "room" | "delayMs" | "tracks" | "requestKeyframe" | "openDecoder" | "nowUs"
    >,
  ): Composition {
    const { room, delayMs } = this;
    const { openDecoder, access } = this.#options;
    return new Composition({
      ...what,
      room,
      delayMs,
      tracks: this.#tracks,
      requestKeyframe: (trackId, rendition) => this.#member.participant?.requestKeyframe(trackId, rendition),
      openDecoder,
      nowUs: () => access.clock.nowUs(),
    });
  }

  *#compositions(): Iterable<Composition> {
    yield this.#whole;
    for (const { composition } of this.#alone.values()) yield composition;
  }

  #onJoined(participant: Participant): void {
    for (const composition of this.#compositions()) composition.reset();
    this.#tracks.reset();
    for (const info of participant.participants.values()) this.#openSounds(info);
    this.#look();
  }

  #onEvent(event: ParticipantEvent): void {
    switch (event.type) {
      case "participant-joined":
        this.#openSounds(event.participant);
        break;
      case "track-published":
        this.#openSounds(this.#member.participant?.participants.get(event.identity));
        break;
      case "track-unpublished":
        this.#closeSoon();
        break;
      case "speakers":
        this.#speakers = event.speakers.map(({ identity }) => identity);
        this.#whole.sinks.onSpeakers(this.#speakingNow());
        break;
      case "participant-left":
        this.#closeSoon();
        break;
    }
    this.#look();
  }

  #openSounds(info: ParticipantInfo | undefined): void {
    if (info === undefined) return;
    for (const composition of this.#compositions()) composition.openSounds(info);
  }

  /** The programme has yet to come to the end of what was said. */
  #closeSoon(): void {
    this.#options.access.clock.after(this.delayMs, () => this.#closeGone());
  }

  #closeGone(): void {
    const there = new Set<number>();
    for (const { tracks } of this.#member.participant?.participants.values() ?? []) {
      for (const { trackId } of tracks) there.add(trackId);
    }
    for (const composition of this.#compositions()) composition.closeGone(there);
  }

  #onUnit(trackId: number, unit: AccessUnit): void {
    if (unit.encrypted) return;
    for (const composition of this.#compositions()) composition.push(trackId, unit);
  }

  /** Names who is there and who publishes, and chooses the pictures. */
  #look(): void {
    const people = this.#member.participant?.participants;
    if (people === undefined) return;
    for (const { identity, name } of people.values()) {
      if (this.#named.size < MAX_NAMED) this.#named.set(identity, { identity, name });
    }
    for (const composition of this.#compositions()) composition.choose(people.values(), this.#speakers);
    this.#left.look(people.values(), this.#options.access.clock.nowUs());
    const publishers = [...people.values()].filter(({ tracks }) => tracks.some(({ offer }) => isOwn(offer)));
    if (isSame(publishers, this.#publishers)) return;
    this.#publishers = publishers.map(({ identity, name }) => ({ identity, name }));
    this.#whole.sinks.onPublishers(this.#publishers);
  }

  #speakingNow(): Speaker[] {
    return this.#speakers.flatMap((identity) => this.#named.get(identity) ?? []);
  }

  #tick(): void {
    if (this.#over) return;
    const { clock } = this.#options.access;
    const untilUs = this.#member.roomNowUs - this.#delayUs;
    if (this.#nextUs === undefined || untilUs - this.#nextUs > MAX_CATCH_UP_US)
      this.#nextUs = Math.round(untilUs - BLOCK_US);
    while (this.#nextUs + BLOCK_US <= untilUs) {
      this.#emit(this.#nextUs);
      this.#nextUs += BLOCK_US;
    }
    const waitUs = this.#nextUs + BLOCK_US - untilUs;
    this.#timer = clock.after(Math.max(1, waitUs / 1_000), () => this.#tick());
  }

  #emit(timeUs: number): void {
    if (this.#blocks++ % BLOCKS_A_LOOK === 0) this.#look();
    for (const composition of this.#compositions()) composition.emit(timeUs);
  }

  #end(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#timer?.cancel();
    for (const [identity, { composition }] of this.#alone) this.#endAlone(identity, composition);
    this.#alone.clear();
    this.#options.log(`programme of ${this.room} ended: ${reason}; ${this.#whole.end()}`);
  }
}

/** What a programme of a single participant is made of. */
function isOwn(offer: TrackOffer): boolean {
  const isMicrophone = offer.source === "microphone" && canBeMixed(offer);
  return isMicrophone || (offer.source === "camera" && canBeShown(offer));
}

function isSame(one: readonly Speaker[], other: readonly Speaker[]): boolean {
  return one.length === other.length && one.every(({ identity }, at) => identity === other[at]?.identity);
}
