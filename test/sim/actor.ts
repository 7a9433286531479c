/** A person in a simulated run: joins, talks, listens, loses the network, comes back. Driven by test/sim/chaos.ts. */
import { every, type Random, type Timer } from "../../core/clock.ts";
import type { AccessUnit } from "../../core/delivery/access-unit.ts";
import type { ParticipantEvent } from "../../core/participant/events.ts";
import type { PublishedTrack } from "../../core/participant/participant-api.ts";
import type { NetworkOptions } from "../../core/session/network-path.ts";
import {
  CAMERA,
  MICROPHONE,
  type SimulatedCluster,
  type SimulatedMember,
  unitOf,
} from "./simulated-cluster.ts";
import type { Trace } from "./trace.ts";

const UNIT_INTERVAL_MS = 50;
/** A keyframe every so many units, asked for or not. */
const GOP_UNITS = 40;

interface Sending {
  track: PublishedTrack;
  timer: Timer;
  nextFrameId: number[];
  keyframeDue: boolean[];
}

/** What all actors of a run share. */
export interface Stage {
  cluster: SimulatedCluster;
  trace: Trace;
  /** Track id -> where it belongs; kept for ever, ids are not used twice. */
  tracks: Map<number, { room: string; publisher: string }>;
  /** Called with a sentence when something happened that must not. */
  fault(sentence: string): void;
}

export class Actor {
  readonly identity: string;
  readonly room: string;
  readonly units = new Map<number, number>();
  member: SimulatedMember | undefined;
  joining = false;
  readonly #stage: Stage;
  readonly #sending = new Map<number, Sending>();
  #session = 0;

  constructor(identity: string, room: string, stage: Stage) {
    this.identity = identity;
    this.room = room;
    this.#stage = stage;
  }

  get #random(): Random {
    return this.#stage.cluster.random;
  }

  #note(what: string): void {
    this.#stage.trace.add(`${this.#stage.cluster.clock.nowUs()} ${this.identity} ${what}`);
  }

  join(network: Partial<NetworkOptions>, relayId: string): void {
    if (this.joining || this.member !== undefined) return;
    this.joining = true;
    const session = ++this.#session;
    const { cluster } = this.#stage;
    cluster
      .join({
        identity: this.identity,
        room: this.room,
        relayId,
        network,
        onEvent: (event) => this.#onEvent(event, session),
        onAccessUnit: (trackId, unit) => this.#onUnit(trackId, unit),
      })
      .then(
        (member) => {
          this.joining = false;
          this.member = member;
          this.#note(`joined beside ${[...member.participant.participants.keys()].sort().join(",")}`);
        },
        (error: Error) => {
          this.joining = false;
          this.#note(`could not join: ${error.message}`);
        },
      );
  }

  #onEvent(event: ParticipantEvent, session: number): void {
    this.#note(JSON.stringify(event));
    if (session !== this.#session) return;
    if (event.type === "closed") this.#forget();
    if (event.type === "interrupted") this.#comeBack(session);
    if (event.type === "republished") this.#renumber(event.was, event.trackId);
    if (event.type === "unpublished") this.#stop(event.trackId);
    if (event.type === "keyframe-requested") {
      const sending = this.#sending.get(event.trackId);
      if (sending !== undefined) sending.keyframeDue[event.rendition] = true;
    }
  }

  /** Most go on after a while, some give up. */
  #comeBack(session: number): void {
    const { cluster } = this.#stage;
    cluster.clock.after(this.#random() * 3_000, () => {
      if (session !== this.#session) return;
      if (this.#random() < 0.2) this.leave();
      else this.move({}, () => this.#comeBack(session));
    });
  }

  #renumber(was: number, trackId: number): void {
    this.#stage.tracks.set(trackId, { room: this.room, publisher: this.identity });
    const sending = this.#sending.get(was);
    if (sending === undefined) return;
    this.#sending.delete(was);
    this.#sending.set(trackId, sending);
  }

  #stop(trackId: number): void {
    this.#sending.get(trackId)?.timer.cancel();
    this.#sending.delete(trackId);
  }

  #onUnit(trackId: number, unit: AccessUnit): void {
    const { tracks, fault } = this.#stage;
    const track = tracks.get(trackId);
    if (track === undefined || track.room !== this.room || track.publisher === this.identity) {
      fault(`${this.identity} in ${this.room} received track ${trackId}, which is not for it`);
    }
    const sent = unitOf(unit.frameId, 0, { size: unit.bytes.length });
    if (!sent.bytes.every((byte, i) => byte === unit.bytes[i])) {
      fault(`${this.identity} received unit ${unit.frameId} of track ${trackId} damaged`);
    }
    this.units.set(trackId, (this.units.get(trackId) ?? 0) + 1);
    this.#note(`unit ${trackId} ${unit.rendition} ${unit.frameId}`);
  }

  #forget(): void {
    for (const { timer } of this.#sending.values()) timer.cancel();
    this.#sending.clear();
    this.member = undefined;
    this.#session++;
  }

  /** A request whose failure is part of life: the answer is noted. */
  #ask(what: string, answer: Promise<unknown>): void {
    answer.then(
      () => this.#note(`${what}: done`),
      (error: Error) => this.#note(`${what}: ${error.message}`),
    );
  }

  publish(): void {
    const { member } = this;
    if (member === undefined || this.#sending.size >= 3) return;
    const offer = this.#random() < 0.5 ? CAMERA : MICROPHONE;
    member.participant.publish(structuredClone(offer)).then(
      (track) => {
        this.#note(`publishes ${track.trackId} ${offer.source}`);
        this.#stage.tracks.set(track.trackId, { room: this.room, publisher: this.identity });
        if (this.member === member) this.#send(track, offer.kind === "video" ? offer.renditions.length : 1);
      },
      (error: Error) => this.#note(`publish: ${error.message}`),
    );
  }

  #send(track: PublishedTrack, renditions: number): void {
    const sending: Sending = {
      track,
      nextFrameId: new Array(renditions).fill(0),
      keyframeDue: new Array(renditions).fill(true),
      timer: every(this.#stage.cluster.clock, UNIT_INTERVAL_MS, () => this.#sendUnit(sending)),
    };
    this.#sending.set(track.trackId, sending);
  }

  #sendUnit(sending: Sending): void {
    const { clock } = this.#stage.cluster;
    for (const [rendition, frameId] of sending.nextFrameId.entries()) {
      const isVideo = sending.nextFrameId.length > 1;
      const keyframe = isVideo && (sending.keyframeDue[rendition]! || frameId % GOP_UNITS === 0);
      const size = isVideo ? (keyframe ? 4000 : 600) + Math.floor(this.#random() * 800) : 100;
      const temporalLayer = isVideo && !keyframe ? frameId % 2 : 0;
      const audioLevel = isVideo ? 127 : Math.floor(this.#random() * 80);
      sending.nextFrameId[rendition] = frameId + 1;
      sending.keyframeDue[rendition] = false;
      sending.track.send(
        unitOf(frameId, clock.nowUs(), { rendition, keyframe, temporalLayer, audioLevel, size }),
      );
    }
  }

  unpublish(): void {
    const [sending] = this.#sending.values();
    if (sending === undefined) return;
    this.#stop(sending.track.trackId);
    this.#ask("unpublish", sending.track.unpublish());
  }

  /** Mutes or unmutes a track of its own or, being an admin, mutes anybody's. */
  mute(): void {
    const track = this.#pick(this.#visibleTracks());
    if (track !== undefined) this.#ask("mute", this.member!.participant.mute(track, this.#random() < 0.5));
  }

  subscribe(): void {
    const track = this.#pick(this.#visibleTracks());
    if (track === undefined) return;
    const rendition = this.#random() < 0.3 ? 1 : 0;
    const maxTemporalLayer = this.#random() < 0.3 ? 0 : 7;
    this.#ask("subscribe", this.member!.participant.subscribe(track, { rendition, maxTemporalLayer }));
  }

  unsubscribe(): void {
    const track = this.#pick(this.#visibleTracks());
    if (track !== undefined) this.#ask("unsubscribe", this.member!.participant.unsubscribe(track));
  }

  requestKeyframe(): void {
    const track = this.#pick(this.#visibleTracks());
    if (track !== undefined) this.member!.participant.requestKeyframe(track, 0);
  }

  chat(): void {
    const payload = new Uint8Array(Math.floor(this.#random() * 2000));
    if (this.member !== undefined) this.#ask("chat", this.member.participant.sendData("chat", payload));
  }

  remove(identity: string): void {
    if (this.member !== undefined) this.#ask(`remove ${identity}`, this.member.participant.remove(identity));
  }

  leave(): void {
    if (this.member !== undefined) this.#ask("leave", this.member.participant.leave());
  }

  /** Goes on in another session, on another network. */
  move(network: Partial<NetworkOptions>, onFailure: () => void = () => undefined): void {
    const { member } = this;
    if (member === undefined) return;
    this.#note("moves");
    this.#stage.cluster.move(member, { network }).then(
      () => this.#note("moved"),
      (error: Error) => {
        this.#note(`could not move: ${error.message}`);
        if (this.member === member) onFailure();
      },
    );
  }

  /** Its process dies. */
  vanish(): void {
    const { member } = this;
    if (member === undefined) return;
    this.#forget();
    member.wires.dialled.vanish();
    this.#ask("end", member.participant.leave());
  }

  /** Cuts the cables of its session; the returned function mends them, whether the session still lives or not. */
  cutNetwork(): () => void {
    const wires = this.member?.wires;
    if (wires === undefined) return () => undefined;
    const set = (down: boolean): void => {
      this.#note(down ? "network cut" : "network mended");
      wires.up.options.down = down;
      wires.down.options.down = down;
    };
    set(true);
    return () => set(false);
  }

  calmNetwork(): void {
    for (const path of [this.member?.wires.up, this.member?.wires.down]) {
      if (path !== undefined) Object.assign(path.options, { down: false, loss: 0, duplicate: 0, rateBps: 0 });
    }
  }

  #visibleTracks(): number[] {
    const participants = [...(this.member?.participant.participants.values() ?? [])];
    return participants.flatMap((info) => info.tracks.map((track) => track.trackId));
  }

  #pick<T>(from: readonly T[]): T | undefined {
    return from[Math.floor(this.#random() * from.length)];
  }
}
