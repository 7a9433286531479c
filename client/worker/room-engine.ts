/** The room as the worker has it: puts sessions, own tracks, remote tracks and the speaker together. */
import type { AccessUnit } from "../../core/delivery/access-unit.ts";
import type { ParticipantEvent } from "../../core/participant/events.ts";
import type { SessionKeeper } from "../../core/participant/joining/session-keeper.ts";
import { RequestFailedError } from "../../core/participant/participant.ts";
import type { Participant } from "../../core/participant/participant-api.ts";
import type { Source } from "../../core/wire/room-model.ts";
import { RoomError, type RoomState, type RoomStats } from "../sdk/api.ts";
import { browserKeeper } from "./browser-keeper.ts";
import { connectionStats } from "./connection-stats.ts";
import { WorkerLocalTrack } from "./local-track.ts";
import { Mixer } from "./mixer.ts";
import { RemoteRoster } from "./remote-roster.ts";
import type { WorkerRemoteTrack } from "./remote-track.ts";
import { JoinToken } from "./join-token.ts";
import { SentCodecs } from "./sent-codecs.ts";
import { makeShowable, tellUndecodable } from "./shown-pictures.ts";
import { workerClock } from "./worker-clock.ts";
import type { FromWorker, Operation, StartMessage, VideoCaptureSettings } from "./worker-messages.ts";

/** Pictures should come within this, or within one round of repair. */
const PICTURE_DELAY_MS = 60;

export class RoomEngine {
  readonly mixer: Mixer;
  readonly roster: RemoteRoster;
  readonly token: JoinToken;
  readonly noteChange = (): void => this.#keeper.noteChange();
  readonly #start: StartMessage;
  readonly #post: (message: FromWorker) => void;
  readonly #keeper: SessionKeeper;
  readonly #own = new Map<Source, WorkerLocalTrack>();
  readonly #sentCodecs: SentCodecs;
  /** Places that capture timestamps may count from. */
  readonly #originsUs: readonly number[];
  #state: RoomState = "connecting";
  #joinMs = 0;
  /** Of the last session, as getStats says it. */
  #relayId = "";

  constructor(start: StartMessage, post: (message: FromWorker) => void) {
    this.#start = start;
    this.#post = post;
    const joinCalledUs = start.calledAtMs * 1000;
    this.#originsUs = [performance.timeOrigin * 1000, start.pageTimeOriginMs * 1000];
    this.mixer = new Mixer(joinCalledUs);
    this.#sentCodecs = new SentCodecs(this.#own, () => this.#keeper.participant?.decodable, post);
    const { min, max } = start.playoutDelay;
    this.roster = new RemoteRoster({ minDelayUs: min * 1000, maxDelayUs: max * 1000 }, joinCalledUs, {
      post,
      onTrack: (track) => this.#onTrack(track),
      onTrackGone: (track) => this.#onTrackGone(track),
      onRebound: (track) => {
        if (track.wanted) void this.#subscribe(track);
      },
      onUndecodable: (track, message) => tellUndecodable(track, message, post),
      requestKeyframe: (track) => this.#keeper.participant?.requestKeyframe(track.trackId, 0),
    });
    const ask = start.canRenewToken ? () => post({ type: "token-needed" }) : undefined;
    this.token = new JoinToken(start.token, ask);
    this.#keeper = browserKeeper(start, this.token, post, {
      onJoined: (participant) => this.#onJoined(participant),
      onReconnecting: (reason) => this.#onReconnecting(reason),
      onBack: () => this.#setState("connected", "", ""),
      onClosed: (code, reason) => this.#onClosed(code, reason),
      onEvent: (event) => this.#onEvent(event),
      onAccessUnit: (trackId, unit, arrivedUs) => this.#onAccessUnit(trackId, unit, arrivedUs),
    });
  }

  async join(): Promise<void> {
    await this.#keeper.start(this.#start.relays, this.#start.calledAtMs * 1000);
  }

  async #onJoined(participant: Participant): Promise<void> {
    const first = this.#joinMs === 0;
    if (first) this.#joinMs = workerClock.nowUs() / 1000 - this.#start.calledAtMs;
    const { identity, room } = participant;
    if (first) this.#post({ type: "joined", room, identity, grants: undefined });
    this.roster.replaceAll(participant.participants.values());
    this.#setState("connected", "", "");
    await Promise.all([...this.#own.values()].map((track) => this.#republish(track, participant)));
  }

  async #publishOwn(track: WorkerLocalTrack, participant: Participant): Promise<number> {
    const trackId = await track.publishIn(participant);
    this.#post({ type: "own-track", source: track.source, trackId });
    return trackId;
  }

  async #republish(track: WorkerLocalTrack, participant: Participant): Promise<void> {
    try {
      await this.#publishOwn(track, participant);
    } catch (error) {
      // When the session is over again, the next one publishes.
      if (this.#keeper.participant !== participant) return;
      const message = `Your ${track.source} could not be published again: ${messageOf(error)}`;
      this.#post({ type: "problem", code: "republish", message });
    }
  }

  #onReconnecting(reason: string): void {
    // Another participant will publish them anew; this one goes on as it is.
    if (this.#keeper.participant === undefined) for (const track of this.#own.values()) track.suspend();
    this.#setState("reconnecting", "", reason);
  }

  #onClosed(code: string, reason: string): void {
    for (const track of this.#own.values()) void track.unpublish().catch(() => undefined);
    this.#own.clear();
    this.roster.clear();
    this.#setState("closed", code, reason);
  }

  #setState(state: RoomState, code: string, reason: string): void {
    this.#state = state;
    this.#post({ type: "state", state, code, reason });
  }

  #onTrack(track: WorkerRemoteTrack): void {
    if (track.audio !== undefined) this.mixer.add(track.audio);
    if (this.#start.autoSubscribe) void this.#subscribe(track);
  }

  #onTrackGone(track: WorkerRemoteTrack): void {
    if (track.audio !== undefined) this.mixer.remove(track.audio);
  }

  async #subscribe(track: WorkerRemoteTrack): Promise<void> {
    track.wanted = true;
    if (!(await makeShowable(track, this.#post))) return;
    try {
      const options = track.video === undefined ? {} : { playoutDelayMs: PICTURE_DELAY_MS };
      await this.#keeper.participant?.subscribe(track.trackId, options);
    } catch (error) {
      // Gone while we asked, or the participant ended: the next roster says.
      if (error instanceof RequestFailedError && error.code !== "not-found") {
        this.#post({ type: "problem", code: error.code, message: error.message });
      }
    }
  }

  #onAccessUnit(trackId: number, unit: AccessUnit, arrivedUs: number): void {
    const track = this.roster.byTrackId(trackId);
    const participant = this.#keeper.participant;
    if (track === undefined || participant === undefined) return;
    // From here on the capture time is on our own clock, as far as the two are known to each other.
    unit.captureTimeUs -= participant.clockOffsetUs;
    track.push(unit, arrivedUs);
  }

  #onEvent(event: ParticipantEvent): void {
    switch (event.type) {
      case "participant-joined":
        return this.roster.joined(event.participant);
      case "participant-left":
        return this.roster.left(event.identity);
      case "track-published":
        return this.roster.published(event.identity, event.track);
      case "track-unpublished":
        return this.roster.unpublished(event.identity, event.trackId);
      case "track-muted":
        return this.#onMuted(event);
      case "decodable":
        return this.#sentCodecs.follow();
      case "keyframe-requested":
        return this.#ownTrack(event.trackId)?.video?.requestKeyframe();
      case "track-wanted":
        return this.#ownTrack(event.trackId)?.setWanted(event.wanted);
      case "encoder-rate":
        return this.#ownTrack(event.trackId)?.video?.setBitrate(event.bitrateBps);
      case "republished":
        return this.#onRepublished(event.trackId);
      case "unpublished":
        this.#ownTrack(event.trackId)?.suspend();
        return this.#post({ type: "problem", code: "republish", message: event.message });
      case "speakers":
        return this.#post({ type: "speakers", identities: event.speakers.map(({ identity }) => identity) });
      case "data": {
        const { from, topic, payload, sentAtUs } = event;
        return this.#post({ type: "data", from, topic, payload: payload.slice(), sentAtUs });
      }
      default:
        return;
    }
  }

  #ownTrack(trackId: number): WorkerLocalTrack | undefined {
    for (const track of this.#own.values()) if (track.trackId === trackId) return track;
    return undefined;
  }

  /** To everybody else it is another track: what came before they have not. */
  #onRepublished(trackId: number): void {
    const track = this.#ownTrack(trackId);
    if (track === undefined) return;
    this.#post({ type: "own-track", source: track.source, trackId });
    track.video?.requestKeyframe();
  }

  #onMuted(event: Extract<ParticipantEvent, { type: "track-muted" }>): void {
    const { identity, trackId, muted, by } = event;
    const remote = this.roster.byTrackId(trackId);
    const own = this.#ownTrack(trackId);
    remote?.setMuted(muted);
    own?.applyMute(muted);
    const source = remote?.source ?? own?.source;
    if (source === undefined) return;
    const handle = remote?.handle;
    this.#post({ type: "track-muted", identity, handle, trackId, source, muted, by });
  }

  /** Does what the page asked; rejects with RoomError. */
  async run(request: Operation): Promise<number | RoomStats | undefined> {
    switch (request.operation) {
      case "publish-audio":
        return await this.#publish(request.source, undefined, request.muted, (track) =>
          track.audio?.read(request.input),
        );
      case "publish-video":
        return await this.#publish(request.source, request.settings, false, (track) =>
          track.video?.read(request.input),
        );
      case "replace-audio":
        return void this.#ownOrThrow(request.source).audio?.read(request.input);
      case "replace-video":
        return void this.#ownOrThrow(request.source).video?.read(request.input);
      case "mute-own":
        return void (await this.#inTime(this.#ownOrThrow(request.source).setMuted(request.muted)));
      case "unpublish": {
        const track = this.#ownOrThrow(request.source);
        this.#own.delete(request.source);
        return void (await this.#inTime(track.unpublish().catch(() => undefined)));
      }
      case "subscribe":
        return void (await this.#inTime(this.#subscribe(this.#remoteOrThrow(request.handle))));
      case "unsubscribe": {
        const track = this.#remoteOrThrow(request.handle);
        track.wanted = false;
        track.video?.pause();
        return void (await this.#inTime(this.#keeper.participant?.unsubscribe(track.trackId)));
      }
      case "mute-remote":
        return void (await this.#participantOrThrow().mute(
          this.#remoteOrThrow(request.handle).trackId,
          true,
        ));
      case "remove":
        return void (await this.#participantOrThrow().remove(request.identity));
      case "send-data":
        return void (await this.#participantOrThrow().sendData(request.topic, request.payload, request.to));
      case "playout-delay":
        return void this.roster.setBounds({ minDelayUs: request.min * 1000, maxDelayUs: request.max * 1000 });
      case "stats":
        return this.#stats();
      case "leave":
        return void (await this.#leave());
    }
  }

  async #publish(
    source: Source,
    settings: VideoCaptureSettings | undefined,
    muted: boolean,
    begin: (track: WorkerLocalTrack) => void,
  ): Promise<number> {
    const sendSettings = settings && (await this.#sentCodecs.choose(settings));
    const track = new WorkerLocalTrack(source, sendSettings, muted, this.#originsUs, {
      onEnd: (ended) => this.#post({ type: "own-track-ended", source: ended }),
      onError: (message) => this.#post({ type: "problem", code: "encoder", message }),
    });
    this.#own.set(source, track);
    begin(track);
    const participant = this.#keeper.participant;
    // While reconnecting the track waits; the next session, or the next participant, publishes it.
    if (participant === undefined) return 0;
    if (this.#state !== "connected") {
      void this.#republish(track, participant);
      return 0;
    }
    try {
      return await this.#publishOwn(track, participant);
    } catch (error) {
      if (this.#keeper.participant !== participant) return 0;
      this.#own.delete(source);
      await track.unpublish().catch(() => undefined);
      throw error;
    }
  }

  async #leave(): Promise<void> {
    const own = [...this.#own.values()];
    this.#own.clear();
    for (const track of own) {
      track.audio?.stop();
      track.video?.stop();
    }
    await this.#keeper.leave();
    this.#onClosed("normal", "You left the room.");
  }

  #stats(): RoomStats {
    const participant = this.#keeper.participant;
    this.#relayId = participant?.relayId ?? this.#relayId;
    const tracks = [...this.#own.values()].map((track) => track.stats(this.#start.identity));
    for (const track of this.roster.tracks()) tracks.push(track.stats(participant));
    const connection = connectionStats(
      participant,
      {
        relayId: this.#relayId,
        state: this.#state,
        reconnects: this.#keeper.reconnects,
        joinMs: this.#joinMs,
      },
      tracks,
    );
    return { connection, tracks };
  }

  /** What waits for a session while there is none is done later; the page need not wait as well. */
  async #inTime(done: Promise<void> | undefined): Promise<void> {
    if (this.#state === "connected") return await done;
    done?.catch(() => undefined);
  }

  #ownOrThrow(source: Source): WorkerLocalTrack {
    const track = this.#own.get(source);
    if (track === undefined) throw new RoomError("not-published", `there is no ${source} track to change`);
    return track;
  }

  #remoteOrThrow(handle: number): WorkerRemoteTrack {
    const track = this.roster.byHandle(handle);
    if (track === undefined) throw new RoomError("not-found", "the track is no longer published");
    return track;
  }

  #participantOrThrow(): Participant {
    const participant = this.#keeper.participant;
    if (participant === undefined || this.#state !== "connected") {
      throw new RoomError("not-connected", "the room is not connected now; wait until it is and try again");
    }
    return participant;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
