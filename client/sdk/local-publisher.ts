/** Publishes our devices: asks the browser for them, hands them to the worker, and switches them without publishing anew. */
import type { PictureCodec } from "../../core/media/picture-codecs.ts";
import type { Source } from "../../core/wire/room-model.ts";
import { type LocalTrack, RoomError } from "./api.ts";
import { feedOfPictures, feedOfSound } from "./capture-feed.ts";
import { type CameraWish, captureCamera, captureMicrophone, captureScreen } from "./local-capture.ts";
import { LiveLocalTrack } from "./local-track.ts";
import type { WorkerPort } from "./worker-port.ts";

const CAMERA_FRAME_RATE = 30;
const SCREEN_FRAME_RATE = 15;

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
}

export class LocalPublisher {
  readonly tracks = new Map<Source, LiveLocalTrack>();
  readonly #port: WorkerPort;
  readonly #events: LocalPublisherEvents;
  /** Publishing and switching of one source happen one after the other. */
  readonly #publishing = new Map<Source, Promise<unknown>>();

  constructor(port: WorkerPort, events: LocalPublisherEvents) {
    this.#port = port;
    this.#events = events;
  }

  async microphone(options: { deviceId?: string; muted?: boolean }): Promise<LocalTrack> {
    return await this.#oneAtATime("microphone", async () => {
      const media = await captureMicrophone(options.deviceId);
      return await this.#publishAudio("microphone", media, options.muted ?? false);
    });
  }

  async camera(options: CameraWish & CodecWish): Promise<LocalTrack> {
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
}
