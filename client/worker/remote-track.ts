/** One remote track in the worker: its receiver, its subscription, and what getStats says of it. */
import type { AccessUnit } from "../../core/delivery/access-unit.ts";
import type { Participant } from "../../core/participant/participant-api.ts";
import type { Source, TrackInfo } from "../../core/wire/room-model.ts";
import type { TrackStats } from "../sdk/api.ts";
import { AudioReceiver } from "./audio-receiver.ts";
import { OPUS_RATE_HZ } from "./opus-encoding.ts";
import { VideoReceiver, type VideoReceiverEvents } from "./video-receiver.ts";
import { workerClock } from "./worker-clock.ts";
import type { RemoteTrackInfo } from "./worker-messages.ts";

export interface PlayoutBounds {
  minDelayUs: number;
  maxDelayUs: number;
}

export class WorkerRemoteTrack {
  readonly handle: number;
  readonly identity: string;
  readonly source: Source;
  readonly audio: AudioReceiver | undefined;
  readonly video: VideoReceiver | undefined;
  codec: string;
  trackId: number;
  muted: boolean;
  /** The application wants it. */
  wanted = false;
  /** This browser cannot show it. */
  isUndecodable = false;

  constructor(
    handle: number,
    identity: string,
    info: TrackInfo,
    bounds: PlayoutBounds,
    joinCalledUs: number,
    videoEvents: VideoReceiverEvents,
  ) {
    const { offer } = info;
    this.handle = handle;
    this.identity = identity;
    this.source = offer.source;
    this.codec = offer.codec;
    this.trackId = info.trackId;
    this.muted = offer.muted;
    if (offer.kind === "audio") this.audio = new AudioReceiver(offer.frameDurationUs, bounds);
    else this.video = new VideoReceiver(bounds, joinCalledUs, videoEvents);
  }

  get info(): RemoteTrackInfo {
    return {
      handle: this.handle,
      trackId: this.trackId,
      codec: this.codec,
      kind: this.audio === undefined ? "video" : "audio",
      source: this.source,
      muted: this.muted,
    };
  }

  /** Takes a unit whose capture time is on the local clock. */
  push(unit: AccessUnit, arrivedUs: number): void {
    this.audio?.push(unit, arrivedUs);
    this.video?.push(unit, arrivedUs);
  }

  setMuted(muted: boolean): void {
    this.muted = muted;
    this.audio?.jitter.setPaused(muted);
    if (muted) this.video?.pause();
  }

  /** Goes on under another id after a reconnect. */
  rebind(info: TrackInfo): void {
    this.trackId = info.trackId;
    this.setMuted(info.offer.muted);
    this.audio?.reset();
    this.codec = info.offer.codec;
    this.video?.reset();
  }

  close(): void {
    this.audio?.close();
    this.video?.close();
  }

  stats(participant: Participant | undefined): TrackStats {
    const counters = participant?.trackCounters(this.trackId);
    const common = {
      type: "track" as const,
      direction: "inbound" as const,
      trackId: this.trackId,
      participant: this.identity,
      source: this.source,
      codec: this.codec,
      bytes: counters?.bytes ?? 0,
      datagrams: counters?.datagrams ?? 0,
      datagramsLost: counters?.datagramsLost ?? 0,
      datagramsRecovered: counters?.datagramsRecovered ?? 0,
    };
    if (this.audio !== undefined) return { ...common, kind: "audio", ...audioFigures(this.audio) };
    return { ...common, kind: "video", ...videoFigures(this.video!) };
  }
}

function audioFigures(audio: AudioReceiver): Partial<TrackStats> {
  const captureToRenderMs = audio.captureToSpeakerMs.median();
  return {
    framesDecoded: audio.framesDecoded,
    framesDropped: Object.values(audio.jitter.dropped).reduce((sum, count) => sum + count, 0),
    bitrateBps: Math.round(audio.rate.perSecond(workerClock.nowUs())),
    jitterMs: round(audio.jitter.jitterMs),
    playoutDelayMs: round(audio.jitter.delayMs),
    targetDelayMs: round(audio.jitter.targetMs),
    jitterBufferDelayMs: round(audio.jitter.waitedMs),
    jitterBufferEmittedCount: audio.jitter.emittedUnits,
    concealedMs: round((audio.concealedSamples / OPUS_RATE_HZ) * 1000),
    totalPlayedMs: round((audio.playedSamples / OPUS_RATE_HZ) * 1000),
    ...(captureToRenderMs === undefined ? {} : { captureToRenderMs: round(captureToRenderMs) }),
    ...(audio.timeToFirstUs === undefined ? {} : { timeToFirstAudioMs: round(audio.timeToFirstUs / 1000) }),
  };
}

function videoFigures(video: VideoReceiver): Partial<TrackStats> {
  const nowUs = workerClock.nowUs();
  const captureToRenderMs = video.captureToRenderMs.median();
  const avOffsetMs = video.avOffsetMs.median();
  const drops = { ...video.dropped, ...video.order.dropped };
  return {
    frameWidth: video.width,
    frameHeight: video.height,
    framesDecoded: video.framesDecoded,
    framesDroppedBy: drops,
    framesRendered: video.framesRendered,
    framesDropped: Object.values(drops).reduce((sum, count) => sum + count, 0),
    framesPerSecond: round(video.frameRate.perSecond(nowUs)),
    keyFrames: video.keyFrames,
    bitrateBps: Math.round(video.rate.perSecond(nowUs)),
    jitterMs: round(video.jitterMs),
    freezeCount: video.freezes.count,
    totalFreezesMs: round(video.freezes.totalMs),
    ...(video.delayMs === undefined ? {} : { playoutDelayMs: round(video.delayMs) }),
    ...(captureToRenderMs === undefined ? {} : { captureToRenderMs: round(captureToRenderMs) }),
    ...(avOffsetMs === undefined ? {} : { avOffsetMs: round(avOffsetMs) }),
    ...(video.timeToFirstUs === undefined ? {} : { timeToFirstFrameMs: round(video.timeToFirstUs / 1000) }),
  };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
