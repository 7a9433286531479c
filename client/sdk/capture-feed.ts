/**
 * A device's track on its way into the worker: as the stream that the browser makes of it (MediaStreamTrackProcessor), or
 * where it makes none, read here and sent through a port: pictures off a <video>, sound off an AudioWorklet.
 */
import captureWorkletUrl from "../audio/capture-worklet.ts?worker&url";
import type { CaptureInput, PictureMessage } from "../worker/capture-input.ts";
import { RoomError } from "./api.ts";

/** Buffers that a busy worker may lag behind, before the browser drops the oldest. */
const AUDIO_BUFFERS = 20;
const VIDEO_BUFFERS = 2;

export interface CaptureFeed<Frame> {
  /** To be transferred to the worker, once. */
  readonly input: CaptureInput<Frame>;
  /** Lets go of what reads the track; the track itself is its owner's. */
  stop(): void;
}

/** Rejects with RoomError where sound cannot be read off a track. */
export async function feedOfSound(track: MediaStreamTrack): Promise<CaptureFeed<AudioData>> {
  if (typeof MediaStreamTrackProcessor !== "undefined") return processed(track, AUDIO_BUFFERS);
  if (typeof AudioWorkletNode !== "undefined") return await recorded(track);
  throw new RoomError("unsupported", "This browser cannot read its microphone; update it and try again.");
}

/** Throws RoomError where pictures cannot be read off a track. */
export function feedOfPictures(track: MediaStreamTrack): CaptureFeed<VideoFrame> {
  if (typeof MediaStreamTrackProcessor !== "undefined") return processed(track, VIDEO_BUFFERS);
  if (typeof VideoFrame !== "undefined" && "requestVideoFrameCallback" in HTMLVideoElement.prototype)
    return new WatchedPictures(track);
  throw new RoomError("unsupported", "This browser cannot read its camera; update it and try again.");
}

function processed<Frame extends AudioData | VideoFrame>(
  track: MediaStreamTrack,
  maxBufferSize: number,
): CaptureFeed<Frame> {
  const input = new MediaStreamTrackProcessor<Frame>({ track, maxBufferSize }).readable;
  // The stream ends with its track.
  return { input, stop: () => undefined };
}

/** Each track has an audio graph of its own, at the device's own rate: not every browser converts between rates. */
async function recorded(track: MediaStreamTrack): Promise<CaptureFeed<AudioData>> {
  const context = new AudioContext({ latencyHint: "interactive" });
  try {
    await context.audioWorklet.addModule(captureWorkletUrl);
    const source = new MediaStreamAudioSourceNode(context, { mediaStream: new MediaStream([track]) });
    const recorder = new AudioWorkletNode(context, "tributary-capture", { numberOfOutputs: 0 });
    source.connect(recorder);
    const { port1, port2 } = new MessageChannel();
    recorder.port.postMessage(port1, [port1]);
    const tellEnd = (): void => recorder.port.postMessage("end");
    track.addEventListener("ended", tellEnd);
    // Not awaited: where it needs a gesture it stays pending until there is one.
    context.resume().catch(() => undefined);
    const stop = (): void => {
      track.removeEventListener("ended", tellEnd);
      if (context.state !== "closed") context.close().catch(() => undefined);
    };
    return { input: port2 as CaptureInput<AudioData>, stop };
  } catch (cause) {
    context.close().catch(() => undefined);
    const message = "The sound could not be read from the device; choose another one.";
    throw new RoomError("device-failed", message, { cause });
  }
}

/**
 * Pictures as a <video> shows them. Nothing is shown in a tab that is not seen: there the worker, whose clock goes on, asks for
 * each picture.
 */
class WatchedPictures implements CaptureFeed<VideoFrame> {
  readonly input: MessagePort;
  readonly #port: MessagePort;
  readonly #track: MediaStreamTrack;
  readonly #video = document.createElement("video");
  #isOver = false;

  constructor(track: MediaStreamTrack) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.input = port2;
    this.#track = track;
    this.#video.muted = true;
    this.#video.playsInline = true;
    this.#video.srcObject = new MediaStream([track]);
    this.#video.play().catch(() => undefined);
    this.#video.requestVideoFrameCallback(this.#onShown);
    port1.onmessage = () => this.#send(performance.now());
    track.addEventListener("ended", this.#onEnded);
    document.addEventListener("visibilitychange", this.#tellSeen);
    this.#tellSeen();
  }

  stop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#track.removeEventListener("ended", this.#onEnded);
    document.removeEventListener("visibilitychange", this.#tellSeen);
    this.#video.srcObject = null;
    this.#port.close();
  }

  readonly #onShown: VideoFrameRequestCallback = (nowMs, { captureTime, presentationTime }) => {
    if (this.#isOver) return;
    this.#video.requestVideoFrameCallback(this.#onShown);
    if (!document.hidden) this.#send(captureTime ?? Math.min(nowMs, presentationTime));
  };

  /** `atMs`: when it was captured as far as the browser says, else when it was there. */
  #send(atMs: number): void {
    if (this.#isOver || this.#video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return;
    const frame = new VideoFrame(this.#video, { timestamp: Math.round(atMs * 1000) });
    this.#port.postMessage(frame satisfies PictureMessage, [frame]);
  }

  readonly #onEnded = (): void => {
    this.#port.postMessage("end" satisfies PictureMessage);
  };

  readonly #tellSeen = (): void => {
    this.#port.postMessage((document.hidden ? "hidden" : "seen") satisfies PictureMessage);
  };
}
