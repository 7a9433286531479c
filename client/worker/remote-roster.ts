/**
 * Everybody else and their tracks. When we or they come back as another participant, the new tracks take the place of the old ones of
 * the same person and source, so that canvases and figures go on. Nothing of it happens when a participant only moves.
 */
import type { Timer } from "../../core/clock.ts";
import { codecOf } from "../../core/media/picture-codecs.ts";
import type { ParticipantInfo, TrackInfo } from "../../core/wire/room-model.ts";
import type { PlayoutBounds } from "./remote-track.ts";
import { WorkerRemoteTrack } from "./remote-track.ts";
import { workerClock } from "./worker-clock.ts";
import type { FromWorker } from "./worker-messages.ts";

export interface RosterEvents {
  post(message: FromWorker): void;
  onTrack(track: WorkerRemoteTrack): void;
  onTrackGone(track: WorkerRemoteTrack): void;
  /** The track goes on under another id. */
  onRebound(track: WorkerRemoteTrack): void;
  requestKeyframe(track: WorkerRemoteTrack): void;
  onUndecodable(track: WorkerRemoteTrack, message: string): void;
}

/** After our own reconnect the others may still be on their way back; what has not come by then is gone. */
const GRACE_MS = 5_000;
/** Whoever comes back this soon never left: a reconnecting participant takes its own place, which relays tell as leave and join. */
const LEAVE_GRACE_MS = 300;

interface Member {
  name: string;
  admin: boolean;
  /** In the room of this session, as far as we know. */
  present: boolean;
  tracks: Map<number, WorkerRemoteTrack>;
  /** Tracks of the session before, until their successors are published. */
  orphans: WorkerRemoteTrack[];
  grace: Timer | undefined;
}

export class RemoteRoster {
  readonly #members = new Map<string, Member>();
  readonly #byHandle = new Map<number, WorkerRemoteTrack>();
  readonly #byTrackId = new Map<number, WorkerRemoteTrack>();
  #bounds: PlayoutBounds;
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

  /** Bounds of the playout delay of all tracks, those to come too. */
  setBounds(bounds: PlayoutBounds): void {
    this.#bounds = bounds;
    for (const { audio, video } of this.#byHandle.values()) {
      audio?.jitter.setBounds(bounds.minDelayUs, bounds.maxDelayUs);
      video?.setBounds(bounds.minDelayUs, bounds.maxDelayUs);
    }
  }

  /** Takes the roster of a fresh participant over, first or after joining anew. */
  replaceAll(participants: Iterable<ParticipantInfo>): void {
    this.#byTrackId.clear();
    for (const [identity, member] of this.#members) this.#orphan(identity, member, GRACE_MS);
    for (const participant of participants) this.joined(participant);
  }

  #orphan(identity: string, member: Member, graceMs: number): void {
    member.present = false;
    member.orphans.push(...member.tracks.values());
    member.tracks.clear();
    this.#startGrace(identity, member, graceMs);
  }

  #startGrace(identity: string, member: Member, graceMs: number): void {
    member.grace?.cancel();
    member.grace = workerClock.after(graceMs, () => this.#endGrace(identity, member));
  }

  #endGrace(identity: string, member: Member): void {
    if (!member.present) return this.#remove(identity);
    for (const track of member.orphans.splice(0)) this.#drop(track);
    this.#pairSound(member);
  }

  /** Everybody at once: we left. */
  clear(): void {
    for (const identity of [...this.#members.keys()]) this.#remove(identity);
  }

  joined(participant: ParticipantInfo): void {
    const { identity, name, admin } = participant;
    const known = this.#members.get(identity);
    if (known === undefined) {
      const member = { name, admin, present: true, tracks: new Map(), orphans: [], grace: undefined };
      this.#members.set(identity, member);
      this.#events.post({ type: "participant-joined", identity, name, admin });
    } else {
      // Its tracks come back a little later than itself.
      if (!known.present && known.orphans.length > 0) this.#startGrace(identity, known, GRACE_MS);
      known.present = true;
    }
    for (const info of participant.tracks) this.published(identity, info);
  }

  /** Somebody is gone; those who come back at once keep their tracks. */
  left(identity: string): void {
    const member = this.#members.get(identity);
    if (member === undefined) return;
    for (const trackId of member.tracks.keys()) this.#byTrackId.delete(trackId);
    this.#orphan(identity, member, LEAVE_GRACE_MS);
  }

  #remove(identity: string): void {
    const member = this.#members.get(identity);
    if (member === undefined) return;
    member.grace?.cancel();
    for (const track of member.tracks.values()) this.#drop(track);
    for (const track of member.orphans) this.#drop(track);
    this.#members.delete(identity);
    this.#events.post({ type: "participant-left", identity });
  }

  published(identity: string, info: TrackInfo): void {
    const member = this.#members.get(identity);
    if (member === undefined || member.tracks.has(info.trackId)) return;
    const successorOf = this.#predecessor(member, info.offer);
    if (successorOf !== undefined) return this.#rebind(member, successorOf, info);
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
        onUndecodable: (message) => this.#events.onUndecodable(track, message),
      },
    );
    member.tracks.set(info.trackId, track);
    this.#byHandle.set(handle, track);
    this.#byTrackId.set(info.trackId, track);
    this.#pairSound(member);
    this.#events.post({ type: "track-published", identity, track: track.info });
    this.#events.onTrack(track);
  }

  /** The track that a new one goes on from: one of a session before, or a picture of another codec. */
  #predecessor(member: Member, { source, kind, codec }: TrackInfo["offer"]): WorkerRemoteTrack | undefined {
    const at = member.orphans.findIndex((orphan) => orphan.source === source);
    if (at >= 0) return member.orphans.splice(at, 1)[0];
    for (const [trackId, track] of member.tracks) {
      if (kind !== "video" || track.source !== source || codecOf(track.codec) === codecOf(codec)) continue;
      member.tracks.delete(trackId);
      this.#byTrackId.delete(trackId);
      return track;
    }
    return undefined;
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
    this.#events.post({
      type: "track-rebound",
      handle: track.handle,
      trackId: info.trackId,
      codec: track.codec,
    });
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
