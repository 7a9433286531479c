/**
 * The programme of a real room: a hidden member that subscribes to every sound and to the picture that is shown, mixes and switches, and
 * hands the result to sinks, a fixed time behind what is captured.
 */
import type { Timer } from "../../core/clock.ts";
import type { AccessUnit } from "../../core/delivery/access-unit.ts";
import type { ParticipantEvent } from "../../core/participant/events.ts";
import type { Participant } from "../../core/participant/participant-api.ts";
import type { ProgrammeSpec } from "../../core/wire/bridge-jobs.ts";
import { GridPictures } from "../grid/grid-pictures.ts";
import { ENCODE_LEAD_US, GRID_DELAY_US } from "../grid/limits.ts";
import type { PictureCodecs } from "../grid/picture-codec.ts";
import { type RoomAccess, RoomMember } from "../room/room-member.ts";
import { PictureSwitch } from "./picture-switch.ts";
import { BLOCK_US, type Programme, type ProgrammeSink, type Speaker } from "./programme.ts";
import type { PictureRequests, RoomPictures } from "./room-pictures.ts";
import { SinkList } from "./sink-list.ts";
import { type FreeableDecoder, SoundMix } from "./sound-mix.ts";

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

export class RoomProgramme implements Programme {
  readonly room: string;
  readonly delayMs: number;
  readonly keyframeLeadMs: number;
  readonly #options: RoomProgrammeOptions;
  readonly #delayUs: number;
  readonly #member: RoomMember;
  readonly #mix: SoundMix;
  readonly #pictures: RoomPictures;
  readonly #sinks = new SinkList();
  readonly #named = new Map<string, Speaker>();
  #speakers: readonly string[] = [];
  #timer: Timer | undefined;
  /** Of the next block; undefined before the first. */
  #nextUs: number | undefined;
  #blocks = 0;
  #over = false;

  constructor(options: RoomProgrammeOptions) {
    const { room, identity, spec, access, openDecoder } = options;
    this.room = room;
    this.#options = options;
    this.#mix = new SoundMix(openDecoder, spec.gainsDb);
    const isGrid = spec.picture.mode === "grid";
    this.#delayUs = DELAY_US + (isGrid ? GRID_DELAY_US : 0);
    this.delayMs = this.#delayUs / 1_000;
    this.keyframeLeadMs = isGrid ? ENCODE_LEAD_US / 1_000 : this.delayMs;
    this.#pictures = this.#openPictures();
    this.#member = new RoomMember(room, { identity, name: "Bridge" }, access, {
      onJoined: (participant) => this.#onJoined(participant),
      onReconnecting: (reason) => options.log(`bridge lost its relay in ${room}: ${reason}`),
      onBack: () => options.log(`bridge is back in ${room}`),
      onClosed: (_code, reason) => this.#end(reason),
      onEvent: (event) => this.#onEvent(event),
      onAccessUnit: (trackId, unit) => this.#onUnit(trackId, unit),
    });
  }

  #openPictures(): RoomPictures {
    const { spec, room, codecs, log } = this.#options;
    const requests: PictureRequests = {
      subscribe: (trackId, rendition) => this.#subscribe(trackId, rendition),
      unsubscribe: (trackId) => void this.#member.participant?.unsubscribe(trackId).catch(() => undefined),
      requestKeyframe: (trackId, rendition) => this.#member.participant?.requestKeyframe(trackId, rendition),
    };
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

  get hasPicture(): boolean {
    return this.#pictures.isShowing;
  }

  get problem(): string {
    return this.#pictures.problem;
  }

  get participants(): readonly Speaker[] {
    return [...this.#named.values()];
  }

  add(sink: ProgrammeSink): () => void {
    this.#pictures.requestKeyframe();
    if (this.#speakers.length > 0) sink.onSpeakers?.(this.#speakingNow());
    return this.#sinks.add(sink);
  }

  requestKeyframe(): void {
    this.#pictures.requestKeyframe(this.#options.access.clock.nowUs());
  }

  #onJoined(participant: Participant): void {
    for (const trackId of [...this.#mix.trackIds]) this.#mix.close(trackId);
    this.#pictures.reset();
    for (const { identity, tracks } of participant.participants.values()) {
      for (const track of tracks) this.#openSound(identity, track.trackId);
    }
    this.#look();
  }

  #onEvent(event: ParticipantEvent): void {
    switch (event.type) {
      case "participant-joined":
        for (const { trackId } of event.participant.tracks)
          this.#openSound(event.participant.identity, trackId);
        break;
      case "track-published":
        this.#openSound(event.identity, event.track.trackId);
        break;
      case "track-unpublished":
        this.#closeSoon();
        break;
      case "speakers":
        this.#speakers = event.speakers.map(({ identity }) => identity);
        this.#sinks.onSpeakers(this.#speakingNow());
        break;
      case "participant-left":
        this.#closeSoon();
        break;
    }
    this.#look();
  }

  #openSound(identity: string, trackId: number): void {
    const info = this.#member.participant?.participants.get(identity);
    const offer = info?.tracks.find((track) => track.trackId === trackId)?.offer;
    if (offer?.kind !== "audio" || offer.encrypted || offer.codec !== "opus" || this.#mix.has(trackId))
      return;
    if (this.#mix.open(trackId, identity, offer.frameDurationUs)) this.#subscribe(trackId);
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
    for (const trackId of [...this.#mix.trackIds]) if (!there.has(trackId)) this.#mix.close(trackId);
  }

  #subscribe(trackId: number, rendition = 0): void {
    const options = { rendition, playoutDelayMs: DELAY_US / 1_000 };
    this.#member.participant?.subscribe(trackId, options).catch((error: unknown) => {
      this.#options.log(`bridge gets no track ${trackId} of ${this.room}: ${String(error)}`);
    });
  }

  #onUnit(trackId: number, unit: AccessUnit): void {
    if (unit.encrypted) return;
    if (!this.#mix.push(trackId, unit))
      this.#pictures.push(trackId, unit, this.#options.access.clock.nowUs());
  }

  /** Names who is there, and chooses the picture. */
  #look(): void {
    const people = this.#member.participant?.participants;
    if (people === undefined) return;
    for (const { identity, name } of people.values()) {
      if (this.#named.size < MAX_NAMED) this.#named.set(identity, { identity, name });
    }
    this.#pictures.choose(people.values(), this.#speakers, this.#options.access.clock.nowUs());
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
    const block = this.#mix.next(timeUs);
    if (block !== undefined) this.#sinks.onSound(block);
    this.#pictures.emit(timeUs, this.#options.access.clock.nowUs(), (unit) => this.#sinks.onPicture(unit));
  }

  #end(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#timer?.cancel();
    this.#mix.closeAll();
    this.#pictures.close();
    const { leftOut, dropped } = this.#mix;
    this.#options.log(
      `programme of ${this.room} ended: ${reason}; sounds left out ${leftOut}, units late ${dropped.late}, too many ${dropped.overflow}, not decodable ${dropped.undecodable}${this.#pictures.summary}`,
    );
    this.#sinks.onEnd();
  }
}
