/** One of our own tracks in the worker: capture and encoder outlive participants, the published track is the participant's. */
import type { AccessUnit } from "../../core/delivery/access-unit.ts";
import { LayerReferences } from "../../core/media/layer-references.ts";
import { RateMeter } from "../../core/media/rate-meter.ts";
import type { Participant, PublishedTrack } from "../../core/participant/participant-api.ts";
import type { Source, TrackOffer } from "../../core/wire/room-model.ts";
import type { TrackStats } from "../sdk/api.ts";
import { AudioSender } from "./audio-sender.ts";
import { OPUS_FRAME_US, OPUS_RATE_HZ } from "./opus-encoding.ts";
import { codecString, layersOf, type PictureEncoding } from "./picture-encodings.ts";
import { bitrateFor, type EncodedVideo, VideoSender, type VideoSendSettings } from "./video-sender.ts";
import { workerClock } from "./worker-clock.ts";

/** What the encoder of a track says of a unit. */
type Encoded = Omit<AccessUnit, "frameId" | "captureTimeUs" | "rendition" | "encrypted">;

const SOUND = { keyframe: true, discardable: false, temporalLayer: 0, reference: 0 };
const PICTURE = { audioLevel: 127, voice: false };

export interface LocalTrackEvents {
  onEnd(source: Source): void;
  onError(message: string): void;
}

export class WorkerLocalTrack {
  readonly source: Source;
  readonly audio: AudioSender | undefined;
  readonly video: VideoSender | undefined;
  #settings: VideoSendSettings | undefined;
  readonly #references = new LayerReferences();
  readonly #rate = new RateMeter();
  #participant: Participant | undefined;
  #published: PublishedTrack | undefined;
  #frameId = 0;
  #muted: boolean;
  /** Somebody subscribes to it, as far as the relay said. */
  #wanted = true;

  constructor(
    source: Source,
    settings: VideoSendSettings | undefined,
    muted: boolean,
    originsUs: readonly number[],
    events: LocalTrackEvents,
  ) {
    this.source = source;
    this.#settings = settings;
    this.#muted = muted;
    const common = {
      onEnd: () => events.onEnd(source),
      onError: (message: string) => events.onError(message),
    };
    if (settings === undefined) {
      this.audio = new AudioSender(source as "microphone" | "screen-audio", originsUs, {
        ...common,
        onFrame: ({ captureUs, level, voice, bytes }) =>
          this.#send(captureUs, { ...SOUND, audioLevel: level, voice, bytes }),
      });
    } else {
      this.video = new VideoSender(settings, originsUs, {
        ...common,
        onFrame: (frame) => this.#sendPicture(frame),
      });
    }
    this.#pauseAsNeeded();
  }

  get trackId(): number | undefined {
    return this.#published?.trackId;
  }

  /** How the picture is captured and encoded; undefined = sound. */
  get settings(): VideoSendSettings | undefined {
    return this.#settings;
  }

  get muted(): boolean {
    return this.#muted;
  }

  /** Publishes as this participant; encoding goes on meanwhile. Rejects with RequestFailedError. */
  async publishIn(participant: Participant): Promise<number> {
    const published = await participant.publish(this.#offer(this.#settings));
    this.#participant = participant;
    this.#published = published;
    this.#wanted = true;
    this.#pauseAsNeeded();
    // What an earlier participant's network carried says nothing of this one's.
    this.video?.setBitrate(Number.POSITIVE_INFINITY);
    this.video?.requestKeyframe();
    return published.trackId;
  }

  /**
   * Encodes another way from now on. What others know of the track is its codec, so that it is published anew and the old one ends when
   * the new one is there. Returns its id. Rejects with RequestFailedError, and goes on as it was.
   */
  async switchTo(encoding: PictureEncoding): Promise<number> {
    const [settings, old, participant] = [this.#settings, this.#published, this.#participant];
    if (settings === undefined || old === undefined || participant === undefined) return this.trackId ?? 0;
    const next = { ...settings, encoding };
    const published = await participant.publish(this.#offer(next));
    // Ended, or published by another participant meanwhile.
    if (this.#published !== old) {
      published.unpublish().catch(() => undefined);
      return this.trackId ?? 0;
    }
    this.#settings = next;
    this.#published = published;
    this.#references.interrupt();
    this.video?.setEncoding(encoding);
    old.unpublish().catch(() => undefined);
    this.#wanted = true;
    this.#pauseAsNeeded();
    return published.trackId;
  }

  /** Nothing is sent until the next publishIn. */
  suspend(): void {
    this.#published = undefined;
    this.#participant = undefined;
  }

  setWanted(wanted: boolean): void {
    if (wanted && !this.#wanted) this.video?.requestKeyframe();
    this.#wanted = wanted;
    this.#pauseAsNeeded();
  }

  /** Mutes locally at once and tells the relay. */
  async setMuted(muted: boolean): Promise<void> {
    this.applyMute(muted);
    await this.#published?.setMuted(muted);
  }

  /** An admin muted us, or we did. */
  applyMute(muted: boolean): void {
    if (!muted && this.#muted) this.video?.requestKeyframe();
    this.#muted = muted;
    this.#pauseAsNeeded();
  }

  async unpublish(): Promise<void> {
    this.audio?.stop();
    this.video?.stop();
    const published = this.#published;
    this.suspend();
    await published?.unpublish();
  }

  #pauseAsNeeded(): void {
    const paused = this.#muted || !this.#wanted;
    if (this.audio !== undefined) this.audio.paused = paused;
    if (this.video !== undefined) this.video.paused = paused;
  }

  #offer(settings: VideoSendSettings | undefined): TrackOffer {
    if (settings === undefined) {
      return {
        kind: "audio",
        source: this.source as "microphone" | "screen-audio",
        codec: "opus",
        sampleRateHz: OPUS_RATE_HZ,
        channels: 1,
        frameDurationUs: OPUS_FRAME_US,
        muted: this.#muted,
        encrypted: false,
      };
    }
    const { width, height, frameRate, encoding } = settings;
    const maxBitrateBps = bitrateFor(width, height, frameRate);
    return {
      kind: "video",
      source: this.source as "camera" | "screen",
      codec: codecString(encoding.codec, width, height),
      frameRate,
      renditions: [{ width, height, maxBitrateBps, temporalLayers: layersOf(encoding.layerMode) }],
      muted: this.#muted,
      encrypted: false,
    };
  }

  #sendPicture({ captureUs, keyframe, temporalLayer, discardable, bytes }: EncodedVideo): void {
    if (!this.#maySend) return this.#references.interrupt();
    const place = this.#references.push(keyframe, temporalLayer, discardable);
    this.#send(captureUs, { ...PICTURE, ...place, keyframe, bytes });
  }

  get #maySend(): boolean {
    return this.#published !== undefined && this.#participant !== undefined && !this.#muted;
  }

  #send(captureUs: number, encoded: Encoded): void {
    const published = this.#published;
    const participant = this.#participant;
    if (published === undefined || participant === undefined || this.#muted) return;
    const captureTimeUs = Math.round(captureUs + participant.clockOffsetUs);
    const unit = { ...encoded, frameId: this.#frameId, captureTimeUs, rendition: 0, encrypted: false };
    this.#frameId = (this.#frameId + 1) >>> 0;
    this.#rate.push(unit.bytes.length * 8, workerClock.nowUs());
    if (!published.send(unit)) this.video?.requestKeyframe();
  }

  stats(identity: string): TrackStats {
    const counters = this.#published?.counters();
    const common = {
      type: "track" as const,
      direction: "outbound" as const,
      trackId: this.#published?.trackId ?? 0,
      participant: identity,
      source: this.source,
      bitrateBps: Math.round(this.#rate.perSecond(workerClock.nowUs())),
      bytes: counters?.bytes ?? 0,
      datagrams: counters?.datagrams ?? 0,
      datagramsLost: counters?.datagramsLost ?? 0,
    };
    if (this.audio !== undefined) {
      const { framesEncoded, framesDropped } = this.audio;
      return { ...common, kind: "audio", codec: "opus", framesEncoded, framesDropped };
    }
    const { framesEncoded, framesDropped, keyFrames, temporalLayers, width, height, codec } = this.video!;
    const size = { frameWidth: width, frameHeight: height };
    const framesPerSecond = Math.round(this.video!.frameRate.perSecond(workerClock.nowUs()) * 10) / 10;
    const figures = { framesEncoded, framesDropped, keyFrames, temporalLayers, framesPerSecond };
    return { ...common, kind: "video", codec, ...size, ...figures };
  }
}
