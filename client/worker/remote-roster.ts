/**
 * Everybody else and their tracks, over reconnects: after one, the tracks of the new session take the place of
 * the old ones of the same person and source, so that canvases and figures go on.
 */
import type { ParticipantInfo, TrackInfo } from "../../core/wire/room-model.ts";
import type { PlayoutBounds } from "./remote-track.ts";
import { WorkerRemoteTrack } from "./remote-track.ts";
import type { FromWorker } from "./worker-messages.ts";

export interface RosterEvents {
  post(message: FromWorker): void;
  onTrack(track: WorkerRemoteTrack): void;
  onTrackGone(track: WorkerRemoteTrack): void;
  /** The track goes on under another id. */
  onRebound(track: WorkerRemoteTrack): void;
  requestKeyframe(track: WorkerRemoteTrack): void;
}

interface Member {
  name: string;
  admin: boolean;
  tracks: Map<number, WorkerRemoteTrack>;
}

export class RemoteRoster {
  readonly #members = new Map<string, Member>();
  readonly #byHandle = new Map<number, WorkerRemoteTrack>();
  readonly #byTrackId = new Map<number, WorkerRemoteTrack>();
  readonly #bounds: PlayoutBounds;
  readonly #joinCalledUs: number;
  readonly #events: RosterEvents;
  #nextHandle = 1;

  constructor(bounds: PlayoutBounds, joinCalledUs: number, events: RosterEvents) {
    this.#bounds = bounds;
    this.#joinCalledUs = joinCalledUs;
    this.#events = events;
  }

  byHandle(handle: number): WorkerRemoteTrack | undefined {
    return this.#byHandle.get(handle);
  }

  byTrackId(trackId: number): WorkerRemoteTrack | undefined {
    return this.#byTrackId.get(trackId);
  }

  tracks(): Iterable<WorkerRemoteTrack> {
    return this.#byHandle.values();
  }

  /** Takes the roster of a fresh session over, first or after a reconnect. */
  replaceAll(participants: Iterable<ParticipantInfo>): void {
    const present = new Map<string, ParticipantInfo>();
    for (const participant of participants) present.set(participant.identity, participant);
    for (const identity of [...this.#members.keys()]) {
      if (!present.has(identity)) this.left(identity);
    }
    this.#byTrackId.clear();
    for (const participant of present.values()) this.joined(participant);
  }

  joined(participant: ParticipantInfo): void {
    const { identity, name, admin } = participant;
    const known = this.#members.get(identity);
    if (known === undefined) {
      this.#members.set(identity, { name, admin, tracks: new Map() });
      this.#events.post({ type: "participant-joined", identity, name, admin });
    }
    const member = known ?? this.#members.get(identity)!;
    const former = [...member.tracks.values()];
    member.tracks = new Map();
    for (const info of participant.tracks) {
      const at = former.findIndex((track) => track.source === info.offer.source && sameCodec(track, info));
      const track = at < 0 ? undefined : former.splice(at, 1)[0];
      if (track === undefined) this.published(identity, info);
      else this.#rebind(member, track, info);
    }
    for (const track of former) this.#drop(track);
  }

  left(identity: string): void {
    const member = this.#members.get(identity);
    if (member === undefined) return;
    for (const track of member.tracks.values()) this.#drop(track);
    this.#members.delete(identity);
    this.#events.post({ type: "participant-left", identity });
  }

  published(identity: string, info: TrackInfo): void {
    const member = this.#members.get(identity);
    if (member === undefined || member.tracks.has(info.trackId)) return;
    const handle = this.#nextHandle++;
    const track: WorkerRemoteTrack = new WorkerRemoteTrack(
      handle,
      identity,
      info,
      this.#bounds,
      this.#joinCalledUs,
      {
        requestKeyframe: () => this.#events.requestKeyframe(track),
        onSize: (width, height) => this.#events.post({ type: "track-size", handle, width, height }),
        onError: (message) => this.#events.post({ type: "problem", code: "decoder", message }),
      },
    );
    member.tracks.set(info.trackId, track);
    this.#byHandle.set(handle, track);
    this.#byTrackId.set(info.trackId, track);
    this.#pairSound(member);
    this.#events.post({ type: "track-published", identity, track: track.info });
    this.#events.onTrack(track);
  }

  unpublished(identity: string, trackId: number): void {
    const member = this.#members.get(identity);
    const track = member?.tracks.get(trackId);
    if (member === undefined || track === undefined) return;
    member.tracks.delete(trackId);
    this.#drop(track);
    this.#pairSound(member);
  }

  #rebind(member: Member, track: WorkerRemoteTrack, info: TrackInfo): void {
    const wasMuted = track.muted;
    track.rebind(info);
    member.tracks.set(info.trackId, track);
    this.#byTrackId.set(info.trackId, track);
    this.#events.post({ type: "track-rebound", handle: track.handle, trackId: info.trackId });
    if (wasMuted !== track.muted) {
      const { identity, handle, trackId, source, muted } = track;
      this.#events.post({
        type: "track-muted",
        identity,
        handle,
        trackId,
        source,
        muted,
        by: identity,
      });
    }
    this.#events.onRebound(track);
  }

  #drop(track: WorkerRemoteTrack): void {
    this.#byHandle.delete(track.handle);
    if (this.#byTrackId.get(track.trackId) === track) this.#byTrackId.delete(track.trackId);
    this.#events.onTrackGone(track);
    track.close();
    this.#events.post({ type: "track-unpublished", identity: track.identity, handle: track.handle });
  }

  /** Pictures follow the sound of the same person: camera the microphone, screen its own sound. */
  #pairSound(member: Member): void {
    const sounds = new Map<string, WorkerRemoteTrack>();
    for (const track of member.tracks.values())
      if (track.audio !== undefined) sounds.set(track.source, track);
    for (const track of member.tracks.values()) {
      if (track.video === undefined) continue;
      track.video.sound = sounds.get(track.source === "screen" ? "screen-audio" : "microphone")?.audio;
    }
  }
}

function sameCodec(track: WorkerRemoteTrack, info: TrackInfo): boolean {
  return track.codec === info.offer.codec;
}
