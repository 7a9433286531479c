/** Publishes our devices: asks the browser for them, hands them to the worker, and switches them without publishing anew. */
import type { PictureCodec } from "../../core/media/picture-codecs.ts";
import type { Source } from "../../core/wire/room-model.ts";
import { type LocalTrack, RoomError, type RoomEvents } from "./api.ts";
import { feedOfPictures, feedOfSound } from "./capture-feed.ts";
import { DeviceCare, type DeviceSource } from "./device-care.ts";
import { type CameraWish, captureCamera, captureMicrophone, captureScreen } from "./local-capture.ts";
import { LiveLocalTrack } from "./local-track.ts";
import type { WorkerPort } from "./worker-port.ts";

const CAMERA_FRAME_RATE = 30;
const SCREEN_FRAME_RATE = 15;
/** A device that is silent for less is not told of. */
const SILENT_FOR_MS = 800;

export interface CodecWish {
  codec?: PictureCodec | readonly PictureCodec[];
}

export interface ScreenWish extends CodecWish {
  audio?: boolean;
}

export interface LocalPublisherEvents {
  isClosed(): boolean;
  onChange(): void;
  onProblem(code: string, message: string): void;
  onDevice(event: RoomEvents["device"]): void;
}

export class LocalPublisher {
  readonly tracks = new Map<Source, LiveLocalTrack>();
  readonly #port: WorkerPort;
  readonly #events: LocalPublisherEvents;
  /** Publishing and switching of one source happen one after the other. */
  readonly #publishing = new Map<Source, Promise<unknown>>();
  readonly #care: DeviceCare;
  /** What a camera was asked for with. */
  #cameraWish: CameraWish & CodecWish = {};
  /** Tracks that end without the application's doing. */
  readonly #lost = new Set<Source>();

  constructor(port: WorkerPort, events: LocalPublisherEvents) {
    this.#port = port;
    this.#events = events;
    this.#care = new DeviceCare({
      publish: (source, wish) =>
        source === "microphone" ? this.#microphone(wish) : this.#camera({ ...this.#cameraWish, ...wish }),
      stop: (source) => this.#stopLost(source),
      captured: (source) => this.#captured(source),
      devices: listDevices,
      isDenied,
      onProblem: (code, message) => events.onProblem(code, message),
      onDevice: (event) => events.onDevice(event),
      nowMs: () => performance.now(),
    });
    navigator.mediaDevices?.addEventListener("devicechange", this.#onListChange);
  }

  readonly #onListChange = (): void => void this.#care.onListChange();

  /** The room is closed. */
  end(): void {
    navigator.mediaDevices?.removeEventListener("devicechange", this.#onListChange);
    for (const track of [...this.tracks.values()]) track.release();
  }

  /** A track has ended by itself. */
  onEnded(source: Source): void {
    if (source === "microphone" || source === "camera") void this.#care.onEnded(source);
    else
      this.tracks
        .get(source)
        ?.stop()
        .catch(() => undefined);
  }

  #stopLost(source: DeviceSource): void {
    this.#lost.add(source);
    this.tracks
      .get(source)
      ?.stop()
      .catch(() => undefined);
    this.#lost.delete(source);
  }

  #captured(source: DeviceSource) {
    const track = this.tracks.get(source);
    if (track === undefined) return undefined;
    const { label } = track.mediaStreamTrack;
    return { deviceId: track.mediaStreamTrack.getSettings().deviceId ?? "", label, muted: track.muted };
  }

  async microphone(options: { deviceId?: string; muted?: boolean }): Promise<LocalTrack> {
    const track = await this.#microphone(options);
    void this.#care.note("microphone", options);
    return track;
  }

  async #microphone(options: { deviceId?: string; muted?: boolean }): Promise<LocalTrack> {
    return await this.#oneAtATime("microphone", async () => {
      const media = await captureMicrophone(options.deviceId);
      return await this.#publishAudio("microphone", media, options.muted ?? false);
    });
  }

  async camera(options: CameraWish & CodecWish): Promise<LocalTrack> {
    const track = await this.#camera(options);
    this.#cameraWish = options;
    const { deviceId } = options;
    void this.#care.note("camera", deviceId === undefined ? {} : { deviceId });
    return track;
  }

  async #camera(options: CameraWish & CodecWish): Promise<LocalTrack> {
    return await this.#oneAtATime("camera", async () => {
      const media = await captureCamera(options);
      return await this.#publishVideo("camera", media, options.frameRate ?? CAMERA_FRAME_RATE, options);
    });
  }

  async screen(options: ScreenWish): Promise<LocalTrack> {
    return await this.#oneAtATime("screen", async () => {
      const { video, audio } = await captureScreen(options.audio ?? false);
      const track = await this.#publishVideo("screen", video, SCREEN_FRAME_RATE, options);
      if (audio !== undefined) {
        await this.#publishAudio("screen-audio", audio, false).catch((error: unknown) => {
          audio.stop();
          const message = error instanceof Error ? error.message : String(error);
          this.#events.onProblem("screen-audio", message);
        });
      }
      return track;
    });
  }

  async #oneAtATime<T>(source: Source, task: () => Promise<T>): Promise<T> {
    const earlier = this.#publishing.get(source) ?? Promise.resolve();
    const run = earlier.catch(() => undefined).then(task);
    this.#publishing.set(source, run);
    return await run;
  }

  async #publishAudio(
    source: "microphone" | "screen-audio",
    media: MediaStreamTrack,
    muted: boolean,
  ): Promise<LocalTrack> {
    return await this.#publish(source, media, muted, async (track) => {
      const input = track.readFrom(await feedOfSound(media));
      return await this.#port.request({ operation: "publish-audio", source, input, muted }, [input]);
    });
  }

  async #publishVideo(
    source: "camera" | "screen",
    media: MediaStreamTrack,
    defaultFrameRate: number,
    { codec = [] }: CodecWish,
  ): Promise<LocalTrack> {
    return await this.#publish(source, media, false, async (track) => {
      const { width = 640, height = 360, frameRate = defaultFrameRate } = media.getSettings();
      const settings = {
        width,
        height,
        frameRate: Math.max(1, Math.round(frameRate)),
        codecs: [codec].flat(),
        contentHint: source === "screen" ? ("detail" as const) : ("motion" as const),
      };
      const input = track.readFrom(feedOfPictures(media));
      return await this.#port.request({ operation: "publish-video", source, input, settings }, [input]);
    });
  }

  /** Publishes, or switches the device of what is published already. */
  async #publish(
    source: Source,
    media: MediaStreamTrack,
    muted: boolean,
    request: (track: LiveLocalTrack) => Promise<unknown>,
  ): Promise<LocalTrack> {
    this.#watchSilence(source, media);
    const known = this.tracks.get(source);
    if (known !== undefined) {
      await known.replace(media);
      media.enabled = !known.muted;
      this.#events.onChange();
      return known;
    }
    if (this.#events.isClosed()) {
      media.stop();
      throw new RoomError("closed", "the room is closed; join it again");
    }
    const track = new LiveLocalTrack(source, media, muted, this.#port, (stopped) => {
      if (this.tracks.get(source) === stopped) this.tracks.delete(source);
      if (!this.#lost.has(source)) this.#care.forget(source as DeviceSource);
      // The screen's sound without the screen is nobody's wish.
      if (source === "screen")
        this.tracks
          .get("screen-audio")
          ?.stop()
          .catch(() => undefined);
      this.#events.onChange();
    });
    media.enabled = !muted;
    this.tracks.set(source, track);
    try {
      const trackId = await request(track);
      if (typeof trackId === "number" && trackId > 0) track.trackId = trackId;
    } catch (error) {
      track.release();
      throw error;
    }
    this.#events.onChange();
    return track;
  }

  /** Tells when something outside of the browser keeps a device silent, or does so no more. */
  #watchSilence(source: Source, media: MediaStreamTrack): void {
    if (source !== "microphone" && source !== "camera") return;
    const look = (): void => {
      const track = this.tracks.get(source);
      if (track?.mediaStreamTrack !== media || track.silenced === media.muted) return;
      track.silenced = media.muted;
      const message = media.muted
        ? `The system, or a switch on the device, has turned your ${source} off.`
        : `Your ${source} is on again.`;
      this.#events.onDevice({ source, change: media.muted ? "silenced" : "heard", message });
      this.#events.onChange();
    };
    // Some devices need a moment to begin.
    media.addEventListener("mute", () => setTimeout(look, SILENT_FOR_MS));
    media.addEventListener("unmute", look);
  }
}

async function listDevices(source: DeviceSource): Promise<MediaDeviceInfo[]> {
  const kind = source === "microphone" ? "audioinput" : "videoinput";
  const all = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  return all.filter((device) => device.kind === kind);
}

/** False where the browser does not say. */
async function isDenied(source: DeviceSource): Promise<boolean> {
  try {
    return (await navigator.permissions.query({ name: source as PermissionName })).state === "denied";
  } catch {
    return false;
  }
}
