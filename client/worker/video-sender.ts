/** One camera or screen: captured frames -> encoder -> access units; keyframes on request, frames skipped when the encoder is busy. */
import { contentOf } from "../../core/media/annex-b.ts";
import { CaptureClock } from "../../core/media/capture-clock.ts";
import { spokenCodec } from "../../core/media/picture-codecs.ts";
import { RateMeter } from "../../core/media/rate-meter.ts";
import { type CaptureInput, type CaptureReader, readPictures } from "./capture-input.ts";
import { codecString, layersOf, type PictureEncoding } from "./picture-encodings.ts";
import { workerClock } from "./worker-clock.ts";
import type { VideoCaptureSettings } from "./worker-messages.ts";

/** Frames in the encoder at once; at more the newest is skipped, which costs a frame but no delay. */
const MAX_ENCODING = 2;
/** A keyframe at the least this often, so that the relay's cache for late joiners stays short. */
const KEYFRAME_INTERVAL_US = 4_000_000;
/** The same where the network sets a limit: there a keyframe holds up what comes behind it. */
const LIMITED_KEYFRAME_INTERVAL_US = 12_000_000;
/** Keyframes are not made more often than this, whoever asks. */
const LEAST_KEYFRAME_GAP_US = 300_000;
const MAX_NOTES = 32;
/** Bits a second for 640x360 at 30 frames a second; other sizes scale below proportion, as pictures do. */
const REFERENCE_BPS = 1_000_000;
const REFERENCE_PIXELS = 640 * 360;
const LARGEST_SIDE = 4096;
const LEAST_BPS = 30_000;
/** Below this share of the full rate every second picture is left out, below the other two of three. */
const HALF_RATE_SHARE = 0.25;
const THIRD_RATE_SHARE = 0.12;

/** What is captured, and how it is encoded. */
export interface VideoSendSettings extends VideoCaptureSettings {
  encoding: PictureEncoding;
}

/** What VideoEncoder says of temporal layers, which the DOM library lacks. */
interface LayerMetadata {
  svc?: { temporalLayerId?: number };
}

/** An encoded picture with its local capture time. */
export interface EncodedVideo {
  captureUs: number;
  keyframe: boolean;
  /** Undefined = the encoder makes no layers. */
  temporalLayer: number | undefined;
  /** No other picture needs it. */
  discardable: boolean;
  bytes: Uint8Array;
}

export interface VideoSenderEvents {
  onFrame(frame: EncodedVideo): void;
  onEnd(): void;
  onError(message: string): void;
}

/** What a picture of this size and rate gets, bits a second. */
export function bitrateFor(width: number, height: number, frameRate: number): number {
  const size = ((width * height) / REFERENCE_PIXELS) ** 0.75;
  return Math.round(REFERENCE_BPS * size * Math.sqrt(frameRate / 30));
}

export class VideoSender {
  /** While true captured pictures are thrown away before the encoder. */
  paused = false;
  framesEncoded = 0;
  framesDropped = 0;
  keyFrames = 0;
  /** Temporal layers that the encoder has made. */
  temporalLayers = 1;
  width = 0;
  height = 0;
  readonly frameRate = new RateMeter();
  readonly #settings: VideoSendSettings;
  readonly #events: VideoSenderEvents;
  readonly #originsUs: readonly number[];
  readonly #captures = new Map<number, number>();
  #encoding: PictureEncoding;
  #encoder: VideoEncoder | undefined;
  #reader: CaptureReader<VideoFrame> | undefined;
  #keyframeWanted = true;
  #lastKeyframeUs = 0;
  #lastTimestampUs = 0;
  #bitrateBps = Number.POSITIVE_INFINITY;
  #captured = 0;
  #over = false;

  constructor(settings: VideoSendSettings, originsUs: readonly number[], events: VideoSenderEvents) {
    this.#settings = settings;
    this.#encoding = settings.encoding;
    this.#originsUs = originsUs;
    this.#events = events;
    // Configured for the expected size now, so that the first picture finds the encoder warm.
    this.#configure(settings.width, settings.height);
  }

  /** Takes pictures from here from now on; an earlier source is let go. */
  read(input: CaptureInput<VideoFrame>): void {
    const earlier = this.#reader;
    const reader = readPictures(input, this.#settings.frameRate, () => this.framesDropped++);
    this.#reader = reader;
    this.#keyframeWanted = true;
    earlier?.cancel();
    void this.#readAll(reader);
  }

  /** The next picture should be a keyframe (somebody joined, or the link lost something). */
  requestKeyframe(): void {
    this.#keyframeWanted = true;
  }

  /** Encodes another way from the next picture on. */
  setEncoding(encoding: PictureEncoding): void {
    this.#encoding = encoding;
    this.temporalLayers = 1;
    if (this.width > 0) this.#configure(this.width, this.height);
  }

  /** As the encoder was told. */
  get codec(): string {
    return codecString(this.#encoding.codec, this.width, this.height);
  }

  /** What this picture gets where the network sets no limit. */
  get fullBitrateBps(): number {
    return bitrateFor(this.width, this.height, this.#settings.frameRate);
  }

  /** Keeps to this rate from the next picture on; where it is little for the size, to half or a third of the pictures. */
  setBitrate(bitrateBps: number): void {
    this.#bitrateBps = Math.max(LEAST_BPS, Math.round(bitrateBps));
    const encoder = this.#encoder;
    if (encoder?.state === "configured") encoder.configure(this.#config(this.width, this.height));
  }

  /** Of so many captured pictures one is encoded. */
  get #frameStep(): number {
    const share = this.#bitrateBps / this.fullBitrateBps;
    return share > HALF_RATE_SHARE ? 1 : share > THIRD_RATE_SHARE ? 2 : 3;
  }

  stop(): void {
    this.#over = true;
    this.#reader?.cancel();
    this.#closeEncoder();
  }

  #configure(width: number, height: number): void {
    this.width = width;
    this.height = height;
    this.#closeEncoder();
    const encoder = new VideoEncoder({
      output: (chunk, metadata) => this.#onChunk(chunk, metadata as LayerMetadata | undefined),
      error: (error) => this.#onEncoderError(encoder, error),
    });
    encoder.configure(this.#config(width, height));
    this.#encoder = encoder;
    this.#keyframeWanted = true;
    this.#lastKeyframeUs = 0;
  }

  #config(width: number, height: number): VideoEncoderConfig {
    const { codec, layerMode } = this.#encoding;
    return {
      codec: codecString(codec, width, height),
      width,
      height,
      bitrate: Math.min(this.#bitrateBps, this.fullBitrateBps),
      framerate: this.#settings.frameRate / this.#frameStep,
      latencyMode: "realtime",
      bitrateMode: "variable",
      ...(codec === "h264" ? { avc: { format: "annexb" } } : {}),
      contentHint: this.#settings.contentHint,
      ...(layerMode === undefined ? {} : { scalabilityMode: layerMode }),
    } as VideoEncoderConfig;
  }

  #closeEncoder(): void {
    if (this.#encoder !== undefined && this.#encoder.state !== "closed") this.#encoder.close();
    this.#encoder = undefined;
  }

  #onEncoderError(encoder: VideoEncoder, error: DOMException): void {
    if (this.#over || encoder !== this.#encoder) return;
    this.#encoder = undefined;
    // The next picture opens another one, without layers: not every encoder that offers them can.
    const { codec, layerMode } = this.#encoding;
    if (layerMode !== undefined) this.#encoding = { codec, layerMode: undefined };
    else this.#events.onError(`the ${spokenCodec(this.codec)} encoder failed: ${error.message}`);
  }

  async #readAll(reader: CaptureReader<VideoFrame>): Promise<void> {
    const clock = new CaptureClock(this.#originsUs, 0);
    for (;;) {
      const frame = await reader.read();
      if (frame === undefined) break;
      const nowUs = workerClock.nowUs();
      const captureUs = clock.map(frame.timestamp, nowUs);
      if (!this.#over && !this.paused && reader === this.#reader) this.#encode(frame, captureUs, nowUs);
      frame.close();
    }
    if (!this.#over && reader === this.#reader) this.#events.onEnd();
  }

  #encode(frame: VideoFrame, captureUs: number, nowUs: number): void {
    // Even sizes for 4:2:0; the visible part is what counts, coded sizes may be larger.
    const scale = Math.min(1, LARGEST_SIDE / Math.max(frame.displayWidth, frame.displayHeight));
    const width = Math.max(2, Math.floor((frame.displayWidth * scale) / 2) * 2);
    const height = Math.max(2, Math.floor((frame.displayHeight * scale) / 2) * 2);
    if (this.#encoder === undefined || width !== this.width || height !== this.height) {
      this.#configure(width, height);
    }
    const encoder = this.#encoder;
    if (encoder === undefined || encoder.state !== "configured") return;
    if (++this.#captured % this.#frameStep !== 0) return;
    if (encoder.encodeQueueSize > MAX_ENCODING) {
      this.framesDropped++;
      return;
    }
    const sinceKeyframeUs = nowUs - this.#lastKeyframeUs;
    const isLimited = this.#bitrateBps < this.fullBitrateBps;
    const keyFrame =
      (this.#keyframeWanted && sinceKeyframeUs > LEAST_KEYFRAME_GAP_US) ||
      sinceKeyframeUs > (isLimited ? LIMITED_KEYFRAME_INTERVAL_US : KEYFRAME_INTERVAL_US);
    if (keyFrame) {
      this.#keyframeWanted = false;
      this.#lastKeyframeUs = nowUs;
    }
    if (frame.timestamp <= this.#lastTimestampUs) this.#captures.clear();
    this.#lastTimestampUs = frame.timestamp;
    this.#captures.set(frame.timestamp, captureUs);
    if (this.#captures.size > MAX_NOTES) this.#captures.delete(this.#captures.keys().next().value!);
    encoder.encode(frame, { keyFrame });
  }

  #onChunk(chunk: EncodedVideoChunk, metadata: LayerMetadata | undefined): void {
    const captureUs = this.#captures.get(chunk.timestamp) ?? workerClock.nowUs();
    this.#captures.delete(chunk.timestamp);
    const bytes = new Uint8Array(chunk.byteLength);
    chunk.copyTo(bytes);
    const keyframe = chunk.type === "key";
    this.framesEncoded++;
    this.frameRate.push(1, workerClock.nowUs());
    if (keyframe) this.keyFrames++;
    const temporalLayer = metadata?.svc?.temporalLayerId;
    this.temporalLayers = Math.max(this.temporalLayers, (temporalLayer ?? 0) + 1);
    const discardable = this.#isDiscardable(temporalLayer, bytes);
    this.#events.onFrame({ captureUs, keyframe, temporalLayer, discardable, bytes });
  }

  /** H.264 says it itself; of the others the top layer is what nothing refers to (W3C "Scalable Video Coding", L1T2 and L1T3). */
  #isDiscardable(temporalLayer: number | undefined, bytes: Uint8Array): boolean {
    const { codec, layerMode } = this.#encoding;
    if (codec === "h264") return contentOf(bytes).discardable;
    return temporalLayer !== undefined && temporalLayer > 0 && temporalLayer === layersOf(layerMode) - 1;
  }
}
